"""The numbers of a comparison: models on the same images, in one taxonomy, with paired statistics."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from evaluation.documents import comparison_result as stored
from evaluation.documents.sheet import SCHEMA, Sheet
from evaluation.metrics import paired, taxonomy, textbook
from evaluation.metrics.resampling import REPLICATES, SEED
from evaluation.metrics.sample import Sample
from evaluation.models import Comparison, Evaluation, LabelledImage
from evaluation.services.comparisons.same_sensitivity import at_the_same_sensitivity
from evaluation.services.comparisons.start import in_order, places
from evaluation.services.data_sets.seen import seen_images
from evaluation.services.evaluations.score import Answered, answered
from skinsite.diagnoses import SQUAMOUS
from skinsite.jobs import Failure
from skinsite.jobs.turns import Fields, TimeSlice, run_slice
from skinsite.refusal import Refusal

DISAGREEMENTS = 60


def run_comparison(*, comparison_id: int) -> None:
    run_slice(Comparing, comparison_id, alone=True)


class Comparing(TimeSlice):
    """The whole comparison at once, which takes some seconds."""

    kind = Comparison
    job: Comparison
    in_hand = True

    def run(self) -> Fields:
        self.begin()
        try:
            return {"document": document_of(in_order(self.job), self.job.taxonomy).to_json()}
        except Refusal as refusal:
            raise Failure("taxonomy", str(refusal), "Choose another taxonomy.") from refusal


def document_of(evaluations: Sequence[Evaluation], name: str) -> stored.ComparisonResult:
    """Return the comparison. Raises Failure where no image is left to compare."""
    target = taxonomy.target(
        name,
        [[entry["code"] for entry in row.model.classes] for row in evaluations],
        evaluations[0].data_set.malignancy,
    )
    mappings = places(evaluations, name)
    sets = [answered(evaluation) for evaluation in evaluations]
    shared, excluded = _shared(evaluations, sets, target)
    if not shared:
        reasons = "; ".join(f"{row.images} {row.reason}" for row in excluded)
        raise Failure("no-images", f"No image is left to compare: {reasons}.", "Choose another data set or taxonomy.")
    models = [
        paired.Model(str(evaluation.pk), _sample(found, shared, to, target))
        for evaluation, found, to in zip(evaluations, sets, mappings, strict=True)
    ]
    rows = paired.pairs(models)
    primary = [row for row in rows if row["metric"] == paired.PRIMARY]
    document = {
        "schema": SCHEMA,
        "seed": SEED,
        "replicates": REPLICATES,
        "permutations": paired.PERMUTATIONS,
        "primary": paired.PRIMARY,
        "classes": list(target.classes),
        "images": len(shared),
        "lesions": models[0].sample.lesion_count,
        "excluded": excluded,
        "models": [
            stored.ComparedModel(
                evaluation=model.key,
                name=evaluation.answered_by,
                mapping=to,
                sheet=_sheet(model.sample),
                sum_changed=_sum_changed(found, shared, to, model.sample),
            )
            for model, evaluation, found, to in zip(models, evaluations, sets, mappings, strict=True)
        ],
        "pairs": rows,
        "groups": paired.groups([model.key for model in models], rows),
        "smallest_difference": max(row["smallest_difference"] for row in primary),
        "same_sensitivity": at_the_same_sensitivity(evaluations, sets, shared),
        "wins": _wins(models),
        "disagreements": _disagreements(models, shared),
        "elsewhere": _elsewhere(evaluations, sets, mappings, target),
    }
    if name == "ham7" and (line := _without_squamous(evaluations, sets, shared, mappings, target)):
        document["without_squamous"] = line
    return stored.ComparisonResult.model_validate(document)


def _sheet(sample: Sample) -> Sheet:
    return Sheet.model_validate(textbook.sheet(sample))


def _shared(
    evaluations: Sequence[Evaluation], sets: Sequence[Answered], target: taxonomy.Target
) -> tuple[list[LabelledImage], list[stored.Excluded]]:
    """Return the images that all models answered, none has seen, and that have a place; and counts of the others."""
    common = set.intersection(*({image.pk for image in found.images} for found in sets))
    reasons: Counter[str] = Counter()
    seen = {
        pk: f"seen in training by {evaluation.model}"
        for evaluation, found in zip(evaluations, sets, strict=True)
        for pk in seen_images(evaluation.model, found.images).images
    }
    everything = {image.pk: image for found in sets for image in found.images}
    kept = []
    for pk in sorted(everything):
        image = everything[pk]
        if pk not in common:
            reasons["without an answer by every model"] += 1
        elif target.truth(image.label) is None:
            reasons[f"with the truth {image.label}, which has no place in {target.name}"] += 1
        elif pk in seen:
            reasons[seen[pk]] += 1
        else:
            kept.append(image)
    return kept, [stored.Excluded(reason=reason, images=count) for reason, count in reasons.items()]


def _sample(
    found: Answered, shared: Sequence[LabelledImage], places: dict[str, str], target: taxonomy.Target
) -> Sample:
    values = taxonomy.summed(found.rows(shared), found.codes, places, target.classes)
    truth = [target.classes.index(str(target.truth(image.label))) for image in shared]
    return Sample.of(target.classes, values, truth, [image.unit for image in shared])


def _sum_changed(found: Answered, shared: Sequence[LabelledImage], places: dict[str, str], sample: Sample) -> int:
    """Count the images whose class differs when the arg max is mapped instead of the summed probabilities."""
    best = found.rows(shared).argmax(1)
    mapped = [places.get(found.codes[index]) for index in best]
    return sum(sample.codes[said] != other for said, other in zip(sample.predicted, mapped, strict=True))


def _wins(models: Sequence[paired.Model]) -> list[stored.Wins]:
    return [
        stored.Wins(a=one.key, b=other.key, classes=paired.wins(one.sample, other.sample))
        for place, one in enumerate(models)
        for other in models[place + 1 :]
    ]


def _disagreements(models: Sequence[paired.Model], shared: Sequence[LabelledImage]) -> list[stored.Disagreement]:
    """The images on which the models' classes differ, largest distance of two distributions first."""
    said = np.stack([model.sample.predicted for model in models])
    values = np.stack([model.sample.probabilities for model in models])
    differ = (said != said[0]).any(0)
    distance = np.where(differ, (values.max(0) - values.min(0)).sum(1), -1.0)
    order = np.argsort(-distance, kind="stable")[: min(DISAGREEMENTS, int(differ.sum()))]
    codes, truth = models[0].sample.codes, models[0].sample.truth
    return [
        stored.Disagreement(
            image=shared[index].pk,
            truth=codes[truth[index]],
            answers={
                model.key: stored.Said(
                    predicted=codes[model.sample.predicted[index]],
                    probabilities=[round(float(value), 4) for value in model.sample.probabilities[index]],
                )
                for model in models
            },
        )
        for index in order
    ]


