"""Evaluations: queued once, worked on in mini-batches that give way to people, each image answered exactly once."""

import logging
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from classifier.inference import classifier
from classifier.inference.input.images import Pixels
from classifier.services.predictions.predict import load_classifier
from classifier.services.predictions.waiting import batch_size
from evaluation.models import Evaluation, FailedImage, Inference, LabelledImage
from evaluation.models.evaluation import Stage
from evaluation.services.data_sets import read_image
from evaluation.services.evaluations import stored_predictions
from skinsite.jobs import Failure
from skinsite.jobs.turns import Fields, TimeSlice, run_slice

logger = logging.getLogger(__name__)
LARGEST_BATCH = 8
BATCH_BYTES = 256 * 1024**2
"""Of a mini-batch's decoded pictures: those of two are in memory at a time."""
WINDOW = 256


def run_evaluation(*, evaluation_id: int, alone: bool = False) -> None:
    run_slice(Answering, evaluation_id, alone=alone)


class Answering(TimeSlice):
    """The images in mini-batches, each answered once; then the scores are due."""

    kind = Evaluation
    job: Evaluation

    def run(self) -> Fields:
        self.model = self.job.model
        self.recipe = stored_predictions.recipe(self.model, self.job.engine)
        self.batch_size = batch_size(self.model, LARGEST_BATCH)
        self._note_quarantined()
        if self.job.begun_at is None:
            reused = stored_predictions.reuse(self.job, self.recipe)
            self.begin(reused=self._answered(), computed=0, busy_seconds=0.0)
            logger.info("Evaluation %s: %s answers were known in other data sets.", self.job.pk, reused)
        self.save(done=self._done())
        self.loaded, _ = load_classifier(self.model)
        self.began = time.monotonic()
        with closing(_ahead(self._batches())) as batches:
            for images, pixels in batches:
                self._work(images, pixels)
                self.make_way()
        self.requeue(stage=Stage.SCORING, done=self._done())

    def _batches(self) -> Iterator[list[LabelledImage]]:
        """The images without an answer, in mini-batches; one that was in flight when a worker died comes alone."""
        cursor = 0
        quarantined = set(self.job.quarantined)
        while window := list(self._pending().filter(pk__gt=cursor).order_by("pk")[:WINDOW]):
            cursor = window[-1].pk
            batch: list[LabelledImage] = []
            size = 0
            for image in window:
                if image.pk in quarantined:
                    yield [image]
                    continue
                decoded = image.width * image.height * 3
                if batch and (len(batch) == self.batch_size or size + decoded > BATCH_BYTES):
                    yield batch
                    batch, size = [], 0
                batch.append(image)
                size += decoded
            if batch:
                yield batch

    def _pending(self) -> Any:
        answered = Inference.objects.filter(image=OuterRef("pk"), recipe=self.recipe)
        failed = FailedImage.objects.filter(image=OuterRef("pk"), evaluation=self.job)
        return self.job.data_set.images.filter(~Exists(answered), ~Exists(failed))

    def _work(self, images: Sequence[LabelledImage], pixels: list[Pixels | Failure]) -> None:
        """Answer a mini-batch and commit it; an image that fails does not take its neighbours along."""
        self.save(in_flight=[image.pk for image in images])
        began = time.perf_counter()
        answers = self._answers(images, pixels)
        spent = time.perf_counter() - began
        failures = [
            FailedImage(evaluation=self.job, image=image, code=answer.code, message=answer.message)
            for image, answer in zip(images, answers, strict=True)
            if isinstance(answer, Failure)
        ]
        rows = [
            Inference(
                image=image,
                model=self.model,
                recipe=self.recipe,
                key=stored_predictions.key(self.recipe, self.model, image),
                probabilities=stored_predictions.packed(answer),
            )
            for image, answer in zip(images, answers, strict=True)
            if not isinstance(answer, Failure)
        ]
        self.job.done += len(images)
        self.job.computed += len(rows)
        self.job.busy_seconds += spent
        with transaction.atomic():
            Inference.objects.bulk_create(rows, ignore_conflicts=True)
            FailedImage.objects.bulk_create(failures, ignore_conflicts=True)
            self.advance(
                done=self.job.done, computed=self.job.computed, busy_seconds=self.job.busy_seconds, in_flight=[]
            )

    def _answers(self, images: Sequence[LabelledImage], pixels: list[Pixels | Failure]) -> list[Any]:
        good = [place for place, picture in enumerate(pixels) if not isinstance(picture, Failure)]
        found: list[Any] = list(pixels)
        try:
            answer = self._run([pixels[place] for place in good], [images[place] for place in good]) if good else []
        except Exception:
            if len(good) == 1:
                logger.exception("Image %s failed.", images[good[0]].pk)
                message = f"{self.model} could not answer for this image; an administrator finds the reason in the log."
                found[good[0]] = Failure("prediction-failed", message)
                return found
            return [self._answers([image], [picture])[0] for image, picture in zip(images, pixels, strict=True)]
        for place, values in zip(good, answer, strict=True):
            finite = bool(np.isfinite(values).all())
            found[place] = values if finite else Failure("not-finite", f"{self.model} gave no finite numbers for it.")
        return found

    def _run(self, pixels: Sequence[Any], images: Sequence[LabelledImage]) -> Any:
        details = [read_image.clinical_of(image) for image in images]
        return classifier.run(self.loaded, pixels, details, maps=False).probabilities

    def _note_quarantined(self) -> None:
        """What was in flight when a worker died comes alone from now on; an image that was alone then fails."""
        in_flight, quarantined = self.job.in_flight, set(self.job.quarantined)
        if not in_flight:
            return
        if len(in_flight) == 1 and in_flight[0] in quarantined:
            message = "The worker process died twice with this image in its hands."
            FailedImage.objects.get_or_create(
                evaluation=self.job, image_id=in_flight[0], defaults={"code": "worker-died", "message": message}
            )
        self.save(in_flight=[], quarantined=sorted(quarantined | set(in_flight)))

    def _answered(self) -> int:
        return Inference.objects.filter(image__data_set=self.job.data_set, recipe=self.recipe).count()

    def _done(self) -> int:
        return self._answered() + self.job.failed_images.count()


def _ahead(batches: Iterator[list[LabelledImage]]) -> Generator[tuple[list[LabelledImage], list[Pixels | Failure]]]:
    """Read the pictures of the next mini-batch while the worker computes with this one."""
    with ThreadPoolExecutor(1) as pool:
        ready: tuple[list[LabelledImage], Future[list[Pixels | Failure]]] | None = None
        for batch in batches:
            following = (batch, pool.submit(_read, batch))
            if ready is not None:
                yield ready[0], ready[1].result()
            ready = following
        if ready is not None:
            yield ready[0], ready[1].result()


def _read(images: Sequence[LabelledImage]) -> list[Pixels | Failure]:
    try:
        return [_pixels(image) for image in images]
    finally:
        connection.close()


def _pixels(image: LabelledImage) -> Pixels | Failure:
    try:
        return read_image.pixels_of(image)
    except Failure as failure:
        return failure
