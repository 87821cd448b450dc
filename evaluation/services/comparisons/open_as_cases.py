"""Images of a comparison opened as cases of one's own: each model's distribution and heat maps, side by side."""

from collections.abc import Sequence
from typing import Any

from classifier.models import Prediction
from classifier.models.model_record import ModelState
from classifier.services.cases.create import CaseDetails, Upload, create_case
from evaluation.models import Comparison, LabelledImage, OpenedImage
from evaluation.services.comparisons.start import in_order
from skinsite.diagnoses import DIAGNOSES
from skinsite.jobs import State
from skinsite.refusal import Problem, Refusal

AT_ONCE = 12


def open_images(*, user: Any, comparison: Comparison, images: Sequence[LabelledImage]) -> int:
    """Make a case of each image that the user has not opened yet; return their number.

    The models get the details that the evaluation gave them, so that they answer the same. Raises Refusal where no
    model is ready any more or a limit is passed.
    """
    models = [row.model for row in in_order(comparison) if row.model.state == ModelState.READY]
    if not models:
        raise Refusal(Problem("models", "None of the compared models is ready any more: nobody can draw their maps."))
    known = set(OpenedImage.objects.filter(comparison=comparison, case__owner=user).values_list("image", flat=True))
    fresh = [image for image in images if image.pk not in known][:AT_ONCE]
    for image in fresh:
        with image.pixels.open("rb") as file:
            upload = Upload(f"{image.name}.png", file)
            case = create_case(owner=user, uploads=[upload], models=models, details=_details(image))
        OpenedImage.objects.create(comparison=comparison, image=image, case=case)
    return len(fresh)


def opened(*, user: Any, comparison: Comparison) -> dict[int, dict[int, Prediction]]:
    """Return {image pk: {model pk: prediction}} of what the user has opened."""
    rows = OpenedImage.objects.filter(comparison=comparison, case__owner=user).values_list("image", "case")
    image_of = {case: image for image, case in rows}
    found: dict[int, dict[int, Prediction]] = {image: {} for image in image_of.values()}
    for prediction in Prediction.objects.filter(image__case__in=image_of).select_related("image"):
        found[image_of[prediction.image.case_id]][prediction.model_id] = prediction
    return found


def any_open(found: dict[int, dict[int, Prediction]]) -> bool:
    """Whether maps are still being drawn."""
    return any(row.state in (State.QUEUED, State.RUNNING) for rows in found.values() for row in rows.values())


def _details(image: LabelledImage) -> CaseDetails:
    return CaseDetails(
        title=f"{image.name} of {image.data_set}"[:200],
        age=image.age,
        sex=image.sex,
        site=image.site,
        reference=image.label if image.label in DIAGNOSES else "",
    )
