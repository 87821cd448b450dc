"""The second part of the demo content, made while the portal runs: phantoms, evaluated by the demo models."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from django.db import close_old_connections
from PIL import Image

from classifier.models import ModelRecord
from classifier.models.model_record import Framework
from classifier.services.predictions.warm_up import ready_mark
from evaluation.models import DataSet, Evaluation
from evaluation.phantoms import Phantom, draw
from evaluation.services.comparisons.start import start_comparison
from evaluation.services.data_sets.create import create_from_folder
from evaluation.services.evaluations.start import start_evaluation
from skinsite.jobs import OPEN, State
from skinsite.jobs.send import send_on_commit
from skinsite.spreadsheet import plain_lines

NAME = "Phantoms (synthetic)"
COLUMNS = ("image", "diagnosis", "lesion_id", "age", "sex", "site", "fitzpatrick_skin_type")
PATIENCE_SECONDS = 3600
LET_PEOPLE_IN_SECONDS = 30


class Command(BaseCommand):
    help = "Draw phantoms, import, evaluate and compare them in the queue; what is there already is left as it is."

    def handle(self, *args: Any, **options: Any) -> None:
        owner = get_user_model().objects.filter(username="admin").first()
        if not settings.SKINSITE_PHANTOMS or owner is None:
            return
        self._wait(lambda: all(ready_mark(framework).exists() for framework in Framework.values))
        time.sleep(LET_PEOPLE_IN_SECONDS)
        models = list(ModelRecord.objects.ready().filter(is_default=True).order_by("pk"))
        data_set = DataSet.objects.filter(synthetic=True, owner=owner).first() or self._import(owner)
        self._wait(lambda: self._state(data_set) not in OPEN)
        if self._state(data_set) != State.DONE or len(models) < 2:
            return
        rows = [
            Evaluation.objects.filter(data_set=data_set, model=model, owner=owner).first()
            or start_evaluation(owner=owner, data_set=DataSet.objects.get(pk=data_set.pk), model=model)
            for model in models
        ]
        self._wait(lambda: all(self._state(row) not in OPEN for row in rows))
        done = [row for row in rows if self._state(row) == State.DONE]
        if len(done) == len(models) and not data_set.comparisons.exists():
            done = [Evaluation.objects.select_related("model", "data_set").get(pk=row.pk) for row in done]
            start_comparison(owner=owner, evaluations=done, taxonomy_name="ham7")

    def _import(self, owner: Any) -> DataSet:
        """Write the pictures and their table below SKINSITE_DATA and queue the import."""
        folder = settings.SKINSITE_DATA / "phantoms"
        for name in ("images", "masks"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        rows: list[tuple[Any, ...]] = [COLUMNS]
        for phantom in draw():
            Image.fromarray(phantom.pixels).save(folder / "images" / f"{phantom.name}.png", compress_level=1)
            Image.fromarray(phantom.mask).save(folder / "masks" / f"{phantom.name}.png")
            rows.append(_row(phantom))
        table = folder / "labels.csv"
        table.write_bytes(b"".join(plain_lines(rows)))
        data_set = create_from_folder(
            owner=owner,
            name=NAME,
            folder=folder / "images",
            table=table,
            masks=folder / "masks",
            published=True,
            synthetic=True,
        )
        send_on_commit(data_set)
        return data_set

    def _state(self, row: Any) -> str:
        return str(type(row).objects.values_list("state", flat=True).get(pk=row.pk))

    def _wait(self, done: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while not done() and time.monotonic() < until:
            close_old_connections()
            time.sleep(1)


def _row(phantom: Phantom) -> tuple[Any, ...]:
    return (phantom.name, phantom.code, phantom.lesion, phantom.age, phantom.sex, phantom.site, phantom.skin_type)
