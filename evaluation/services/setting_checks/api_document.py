"""A setting check as the API shows it."""

from evaluation.models import SettingCheck
from evaluation.services.api_document import Document, check_document


def setting_check_document(check: SettingCheck) -> Document:
    return check_document(check) | {"filled": None if check.filled_id is None else str(check.filled_id)}
