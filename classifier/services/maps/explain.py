"""Explanations by other methods than the one that comes with a prediction: asked for, queued, made by a worker."""

import logging
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from django.conf import settings
from django.db import transaction

from classifier.inference.classifier import Classifier
from classifier.inference.explain.explain import METHODS, OCCLUSION, ExplanationUnavailable, Maps, explain
from classifier.models import Explanation, ExplanationJob, ModelRecord, Prediction
from classifier.services.predictions.predict import (
    GRAD_CAM,
    clinical_of,
    is_loaded,
    load_classifier,
    map_fields,
    pixels_of,
    run_prediction,
)
from classifier.services.predictions.waiting import open_work
from skinsite.jobs import Failure, State
from skinsite.jobs.attempt import attempt
from skinsite.jobs.send import send_on_commit
from skinsite.refusal import Conflict, Problem, Refusal

logger = logging.getLogger(__name__)
PEOPLE_FIRST_SECONDS = 120.0
FINAL_REASONS = frozenset(("no-spatial-layer", "not-applicable", "map-empty", "map-not-finite"))
"""Another try would end in the same way."""
NO_ENGINE = "no-engine-for-maps"
"""The engine that answered is no longer offered: maps by another one would explain another answer."""

INSTEAD = f"Ask for {METHODS[OCCLUSION].label.lower()} instead: it needs no layer."


def known_method(name: str) -> str:
    """Return the name of a method; a plus that an address turned into a space is forgiven. Raises Refusal."""
    name = name.replace(" ", "+")
    if name not in METHODS:
        raise Refusal(Problem("method", f"The method {name[:40]!r} is not known. Known are: {', '.join(METHODS)}."))
    return name


def ask(*, prediction: Prediction, method: str, again: bool = False) -> Explanation | ExplanationJob:
    """Return the stored explanation, or the job that makes it: queued now if there was none.

    `again` queues a failed job once more. Raises Conflict for a prediction that is not done, Refusal for an unknown
    method, one that the model has no layer for, an answer of a retired engine, and above the limit of waiting work.
    """
    method = known_method(method)
    if prediction.state != State.DONE:
        raise Conflict(f"This prediction is {prediction.state}: it has maps once it is done.")
    stored = {row.method: row for row in prediction.explanations.filter(method__in=(method, GRAD_CAM)).defer("maps")}
    error = stored[GRAD_CAM].error if GRAD_CAM in stored else None
    final = (NO_ENGINE, "no-spatial-layer") if METHODS[method].needs_layer else (NO_ENGINE,)
    if method != GRAD_CAM and error and error["code"] in final:
        raise Refusal(Problem("method", no_map(error)))
    if method in stored:
        stored[method].prediction = prediction
        return stored[method]
    return _job(prediction, method, again=again)


def no_map(error: Mapping[str, str]) -> str:
    """The code of a stored explanation's error, its sentence, and where it helps what to ask for instead."""
    instead = "" if error["code"] == NO_ENGINE else f" {INSTEAD}"
    return f"{error['code']}: {error['message']}{instead}"


def asked(*, predictions: Iterable[Prediction], method: str) -> dict[int, ExplanationJob | Refusal]:
    """Ask for the maps of those that are done; return, by prediction, the jobs and reasons of maps that are missing."""
    missing: dict[int, ExplanationJob | Refusal] = {}
    for prediction in predictions:
        if prediction.state == State.DONE and method != GRAD_CAM:
            try:
                found = ask(prediction=prediction, method=method)
            except Refusal as refusal:
                missing[prediction.pk] = refusal
            else:
                if isinstance(found, ExplanationJob):
                    missing[prediction.pk] = found
    return missing


def _job(prediction: Prediction, method: str, *, again: bool) -> ExplanationJob:
    job: ExplanationJob | None = ExplanationJob.objects.filter(prediction=prediction, method=method).first()
    if job is not None and not (again and job.can_retry):
        return job
    owner, limit = prediction.image.case.owner, settings.QUEUED_PREDICTIONS_A_USER
    if open_work(owner) >= limit:
        raise Refusal(Problem("method", f"{limit} of your predictions and maps are waiting: that is the limit."))
    with transaction.atomic():
        if job is None:
            job, queued = ExplanationJob.objects.get_or_create(prediction=prediction, method=method)
        else:
            queued = job.reopen()
        if queued:
            send_on_commit(job)
    job.refresh_from_db()
    return job


def run_explanation(*, job_id: int) -> None:
    """queued -> done with the maps stored, or failed with a reason."""
    rows = ExplanationJob.objects.select_related("prediction__model", "prediction__image__case")
    job = rows.filter(pk=job_id, state=State.QUEUED).first()
    if job is None:
        return
    model = job.prediction.model

    def work(token: uuid.UUID) -> Callable[[], None]:
        loaded, _ = load_classifier(model)
        ExplanationJob.objects.filter(in_hand=False).renew(job_id, token, in_hand=True)
        return partial(_finish, job, token, loaded, _maps(loaded, job))

    attempt(job, work, in_hand=is_loaded(model))


def _maps(loaded: Classifier, job: ExplanationJob) -> Maps:
    image = job.prediction.image
    try:
        return explain(
            loaded, pixels_of(image), clinical_of(image.case), job.method, _people_first(job.prediction.model)
        )
    except ExplanationUnavailable as reason:
        layered = METHODS[job.method].needs_layer
        hint = INSTEAD if layered else "Nothing can be done about it here; the prediction stays."
        raise Failure(reason.code, str(reason), hint) from reason


def _people_first(model: ModelRecord) -> Callable[[], None]:
    """Return what a slow map does between its batches: answer the predictions that wait for the same worker.

    Their messages find the rows done. After two minutes the map goes on alone, so that it ends within its own limit.
    """
    until = time.monotonic() + PEOPLE_FIRST_SECONDS

    def answer_those_who_wait() -> None:
        rows = Prediction.objects.filter(state=State.QUEUED, model__framework=model.framework)
        while time.monotonic() < until and (
            pk := rows.order_by("queued_at", "pk").values_list("pk", flat=True).first()
        ):
            try:
                run_prediction(prediction_id=pk)
            except Exception:
                logger.exception("Prediction %s, taken between two batches of a map, failed.", pk)

    return answer_those_who_wait


def _finish(job: ExplanationJob, token: uuid.UUID, loaded: Classifier, maps: Maps) -> None:
    """Write the maps and the end of the job together, if the row is still ours."""
    fields = map_fields(job.prediction.image, loaded, maps)
    with transaction.atomic():
        if ExplanationJob.objects.finish(job.pk, token):
            Explanation.objects.update_or_create(prediction=job.prediction, method=job.method, defaults=fields)
