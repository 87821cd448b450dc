"""What a map check says here, in words."""

from typing import Any

from evaluation.metrics.map_sameness import CREDIBLE_BELOW

NOTICE = "The map does not find the lesion better than a centred blob."
Document = dict[str, Any]


def sentences(document: Document) -> list[str]:
    """Return a few plain sentences; the notice, if any, comes first."""
    found = [*_inside(document), *_randomised(document["randomised"]), *_changes(document["changes"])]
    if constant := document["constant"]:
        found.append(f"{constant} of {document['images']} maps are constant: they say nothing.")
    if seen := document["seen"]["images"]:
        found.append(f"{seen} of the {document['images']} images were in the model's training, as far as is declared.")
    return found


def finds_the_lesion(document: Document) -> bool | None:
    """Whether the map beats a blob in the middle; None where there are too few masks."""
    return document["inside"]["ratio"]["better"]["gaussian"] if document["inside"] else None


def _inside(document: Document) -> list[str]:
    inside = document["inside"]
    if inside is None:
        count = document["with_masks"]
        have = f"only {count} images have a mask" if count else "no image has a mask"
        return [f"In this data set {have}: where the heat lies is not measured; that needs 50 that can be used."]
    ratio, pointing = inside["ratio"], inside["pointing"]
    text = (
        f"{_percent(inside['share']['map'])} of the heat lies inside the lesion, whose area is "
        f"{_percent(inside['area'])} of what the map covers. On average that is {_times(ratio['map'])} the share of "
        f"chance; a blob in the middle, spread as wide, reaches {_times(ratio['gaussian'])}."
    )
    peak = (
        f"The strongest point lies inside the lesion in {_percent(pointing['map'])} of the images, "
        f"the middle of the picture in {_percent(pointing['gaussian'])}."
    )
    return [*([] if ratio["better"]["gaussian"] else [NOTICE]), text, peak]


def _randomised(found: Document) -> list[str]:
    last, passes = found["shares"][-1], found["passes"]
    if passes is None:
        return ["With all weights randomised every map is constant: nothing is left to compare."]
    value, high = last["likeness"]["value"], last["likeness"]["high"]
    how = f"mean |Spearman| {value:.2f}, upper bound {high:.2f}"
    if passes:
        return [
            f"The map depends on what the network has learned: with all weights randomised it is another one ({how})."
        ]
    return [
        f"The map is partly the same when the network knows nothing ({how}; below {CREDIBLE_BELOW} would pass): part "
        "of it comes from the picture and the architecture alone."
    ]


def _changes(found: Document | None) -> list[str]:
    if found is None:
        return ["Every map is constant: taking the picture away in its order was not tried."]
    titles = {"deletion": "deletion", "insertion": "insertion", "road": "ROAD"}
    wins = [title for game, title in titles.items() if found[game]["better"]["gaussian"]]
    losses = [title for game, title in titles.items() if not found[game]["better"]["gaussian"]]
    said = []
    if wins:
        said.append(f"What the map marks matters more to the answer than the middle of the picture, by {_and(wins)}.")
    if losses:
        said.append(f"By {_and(losses)} it is not shown that what the map marks matters more than the middle does.")
    if found["stability"]:
        likeness = f"{found['stability']['value']:.2f}"
        said.append(f"Small turns, flips and noise leave the map alike to {likeness} (Spearman; 1 is the same).")
    return said


def _percent(number: Document) -> str:
    return f"{100 * number['value']:.0f} %"


def _times(number: Document) -> str:
    return f"{number['value']:.2f} times"


def _and(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
