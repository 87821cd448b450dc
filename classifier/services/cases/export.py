"""Cases to take away: JSON with everything that a result depends on, CSV for spreadsheets."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from classifier.models import Case, CaseImage, Explanation, ModelRecord, Prediction
from classifier.provenance import Provenance
from classifier.services.predictions.documents import Document, case_document, moment
from skinsite.disclaimer import DISCLAIMER

CHUNK = 200
COLUMNS = (
    *("case", "title", "created", "age", "sex", "site", "reference", "note"),
    *("image", "image_sha256", "width", "height"),
    *("model", "version", "model_sha256", "state", "predicted", "predicted_name", "probability", "malignant"),
    *("probabilities", "engine", "error", "disclaimer"),
)


def with_everything(cases: QuerySet[Case]) -> QuerySet[Case]:
    """Fetch along what an export needs; maps stay where they are."""
    return cases.prefetch_related(
        Prefetch("images", CaseImage.objects.order_by("position")),
        Prefetch("images__predictions", Prediction.objects.order_by("pk")),
        Prefetch("images__predictions__model", ModelRecord.objects.defer("card", "report")),
        Prefetch("images__predictions__explanations", Explanation.objects.defer("maps")),
    )


def full_case_document(case: Case) -> Document:
    """The case as the API shows it, and the provenance of every prediction."""
    document = case_document(case)
    rows = {str(row.pk): row.provenance for image in case.images.all() for row in image.predictions.all()}
    provenances = {pk: Provenance.model_validate(row).to_json() if row else {} for pk, row in rows.items()}
    for image in document["images"]:
        for prediction in image["predictions"]:
            prediction["provenance"] = provenances[prediction["id"]]
    return {"disclaimer": DISCLAIMER, "exported": moment(timezone.now()), **document}


def documents(cases: QuerySet[Case]) -> Iterator[Document]:
    """Yield one document for each case, some hundred rows in memory at a time."""
    for case in with_everything(cases).iterator(chunk_size=CHUNK):
        yield full_case_document(case)


def table(cases: QuerySet[Case]) -> Iterator[Iterable[Any]]:
    """Yield a header, then one row for each prediction."""
    yield COLUMNS
    for case in with_everything(cases).iterator(chunk_size=CHUNK):
        for image in case.images.all():
            for prediction in image.predictions.all():
                yield _row(case, image, prediction)


def _row(case: Case, image: CaseImage, prediction: Prediction) -> list[Any]:
    model = prediction.model
    shares = "; ".join(f"{code} {value:.6f}" for code, value in (prediction.probabilities or {}).items())
    return [
        case.pk,
        case.title,
        moment(case.created),
        None if case.age is None else float(case.age),
        case.sex,
        case.site,
        case.reference,
        case.note,
        image.name,
        image.sha256,
        image.width,
        image.height,
        model.name,
        model.version,
        model.sha256,
        prediction.state,
        prediction.top_code,
        prediction.top_name,
        prediction.top_probability,
        prediction.malignant_probability,
        shares,
        prediction.engine,
        prediction.error_message,
        DISCLAIMER,
    ]
