"""A comparison as the API shows it."""

from evaluation.models import Comparison
from evaluation.services.api_document import Document, job_document


def comparison_document(comparison: Comparison, *, numbers: bool = True) -> Document:
    """The numbers are null until the comparison is done."""
    done = comparison.document if numbers else {}
    empty: Document = {"images": None, "excluded": [], "models": [], "pairs": [], "groups": []}
    return job_document(comparison) | {
        "dataset": str(comparison.data_set_id),
        "evaluations": [str(pk) for pk in comparison.order],
        "taxonomy": comparison.taxonomy,
        **(empty | {"smallest_difference": None} | done),
    }
