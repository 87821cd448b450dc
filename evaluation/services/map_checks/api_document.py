"""A map check as the API shows it."""

from evaluation.models import MapCheck
from evaluation.services.api_document import Document, check_document


def map_check_document(check: MapCheck) -> Document:
    return check_document(check) | {"busy_seconds": check.busy_seconds}
