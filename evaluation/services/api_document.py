"""What the API says of every long job, and of every check of a model."""

from typing import Any

from evaluation.models import MapCheck, SettingCheck
from skinsite.jobs.long_job import LongJob

Document = dict[str, Any]


def job_document(job: LongJob) -> Document:
    """What the API says of every long job."""
    return {
        "id": str(job.pk),
        "state": job.shown_state,
        "page": job.get_absolute_url(),
        "error": job.error,
    }


def check_document(check: MapCheck | SettingCheck) -> Document:
    """`result` is None until the check is done."""
    return job_document(check) | {
        "model": str(check.model_id),
        "dataset": None if check.data_set_id is None else str(check.data_set_id),
        "seed": check.seed,
        "done": check.done,
        "total": check.total,
        "result": check.document or None,
    }
