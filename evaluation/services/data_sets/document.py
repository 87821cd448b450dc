"""A data set as the API shows it."""

from evaluation.models import DataSet
from evaluation.services.api_document import Document, job_document


def data_set_document(data_set: DataSet) -> Document:
    found = data_set.result
    return job_document(data_set) | {
        "name": data_set.name,
        "created": data_set.created,
        "published": data_set.published,
        "synthetic": data_set.synthetic,
        "images": found.images,
        "lesions": found.lesions,
        "classes": {code: entry.images for code, entry in found.classes.items()},
        "labels": data_set.labels,
        "decoded": data_set.done,
        "total": data_set.total,
        "refused": data_set.refused,
        "warnings": data_set.warnings,
        "columns": data_set.columns,
        "guess": data_set.guess,
        "mapping": data_set.mapping,
    }
