"""The last step of an evaluation: numbers, curves and figures from the stored answers."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from evaluation.documents.evaluation_result import BinaryResult, Curves, EvaluationResult
from evaluation.documents.shapes import IsicSheet, Subgroup
from evaluation.documents.sheet import SCHEMA
from evaluation.metrics import binary, curves, isic, subgroups, taxonomy, textbook
from evaluation.metrics.resampling import REPLICATES, SEED
from evaluation.metrics.sample import Booleans, Floats, Sample
from evaluation.models import Evaluation, LabelledImage
from evaluation.services.data_sets.seen import Seen, seen_images
from evaluation.services.evaluations import stored_predictions
from evaluation.services.evaluations.charts import chart_data
from evaluation.services.files import delete_figures
from skinsite.disclaimer import DISCLAIMER
from skinsite.jobs.turns import Fields, TimeSlice, run_slice

logger = logging.getLogger(__name__)
UNITS = {"p": "patients", "l": "lesions", "i": "images"}
DEFINITIONS = {
    "malignant": "Malignant, actinic keratosis included",
    "malignant_strict": "Malignant, without actinic keratosis",
    "melanoma": "Melanoma against the rest",
}


@dataclass(frozen=True, eq=False)
class Answered:
    """The images with an answer, their probabilities (n, C), and where each truth goes in the model's classes."""

    codes: tuple[str, ...]
    images: list[LabelledImage]
    probabilities: Floats
    places: list[str | None]

    @property
    def placed(self) -> Booleans:
        return np.array([place is not None for place in self.places], bool)

    def rows(self, images: Sequence[LabelledImage]) -> Floats:
        """Return the probabilities (m, C) of m of these images, in the order given."""
        place = {image.pk: index for index, image in enumerate(self.images)}
        return self.probabilities[[place[image.pk] for image in images]]

    def sample(self, chosen: Booleans | None = None) -> Sample:
        """The images whose truth has a place, or those of them that are chosen (n,)."""
        kept = self.placed if chosen is None else self.placed & chosen
        index = {code: place for place, code in enumerate(self.codes)}
        truth = [index[place] for place, keep in zip(self.places, kept, strict=True) if keep and place]
        units = [image.unit for image, keep in zip(self.images, kept, strict=True) if keep]
        return Sample.of(self.codes, self.probabilities[kept], truth, units)


def answered(evaluation: Evaluation) -> Answered:
    """Read the images of an evaluation with their stored answers, in the order of the data set."""
    codes = tuple(entry["code"] for entry in evaluation.model.classes)
    found = stored_predictions.answers_of(evaluation)
    rows = evaluation.data_set.images.defer("changes", "attribution", "licence", "file_name").order_by("pk")
    images = [image for image in rows.iterator(chunk_size=2000) if image.pk in found]
    values = np.stack([found[image.pk] for image in images]) if images else np.zeros((0, len(codes)))
    malignancy = evaluation.data_set.malignancy
    known = {code: taxonomy.in_classes(code, codes, malignancy) for code in {image.label for image in images}}
    return Answered(codes, images, values, [known[image.label] for image in images])


def run_scoring(*, evaluation_id: int) -> None:
    run_slice(Scoring, evaluation_id, alone=True)


class Scoring(TimeSlice):
    """The last stage, on the light queue: everything that the page shows, from the stored answers."""

    kind = Evaluation
    job: Evaluation

    def run(self) -> Fields:
        found = answered(self.job)
        seen = seen_images(self.job.model, found.images)
        document = document_of(self.job, found, seen)
        stored = document.to_json() | {"figures": _figures(self.job, document)}
        return {"document": stored, "seen": seen.overlap.to_json()}

    def finish(self, fields: Fields) -> bool:
        """Of the figures, those go that no row names."""
        old = self.job.document.get("figures", {})
        won = super().finish(fields)
        delete_figures(old if won else fields["document"]["figures"])
        return won


def document_of(evaluation: Evaluation, found: Answered, seen: Seen) -> EvaluationResult:
    """Return the evaluation's numbers: sheets, curves, subgroups, operating points."""
    sample = found.sample()
    was_seen = np.array([image.pk in seen.images for image in found.images], bool)
    challenge, reason = _isic(found, sample)
    document = {
        "schema": SCHEMA,
        "seed": SEED,
        "replicates": REPLICATES,
        "unit": _unit(found.images),
        "names": _names(evaluation, found),
        "truths": dict(Counter(image.label for image in found.images)),
        "mapped": _mapped(found),
        "without_place": dict(Counter(_unplaced(found))),
        "textbook": textbook.sheet(sample),
        "isic": challenge,
        "isic_reason": reason,
        "curves": _curves(sample),
        "subgroups": _subgroups(evaluation, found, sample),
        "binary": _binary(evaluation, found),
    }
    if was_seen.any():
        document["unseen"] = textbook.sheet(found.sample(~was_seen))
        document["seen"] = textbook.sheet(found.sample(was_seen))
    return EvaluationResult.model_validate(document)


def scored(evaluation: Evaluation, found: Answered, name: str) -> tuple[binary.Scored, list[LabelledImage]] | None:
    """Return scores and truths of a binary definition, and the images; None where the model cannot give it."""
    classes = {entry["code"]: entry["malignant"] for entry in evaluation.model.classes}
    try:
        target = taxonomy.target(name, [list(classes)], evaluation.data_set.malignancy)
        places = taxonomy.mapping(name, str(evaluation.model), classes)
    except taxonomy.Unreachable:
        return None
    truths = [target.truth(image.label) for image in found.images]
    kept = np.array([truth is not None for truth in truths], bool)
    positive = np.array([truth == target.classes[1] for truth in truths], bool)[kept]
    scores = taxonomy.summed(found.probabilities[kept], found.codes, places, target.classes)[:, 1]
    images = [image for image, keep in zip(found.images, kept, strict=True) if keep]
    units = np.unique([image.unit for image in images], return_inverse=True)[1] if images else np.zeros(0, int)
    return binary.Scored(scores, positive, units.reshape(-1).astype(np.int64)), images


