"""Predictions: what a worker does with one row, and what a person may ask of it."""

import logging
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from PIL import Image

from classifier.inference import bundle, classifier, devices, engines
from classifier.inference.cache import ClassifierCache
from classifier.inference.explain import explain
from classifier.inference.input import preprocess
from classifier.inference.input.clinical import Clinical
from classifier.models import Case, CaseImage, Explanation, ModelRecord, Prediction
from classifier.provenance import Provenance, UsedImage, UsedModel
from classifier.services.predictions import software
from skinsite.jobs import Failure, State
from skinsite.jobs.attempt import attempt

GRAD_CAM = "grad-cam"
logger = logging.getLogger(__name__)
NO_SPATIAL_LAYER = {
    "code": "no-spatial-layer",
    "message": "This model has no layer that keeps the picture's geometry, so there is nothing to map.",
}
MAP_FAILED = {
    "code": "map-failed",
    "message": "The map could not be made; an administrator finds the reason in the log. The answer itself stands.",
}
_loaded = ClassifierCache(settings.CLASSIFIER_CACHE_BYTES)


def run_prediction(*, prediction_id: int) -> None:
    """queued -> done, or failed with a reason; cancelled and finished rows are left alone."""
    prediction = (
        Prediction.objects.filter(pk=prediction_id).select_related("model", "image__case").defer("provenance").first()
    )
    if prediction is None or prediction.state != State.QUEUED:
        return
    model = prediction.model

    def work(token: uuid.UUID) -> Callable[[], None]:
        loaded, load_ms = load_classifier(model)
        Prediction.objects.filter(in_hand=False).renew(prediction_id, token, in_hand=True)
        return partial(_finish, prediction, token, loaded, _answer(loaded, prediction), load_ms)

    attempt(prediction, work, in_hand=is_loaded(model))


def load_classifier(model: ModelRecord) -> tuple[classifier.Classifier, float]:
    """Return the model's classifier and the milliseconds that loading took, 0 when it was loaded already.

    Raises Failure where this machine cannot compute with the model's engine, and where the bundle is damaged.
    """
    try:
        devices.use(settings.SKINSITE_DEVICE)
        return _loaded.get((model.bundle, model.engine), lambda: classifier.load(_read(model), model.engine))
    except engines.EngineError as error:
        message = f"{model} cannot be computed by {model.engine} here: {error}."
        raise Failure("engine-missing", message, error.hint) from error
    except bundle.BundleError as error:
        raise Failure(
            "bundle-damaged",
            f"The stored files of {model} cannot be used: {error}",
            "An administrator must register the model again.",
        ) from error


def _read(model: ModelRecord) -> bundle.Bundle:
    """Raises BundleError where the folder is damaged, or holds other weights than those that were admitted."""
    found = bundle.read(model.bundle_path, native=model.engine == engines.NATIVE)
    if found.sha256 != model.sha256:
        raise bundle.BundleError("its weights are not those of the model's record")
    return found


def rehearse(model: ModelRecord) -> None:
    """Load a model and answer for a grey picture, so that the first person does not wait for the compiler."""
    loaded, _ = load_classifier(model)
    grey = np.full((450, 600, 3), 128, np.uint8)
    classifier.run(loaded, [grey], [Clinical(age=None, sex=None, site=None)], maps=True)


def cancel_case(*, case: Case) -> int:
    return Prediction.objects.filter(image__case=case).cancel()


def clinical_of(case: Case) -> Clinical:
    return Clinical(age=None if case.age is None else float(case.age), sex=case.sex or None, site=case.site or None)


def is_loaded(model: ModelRecord) -> bool:
    return _loaded.has((model.bundle, model.engine))


def _answer(loaded: classifier.Classifier, prediction: Prediction) -> classifier.Answer:
    """Return the answer with its maps, and without them where only these fail."""
    pictures, details = [pixels_of(prediction.image)], [clinical_of(prediction.image.case)]
    try:
        return classifier.run(loaded, pictures, details, maps=True)
    except Exception:
        answer = classifier.run(loaded, pictures, details, maps=False)
        logger.exception("Prediction %s has no map.", prediction.pk)
        return answer


def pixels_of(image: CaseImage) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the stored picture, uint8 (height, width, 3)."""
    try:
        with image.pixels.open("rb") as file, Image.open(file) as picture:
            return np.asarray(picture)
    except FileNotFoundError as error:
        raise Failure(
            "image-missing", f"The stored picture of {image.name} is gone.", "Submit the image again."
        ) from error


def _finish(
    prediction: Prediction, token: uuid.UUID, loaded: classifier.Classifier, answer: classifier.Answer, load_ms: float
) -> None:
    """Write result and maps together, if the row is still ours."""
    codes = [entry["code"] for entry in prediction.model.classes]
    probabilities = dict(zip(codes, answer.probabilities[0].tolist(), strict=True))
    scores = None if answer.scores is None else dict(zip(codes, answer.scores[0].tolist(), strict=True))
    top = max(codes, key=lambda code: probabilities[code])
    with transaction.atomic():
        won = Prediction.objects.finish(
            prediction.pk,
            token,
            probabilities=probabilities,
            scores=scores,
            top_code=top,
            top_probability=probabilities[top],
            load_ms=load_ms,
            engine=loaded.engine,
            predict_ms=answer.predict_ms,
            explain_ms=answer.explain_ms,
            provenance=_provenance(prediction, loaded).to_json(),
        )
        if won:
            Explanation.objects.update_or_create(
                prediction=prediction, method=GRAD_CAM, defaults=_explanation(prediction, loaded, answer)
            )


def _explanation(prediction: Prediction, loaded: classifier.Classifier, answer: classifier.Answer) -> dict[str, object]:
    """The fields of the stored Grad-CAM, or the reason why there is none: the prediction stays either way."""
    if answer.maps is None:
        return {"error": NO_SPATIAL_LAYER if loaded.layer is None else MAP_FAILED}
    try:
        explain.check(answer.maps[0])
    except explain.ExplanationUnavailable as reason:
        return {"error": {"code": reason.code, "message": str(reason)}}
    return map_fields(prediction.image, loaded, explain.Maps(answer.maps[0], loaded.layer or ""))


def map_fields(image: CaseImage, loaded: classifier.Classifier, maps: explain.Maps) -> dict[str, object]:
    """The fields of an `Explanation` with maps."""
    return {
        "layer": maps.layer,
        "rows": maps.values.shape[1],
        "columns": maps.values.shape[2],
        "region": list(preprocess.region(loaded.manifest.input, image.height, image.width)),
        "maps": maps.values.astype("<f4").tobytes(),
    }


def _provenance(prediction: Prediction, loaded: classifier.Classifier) -> Provenance:
    model, image = prediction.model, prediction.image
    return Provenance(
        model=UsedModel.model_validate(model),
        image=UsedImage.model_validate(image),
        clinical=clinical_of(image.case) if model.uses_clinical else None,
        preprocessing=preprocess.PREPROCESSING_VERSION,
        engine=loaded.engine,
        device=loaded.device,
        software=software.versions(),
        finished=timezone.now().isoformat(),
    )
