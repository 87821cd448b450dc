"""The demo content: two real models and one sample case."""

import json
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand

from classifier.inference.input.manifest import Json
from classifier.models import Case, ModelRecord
from classifier.models.model_record import ModelState
from classifier.services.cases.create import CaseDetails, Upload, create_case
from classifier.services.models.register import register_model, run_admission
from classifier.training_ids import with_files

DEMO = settings.BASE_DIR / "demo"


class Command(BaseCommand):
    help = "Register the demo models and make the sample case, if there are none yet."

    def handle(self, *args: Any, **options: Any) -> None:
        if ModelRecord.objects.exists():
            return
        xception = Path(str(distribution("sklesion").locate_file("sklesion/model.keras")))
        for file, manifest in ((xception, "xception.json"), (DEMO / "efficientnet_b2.pth", "efficientnet_b2.json")):
            self._register(file, with_files(json.loads((DEMO / manifest).read_text()), DEMO))
        self._sample_case()

    def _register(self, path: Path, manifest: Json) -> None:
        self._say(f"Checking the demo model {manifest['name']}")
        with path.open("rb") as file:
            admission = register_model(user=None, file=file, file_name=path.name, manifest=manifest, send=False)
        run_admission(admission_id=admission.pk)
        record = ModelRecord.objects.get(pk=admission.record_id)
        if record.state != ModelState.READY:
            self.stderr.write(f"{record} was refused: {record.error}")
            return
        record.is_default = True
        record.save(update_fields=["is_default"])

    def _sample_case(self) -> None:
        owner = get_user_model().objects.filter(username="researcher").first()
        models = list(ModelRecord.objects.ready())
        if owner is None or not models or Case.objects.exists():
            return
        self._say("Making the sample case")
        picture = Path(str(distribution("dermapred").locate_file("dermapred/examples/example_image.jpg")))
        with picture.open("rb") as file:
            create_case(
                owner=owner,
                uploads=[Upload(picture.name, file)],
                models=models,
                details=CaseDetails(title="Sample case", note="The photograph that the package dermapred ships."),
            )

    def _say(self, what: str) -> None:
        self.stdout.write(f"{what} …")
        self.stdout.flush()
