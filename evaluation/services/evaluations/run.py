"""Evaluations: queued once, worked on in mini-batches that give way to people, each image answered exactly once."""

import logging
import time
import uuid
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Any

import numpy as np
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from classifier.inference import classifier
from classifier.inference.input.images import Pixels
from classifier.models import ModelRecord
from classifier.models.model_record import ModelState
from classifier.services.predictions.predict import load_classifier
from classifier.services.predictions.waiting import person_waits
from evaluation.models import DataSet, Evaluation, FailedImage, Inference, LabelledImage
from evaluation.models.evaluation import Stage
from evaluation.services.evaluations import stored_predictions
from evaluation.services.queueing import send_next_of, send_on_commit
from evaluation.services.turns import batch_size, is_over
from skinsite.jobs import OPEN, Failure, State, heartbeat
from skinsite.refusal import Conflict, Problem, Refusal

logger = logging.getLogger(__name__)
LARGEST_BATCH = 8
BATCH_BYTES = 256 * 1024**2
"""Of a mini-batch's decoded pictures: those of two are in memory at a time."""
WINDOW = 256


def start_evaluation(*, owner: Any, data_set: DataSet, model: ModelRecord) -> Evaluation:
    """Queue an evaluation. Raises Refusal for what is not ready, and above the owner's limit of waiting ones."""
    problems = []
    if data_set.state != State.DONE:
        problems.append(Problem("dataset", f"{data_set} is {data_set.state}: choose a data set whose import is done."))
    if model.state != ModelState.READY:
        problems.append(Problem("model", f"{model} is {model.state}: choose a model that is ready."))
    if problems:
        raise Refusal(*problems)
    with transaction.atomic():
        if full := _full(owner):
            raise Refusal(Problem("dataset", full))
        evaluation = Evaluation.objects.create(
            owner=owner, data_set=data_set, model=model, engine=model.engine, total=data_set.images.count()
        )
        send_next_of(owner)
    return evaluation


def _full(owner: Any) -> str:
    """Say within the transaction that opens one more why the owner may not; nothing where there is room."""
    get_user_model().objects.select_for_update().get(pk=owner.pk)
    count, limit = Evaluation.objects.filter(owner=owner, state__in=OPEN).count(), settings.WAITING_EVALUATIONS_A_USER
    if count <= limit:
        return ""
    return f"1 of your evaluations may run and {limit} may wait; {count} are open: wait or cancel one."


def cancel_evaluation(*, evaluation: Evaluation) -> None:
    """queued, running -> cancelled; stored answers stay. Raises Conflict in another state."""
    with transaction.atomic():
        if not Evaluation.objects.filter(pk=evaluation.pk).cancel():
            raise Conflict(f"This evaluation is {evaluation.state}: only one that waits or runs can be cancelled.")
        send_next_of(evaluation.owner)


def retry_evaluation(*, evaluation: Evaluation) -> None:
    """failed, cancelled, or done with failed images -> queued; what the model's engine has not answered is computed.

    Raises Conflict in another state, and above the owner's limit of waiting ones.
    """
    with transaction.atomic():
        if full := _full(evaluation.owner):
            raise Conflict(full)
        row = Evaluation.objects.filter(pk=evaluation.pk)
        if not (row.retry() or (evaluation.failed_images.exists() and row.reopen())):
            message = f"This evaluation is {evaluation.state} and no image of it failed: there is nothing to try again."
            raise Conflict(message)
        evaluation.failed_images.all().delete()
        row.update(stage=Stage.PREDICTING, engine=evaluation.model.engine, suspects=[], hands=[])
        send_next_of(evaluation.owner)


def delete_evaluation(*, evaluation: Evaluation) -> None:
    """Delete an evaluation, its comparisons, and its stored answers unless another evaluation uses them."""
    with transaction.atomic():
        using = stored_predictions.recipe(evaluation.model, evaluation.engine)
        others = Evaluation.objects.filter(data_set=evaluation.data_set, model__sha256=evaluation.model.sha256)
        others = others.exclude(pk=evaluation.pk).select_related("model")
        if using not in {stored_predictions.recipe(other.model, other.engine) for other in others}:
            Inference.objects.filter(image__data_set=evaluation.data_set, recipe=using).delete()
        for comparison in evaluation.comparisons.all():
            comparison.delete()
        evaluation.delete()
        send_next_of(evaluation.owner)


def run_evaluation(*, evaluation_id: int, gives_way: bool = True) -> None:
    """One turn: queued -> queued again (others wait), or on to the scores, or failed with a reason.

    A process that serves no people, such as a command's, does not give way to them.
    """
    waiting = Evaluation.objects.next_of_each_owner().filter(pk=evaluation_id, state=State.QUEUED)
    evaluation = waiting.select_related("model", "data_set", "owner").defer("document").first()
    if evaluation is None:
        return
    if gives_way and person_waits(evaluation.model.framework):
        send_on_commit(evaluation, queue=evaluation.queue)
        return
    token = Evaluation.objects.claim(evaluation_id, in_hand=False)
    if token is None:
        return
    try:
        with heartbeat(Evaluation.objects.all(), evaluation_id, token):
            _Turn(evaluation, token, gives_way=gives_way).take()
    except _TakenAway:
        return
    except Failure as failure:
        Evaluation.objects.fail(evaluation_id, token, failure)
        send_next_of(evaluation.owner)
    except Exception:
        Evaluation.objects.renew(evaluation_id, token, hands=[])  # nobody died: the images are no suspects
        Evaluation.objects.stumble(evaluation_id, token)
        send_next_of(evaluation.owner)
        raise