def _elsewhere(
    evaluations: Sequence[Evaluation],
    sets: Sequence[Answered],
    mappings: Sequence[dict[str, str]],
    target: taxonomy.Target,
) -> list[stored.Elsewhere]:
    """Where each model put the images whose truth has no place in the taxonomy."""
    rows = []
    for evaluation, found, to in zip(evaluations, sets, mappings, strict=True):
        homeless = np.array([target.truth(image.label) is None for image in found.images], bool)
        if not homeless.any():
            continue
        values = taxonomy.summed(found.probabilities[homeless], found.codes, to, target.classes)
        put = Counter(target.classes[index] for index in values.argmax(1))
        rows.append(stored.Elsewhere(evaluation=str(evaluation.pk), images=int(homeless.sum()), put=put))
    return rows


def _without_squamous(
    evaluations: Sequence[Evaluation],
    sets: Sequence[Answered],
    shared: Sequence[LabelledImage],
    mappings: Sequence[dict[str, str]],
    target: taxonomy.Target,
) -> stored.WithoutSquamous | None:
    """A second line without scc: HAM10000's are in situ and belong to akiec, of others nobody knows."""
    rest = [image for image in shared if image.label not in SQUAMOUS]
    if len(rest) == len(shared) or not rest:
        return None
    models = [
        stored.BalancedAccuracy(
            evaluation=str(evaluation.pk),
            balanced_accuracy=_sheet(_sample(found, rest, to, target)).number("balanced_accuracy"),
        )
        for evaluation, found, to in zip(evaluations, sets, mappings, strict=True)
    ]
    return stored.WithoutSquamous(
        images=len(rest),
        notice="Truths of squamous cell carcinoma count as akiec here, which holds in-situ lesions only; "
        "this line leaves them out.",
        models=models,
    )
