"""What a map check says here, in words."""

from django.utils.text import get_text_list

from evaluation.documents.map_check import Changes, MapResult, Randomised
from evaluation.metrics.maps.rules import CREDIBLE_BELOW, FEWEST_IMAGES, SEEDS, Against
from evaluation.metrics.number import Number

NOTICE = "The map does not find the lesion better than a centred blob."
ONLY_AT_ADMISSION = (
    "At admission only drawn pictures are used: whether the answer hangs on what the map marks, and whether the map is "
    "stable, is measured on a data set."
)
BETTER, WORSE, NOT_SHOWN = "better", "worse", "not shown"


def sentences(document: MapResult) -> list[str]:
    """Return a few plain sentences; the notice, if any, comes first."""
    forgotten = document.randomised
    found = [*where_the_heat_lies(document), randomisation(forgotten), *_alike(forgotten.other_pictures)]
    found += [ONLY_AT_ADMISSION] if document.at_admission else _changes(document.changes)
    if document.constant:
        found.append(f"{document.constant} of {document.images} maps are constant: they say nothing.")
    if document.not_finite:
        found.append(f"{document.not_finite} of {document.images} maps hold what is no number: they are left out.")
    if seen := document.seen.images:
        found.append(f"{seen} of the {document.images} images were in the model's training, as far as is declared.")
    return found


def finds_the_lesion(document: MapResult) -> bool | None:
    """Whether the map beats a blob in the middle; None where there are too few masks."""
    return document.inside.ratio.better.gaussian if document.inside else None


def verdict(name: str, found: Against) -> str:
    """Say on which side of 0 the whole interval of map − Gaussian lies."""
    if found.better.gaussian:
        return BETTER
    low, high = found.minus_gaussian.low, found.minus_gaussian.high
    beyond = low is not None and high is not None and (low > 0 if name == "deletion" else high < 0)
    return WORSE if beyond else NOT_SHOWN


def where_the_heat_lies(document: MapResult) -> list[str]:
    """One sentence where that is not measured; else figures, and before them the notice, if any."""
    inside = document.inside
    if inside is None:
        return [f"{_too_few(document)}: where the heat lies is not measured; that needs {FEWEST_IMAGES}."]
    ratio, pointing = inside.ratio, inside.pointing
    text = (
        f"{_percent(inside.share['map'])} of the heat lies inside the lesion, whose area is "
        f"{_percent(inside.area)} of what the map covers. On average that is {_times(ratio.map)} the share of "
        f"chance; a blob in the middle, spread as wide, reaches {_times(ratio.gaussian)}."
    )
    peak = (
        f"The strongest point lies inside the lesion in {_percent(pointing.map)} of the images, "
        f"the middle of the picture in {_percent(pointing.gaussian)}."
    )
    return [*([] if ratio.better.gaussian else [NOTICE]), text, peak]


def _too_few(document: MapResult) -> str:
    """Which pictures, and how many masks of theirs can be used."""
    count = document.with_masks
    usable = f"{document.masks_used} have a mask that can be used with this model's maps"
    if document.at_admission:
        return f"Of the {document.images} drawn pictures {usable}"
    if count >= FEWEST_IMAGES:
        return f"Of the {document.images} images taken from those with a mask {usable}"
    return f"In this data set {f'only {count} images have a mask' if count else 'no image has a mask'}"


def randomisation(found: Randomised) -> str:
    """Say whether the map is another one when the network knows nothing."""
    last = found.shares[-1]
    if last.likeness.value is None:
        return "With all weights randomised no map can be compared: each is constant or holds what is no number."
    if found.passes is None:
        return (
            "Whether the map depends on what the network has learned is not known: with all weights randomised, maps "
            f"of {last.images} images and {last.seeds} seeds can be compared, the others are constant or hold "
            f"what is no number; that needs {FEWEST_IMAGES} images and {SEEDS} seeds."
        )
    how = f"mean |Spearman| {last.likeness.value:.2f}, upper bound {last.likeness.high:.2f}"
    if found.passes:
        return f"The map depends on what the network has learned: with all weights randomised it changes ({how})."
    return (
        f"The map is partly the same when the network knows nothing ({how}; below {CREDIBLE_BELOW} would pass): part "
        "of it comes from the picture and the architecture alone."
    )


def _alike(other_pictures: Number) -> list[str]:
    """Maps that look alike whatever the picture shows."""
    if other_pictures.low is None or other_pictures.low <= CREDIBLE_BELOW:
        return []
    return [
        f"The maps of different images are alike (mean |Spearman| {other_pictures.value:.2f}): part of a map is not of "
        "its picture."
    ]


def _changes(found: Changes | None) -> list[str]:
    if found is None:
        return ["No map can be used: taking the picture away in its order was not tried."]
    by: dict[str, list[str]] = {BETTER: [], WORSE: [], NOT_SHOWN: []}
    for game, title in {"deletion": "deletion", "insertion": "insertion", "road": "ROAD"}.items():
        by[verdict(game, getattr(found, game))].append(title)
    better, worse, alike = (get_text_list(by[side], "and") for side in (BETTER, WORSE, NOT_SHOWN))
    said = []
    if better:
        said.append(f"What the map marks matters more to the answer than the middle of the picture, by {better}.")
    if worse:
        said.append(f"The middle of the picture matters more to the answer than what the map marks, by {worse}.")
    if alike:
        said.append(f"By {alike}, what the map marks and the middle are not shown to differ.")
    if found.stability:
        text = f"After small turns, flips and noise the map is alike to {found.stability.value:.2f}"
        known = {name: row.value for name, row in found.stability_by_change.items() if row.value is not None}
        least = min(known, key=lambda name: known[name])
        said.append(f"{text} (mean Spearman; 1 is the same), least when {least}: {known[least]:.2f}.")
    return said


def _percent(number: Number) -> str:
    return f"{number.value:.0%}".replace("%", " %")


def _times(number: Number) -> str:
    return f"{number.value:.2f} times"
