"""Worker processes: warm before the first person waits, and a mark on disk that says so."""

import os
from pathlib import Path

from django.conf import settings
from django.db import close_old_connections

from classifier.inference import devices
from classifier.models import ModelRecord
from classifier.models.model_record import Framework
from classifier.services.predictions.predict import rehearse


def ready_mark(framework: str) -> Path:
    return Path(settings.SKINSITE_DATA, "run", f"ready-{framework}")


def clear_ready_marks() -> None:
    for framework in Framework.values:
        ready_mark(framework).unlink(missing_ok=True)


def warm_up(*, framework: str) -> None:
    """Load the framework's default models and predict once, then leave the mark.

    Raises EngineError, and leaves none, where the device of the settings is not there.
    """
    devices.use(settings.SKINSITE_DEVICE)
    for model in ModelRecord.objects.ready().filter(framework=framework, is_default=True):
        rehearse(model)
    close_old_connections()
    mark = ready_mark(framework)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(str(os.getpid()))