def _unit(images: Sequence[LabelledImage]) -> str:
    kinds = Counter(image.unit[0] for image in images)
    return UNITS[kinds.most_common(1)[0][0]] if kinds else "images"


def _names(evaluation: Evaluation, found: Answered) -> dict[str, str]:
    names = {code: evaluation.data_set.label_name(code) for code in {image.label for image in found.images}}
    return names | evaluation.model.class_names


def _mapped(found: Answered) -> dict[str, dict[str, int]]:
    """Count the truths that count as another class of the model: {code: {class: images}}."""
    counted: dict[str, dict[str, int]] = {}
    for image, place in zip(found.images, found.places, strict=True):
        if place is not None and place != image.label:
            row = counted.setdefault(image.label, {})
            row[place] = row.get(place, 0) + 1
    return counted


def _unplaced(found: Answered) -> list[str]:
    return [image.label for image, place in zip(found.images, found.places, strict=True) if place is None]


def _isic(found: Answered, sample: Sample) -> tuple[IsicSheet | None, str]:
    """The challenge's sheet, or why there is none."""
    if without := sorted(set(_unplaced(found))):
        return None, (
            f"The truths {', '.join(without)} have no place among the model's classes; the challenge's scoring needs "
            "the same classes on both sides."
        )
    if absent := [code for place, code in enumerate(sample.codes) if place not in sample.supported]:
        return None, (f"No image is {', '.join(absent)}; the challenge's scoring needs the same classes on both sides.")
    return isic.sheet(sample, isic.weights_of([image.name for image in found.images])), ""


def _curves(sample: Sample) -> Curves:
    supported = {code: k for k, code in enumerate(sample.codes) if k in sample.supported}
    return Curves(
        roc={code: curves.roc(sample, k) for code, k in supported.items()},
        precision_recall={code: curves.precision_recall(sample, k) for code, k in supported.items()},
        scores={code: curves.histogram(sample, k) for code, k in supported.items()},
        reliability=curves.reliability(sample),
    )


def _subgroups(evaluation: Evaluation, found: Answered, sample: Sample) -> list[Subgroup]:
    images = [image for image, place in zip(found.images, found.places, strict=True) if place is not None]
    attributes = {
        "sex": [image.sex for image in images],
        "age": [subgroups.age_band(image.age) for image in images],
        "site": [image.site for image in images],
        "confirmed by": [image.dx_type for image in images],
        "skin type": [subgroups.skin_band(image.skin_type) for image in images],
    }
    return subgroups.table(sample, attributes, _malignancy(evaluation, images, sample)) if images else []


def _malignancy(evaluation: Evaluation, images: Sequence[LabelledImage], sample: Sample) -> subgroups.Malignancy | None:
    """None where the model has no malignant class, or nothing in the set is known to be malignant."""
    known = evaluation.data_set.malignancy
    truth = np.array([bool(known.get(image.label)) for image in images], bool)
    said = np.isin(np.array(sample.codes)[sample.predicted], list(evaluation.model.malignant_codes))
    return subgroups.Malignancy(truth, said) if truth.any() and evaluation.model.malignant_codes else None


def _binary(evaluation: Evaluation, found: Answered) -> dict[str, BinaryResult]:
    documents = {}
    for name, title in DEFINITIONS.items():
        pair = scored(evaluation, found, name)
        if pair is None or not len(pair[1]):
            continue
        values, images = pair
        rows = binary.table(values)
        if not rows:
            continue
        documents[name] = BinaryResult(
            title=title,
            images=len(images),
            positives=int(values.positive.sum()),
            auc=binary.area(values),
            thresholds=rows,
            exploratory=[binary.exploratory(values, target) for target in binary.TARGETS],
            decision=binary.decision_curve(values),
            missed=_melanomas(values, images),
        )
    return documents


def _melanomas(values: binary.Scored, images: Sequence[LabelledImage]) -> list[tuple[int, float]]:
    """(pk, score) of up to 60 melanomas with the lowest scores: those that a threshold misses first."""
    rows = [
        (image.pk, float(score)) for image, score in zip(images, values.scores, strict=True) if image.label == "mel"
    ]
    return sorted(rows, key=lambda row: row[1])[:60]


def _figures(evaluation: Evaluation, document: EvaluationResult) -> dict[str, dict[str, str]]:
    """Draw the journal figures and store them; a figure that cannot be drawn does not cost the numbers."""
    from evaluation import figures

    sheet, unit = document.textbook, document.unit
    note = f"{DISCLAIMER} {sheet.images:,} images of {sheet.lesions:,} {unit}; 95 % intervals by {unit}."
    if evaluation.data_set.synthetic:
        note = f"Synthetic pictures: for trying the pages, not the models. {note}"
    stored: dict[str, dict[str, str]] = {}
    for kind, data in chart_data(document).items():
        try:
            files = figures.draw(kind, data, names=document.names, note=note, columns=2 if kind == "scores" else 1)
        except Exception:
            logger.exception("The figure %s of evaluation %s could not be drawn.", kind, evaluation.pk)
            continue
        stored[kind] = {
            form: default_storage.save(f"evaluations/{evaluation.pk}/{kind}.{form}", ContentFile(content))
            for form, content in files.items()
        }
    return stored