class _TakenAway(Exception):
    """The row was cancelled or given to another worker."""


class _Turn:
    """One worker's turn at one evaluation."""

    def __init__(self, evaluation: Evaluation, token: uuid.UUID, *, gives_way: bool) -> None:
        self.evaluation, self.token, self.gives_way = evaluation, token, gives_way
        self.model = evaluation.model
        self.recipe = stored_predictions.recipe(self.model, evaluation.engine)
        self.batch_size = batch_size(self.model, LARGEST_BATCH)

    def take(self) -> None:
        self._note_suspects()
        if self.evaluation.begun_at is None:
            reused = stored_predictions.reuse(self.evaluation, self.recipe)
            self._renew(begun_at=timezone.now(), reused=self._answered(), computed=0, busy_seconds=0.0)
            logger.info("Evaluation %s: %s answers were known in other data sets.", self.evaluation.pk, reused)
        self._renew(done=self._answered() + self.evaluation.failed_images.count())
        self.loaded, _ = load_classifier(self.model)
        began = time.monotonic()
        with closing(_ahead(self._batches())) as batches:
            for images, pixels in batches:
                self._work(images, pixels)
                if self.gives_way and (is_over(self.evaluation, began) or person_waits(self.model.framework)):
                    self._give_way()
                    return
        self._hand_over()

    def _batches(self) -> Iterator[list[LabelledImage]]:
        """The images without an answer, in mini-batches; one that was in hand when a worker died comes alone."""
        cursor = 0
        suspects = set(self.evaluation.suspects)
        while window := list(self._pending().filter(pk__gt=cursor).order_by("pk")[:WINDOW]):
            cursor = window[-1].pk
            batch: list[LabelledImage] = []
            size = 0
            for image in window:
                if image.pk in suspects:
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
        failed = FailedImage.objects.filter(image=OuterRef("pk"), evaluation=self.evaluation)
        return self.evaluation.data_set.images.filter(~Exists(answered), ~Exists(failed))

    def _work(self, images: Sequence[LabelledImage], pixels: list[Pixels | Failure]) -> None:
        """Answer a mini-batch and commit it; an image that fails does not take its neighbours along."""
        self._renew(hands=[image.pk for image in images])
        began = time.perf_counter()
        answers = self._answers(images, pixels)
        spent = time.perf_counter() - began
        failures = [
            FailedImage(evaluation=self.evaluation, image=image, code=answer.code, message=answer.message)
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
        self.evaluation.done += len(images)
        self.evaluation.computed += len(rows)
        self.evaluation.busy_seconds += spent
        with transaction.atomic():
            Inference.objects.bulk_create(rows, ignore_conflicts=True)
            FailedImage.objects.bulk_create(failures, ignore_conflicts=True)
            self._renew(
                done=self.evaluation.done,
                computed=self.evaluation.computed,
                busy_seconds=self.evaluation.busy_seconds,
                hands=[],
                attempts=1,
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
        details = [stored_predictions.clinical_of(image) for image in images]
        return classifier.run(self.loaded, pixels, details, maps=False).probabilities

    def _note_suspects(self) -> None:
        """What was in hand when a worker died comes alone from now on; an image that was alone then fails."""
        hands, suspects = self.evaluation.hands, set(self.evaluation.suspects)
        if not hands:
            return
        if len(hands) == 1 and hands[0] in suspects:
            message = "The worker process died twice with this image in its hands."
            FailedImage.objects.get_or_create(
                evaluation=self.evaluation, image_id=hands[0], defaults={"code": "worker-died", "message": message}
            )
        self.evaluation.suspects = sorted(suspects | set(hands))
        self._renew(hands=[], suspects=self.evaluation.suspects)

    def _answered(self) -> int:
        return Inference.objects.filter(image__data_set=self.evaluation.data_set, recipe=self.recipe).count()

    def _give_way(self) -> None:
        with transaction.atomic():
            if Evaluation.objects.give_way(self.evaluation.pk, self.token, hands=[]):
                send_on_commit(self.evaluation, queue=self.evaluation.queue)

    def _hand_over(self) -> None:
        """Nothing is left: the scores are computed on the light queue."""
        with transaction.atomic():
            done = self._answered() + self.evaluation.failed_images.count()
            if Evaluation.objects.give_way(self.evaluation.pk, self.token, stage=Stage.SCORING, hands=[], done=done):
                self.evaluation.stage = Stage.SCORING
                send_on_commit(self.evaluation, queue=self.evaluation.queue)

    def _renew(self, **fields: Any) -> None:
        for name, value in fields.items():
            if name != "attempts":
                setattr(self.evaluation, name, value)
        if not Evaluation.objects.renew(self.evaluation.pk, self.token, **fields):
            raise _TakenAway


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
        return stored_predictions.pixels_of(image)
    except Failure as failure:
        return failure
