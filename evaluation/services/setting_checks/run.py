"""What a worker does with a setting check: turns that give way to people, each answer computed once."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db import transaction
from pydantic import ValidationError

from classifier.inference import classifier
from classifier.inference.input.images import Pixels
from classifier.inference.input.manifest import InputSpec, Manifest
from classifier.services.predictions.predict import load_classifier
from classifier.services.predictions.waiting import batch_size
from evaluation.metrics.sample import Floats
from evaluation.metrics.taxonomy import in_classes
from evaluation.models import LabelledImage, SettingAnswers, SettingCheck
from evaluation.services.data_sets import read_image
from evaluation.services.setting_checks.document import document_of
from evaluation.setting import candidates
from evaluation.setting.drawing import connected, draw
from evaluation.setting.evidence import Pictures
from evaluation.setting.search import Half, Question, Search
from evaluation.setting.verdict import judge
from skinsite.jobs import Failure
from skinsite.jobs.turns import Fields, TimeSlice, run_slice

LARGEST_BATCH = 16
FINALISTS = 10
"""Settings that usually answer for both halves."""
KEPT_BYTES = 256 * 1024**2
"""Of decoded pictures, which each setting reads again."""
Drawn = dict[Half, list[LabelledImage]]


def run_setting_check(*, check_id: int, alone: bool = False) -> None:
    run_slice(SettingSearch, check_id, alone=alone)


class SettingSearch(TimeSlice):
    """The search begins anew in each slice and finds what was answered before."""

    kind = SettingCheck
    job: SettingCheck

    def run(self) -> Fields:
        self.drawn, self.question = question_of(self.job)
        self.pixels: dict[int, Pixels] = {}
        self.batch = batch_size(self.job.model, LARGEST_BATCH)
        expected = candidates.usual_settings(self.question.base) + FINALISTS
        self.total = expected * max(len(images) for images in self.drawn.values())
        self.begin(total=max(self.total, self.job.done))
        self.loaded, _ = load_classifier(self.job.model)
        open_output = self.job.model.framework == "torch"
        try:
            verdict = judge(Search(self.question, self.ask), seed=self.job.seed, open_output=open_output)
            self.save(total=self.job.done)
            return {"document": document_of(self.job, self.question, verdict, self.drawn, self.ask).to_json()}
        except ValidationError as error:
            message = "A figure of this check is not a number, so nothing is stored."
            hint = "Tell an administrator which model and data set this was."
            raise Failure("not-a-number", message, hint) from error

    def ask(self, spec: InputSpec, half: Half) -> Floats:
        """Return the logits (n, K) of a half, from what is stored and by computing the rest."""
        images = self.drawn[half]
        row, _ = SettingAnswers.objects.get_or_create(check_of=self.job, half=half, setting=_hash(spec, images))
        while row.images < len(images):
            self.take_in_hand()
            batch = images[row.images : row.images + self.batch]
            row.logits = bytes(row.logits) + self._logits(spec, batch).astype("<f4").tobytes()
            row.images += len(batch)
            self.job.done += len(batch)
            with transaction.atomic():
                row.save(update_fields=["images", "logits"])
                self.advance(done=self.job.done, total=max(self.total, self.job.done))
            self.make_way()
        return np.frombuffer(bytes(row.logits), "<f4").reshape(len(images), -1).astype(np.float64)

    def _logits(self, spec: InputSpec, images: Sequence[LabelledImage]) -> Any:
        pixels = [self._pixels_of(image) for image in images]
        return classifier.logits(self.loaded, pixels, [read_image.clinical_of(image) for image in images], spec)

    def _pixels_of(self, image: LabelledImage) -> Pixels:
        if image.pk in self.pixels:
            return self.pixels[image.pk]
        found = read_image.pixels_of(image)
        if sum(kept.nbytes for kept in self.pixels.values()) + found.nbytes <= KEPT_BYTES:
            self.pixels[image.pk] = found
        return found


def question_of(check: SettingCheck) -> tuple[Drawn, Question]:
    """Draw the pictures, and say what is asked of them; only classes of both halves are asked for."""
    manifest = Manifest.model_validate(check.model.manifest)
    malignancy = check.data_set.malignancy
    places = {label: in_classes(label, manifest.codes, malignancy) for label in check.data_set.labels}
    everything = list(check.data_set.images.order_by("pk"))
    unit_of = dict(zip((image.pk for image in everything), connected(list(map(_marks, everything))), strict=True))
    images = [image for image in everything if places.get(image.label)]
    labels, units = [str(places[image.label]) for image in images], [unit_of[image.pk] for image in images]
    chosen = draw(labels, units, seed=check.seed)
    halves: dict[Half, tuple[int, ...]] = {"search": chosen.search, "test": chosen.test}
    present = tuple(sorted(set.intersection(*({labels[place] for place in half} for half in halves.values()))))
    if len(present) < 2:
        raise Failure(
            "too-few-classes",
            "Fewer than two classes have two lesions each, so there is nothing to tell apart.",
            "Choose a data set with more lesions of more classes.",
        )
    kept = {name: [place for place in half if labels[place] in present] for name, half in halves.items()}
    drawn = {name: [images[place] for place in half] for name, half in kept.items()}
    pictures = {
        name: Pictures.of(
            [present.index(labels[place]) for place in half], [units[place] for place in half], seed=check.seed
        )
        for name, half in kept.items()
    }
    scarce = frozenset(labels) - frozenset(present)
    return drawn, Question(manifest.input, manifest.codes, manifest.output, present, pictures, scarce)


def _marks(image: LabelledImage) -> list[str]:
    """What this picture may share with others that must stay in one half."""
    marks = {"patient": image.patient, "lesion": image.lesion, "pixels": image.sha256}
    return [f"{kind} {value}" for kind, value in marks.items() if value]


def _hash(spec: InputSpec, images: Sequence[LabelledImage]) -> str:
    """Of the input and the pictures: answers for another draw are no answers for this one."""
    asked = spec.model_dump() | {"images": [image.pk for image in images]}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
