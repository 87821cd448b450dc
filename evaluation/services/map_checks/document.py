"""Which pictures a map check uses, and what it found: page, API and model card read this and nothing else."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluation.documents.map_check import Changes, Inside, MapResult, Randomised, RandomisedShare
from evaluation.documents.training_overlap import TrainingOverlap
from evaluation.metrics.maps.credibility import KINDS, against_baselines, means
from evaluation.metrics.maps.rules import CREDIBLE_BELOW, FEWEST_IMAGES, SEEDS
from evaluation.metrics.maps.similarity import is_constant, is_finite, mean_likeness, spearman
from evaluation.metrics.number import Number
from evaluation.metrics.sample import Floats, Integers
from evaluation.models import LabelledImage, MapCheck
from evaluation.services.data_sets.seen import seen_images
from evaluation.services.map_checks.drawn_images import gallery
from evaluation.services.map_checks.sentences import sentences

MAP, CHANGES = "map", "changes"
MOST_LOCATED, MOST_CHANGED, MOST_RANDOMISED = 200, 60, 60
SIGNS = {"deletion": -1, "insertion": 1, "road": 1}
"""-1 where a smaller figure is better."""
DRAWN = TrainingOverlap(images=0, how="the pictures are drawn by a program", by={}, notices=[])
Kept = Mapping[str, Mapping[int, Any]]
"""{part: {image: values}}."""


@dataclass(frozen=True)
class Drawn:
    """`mapped` are all pictures of a check, of which other parts use the first; `masked` those whose mask is used."""

    mapped: Sequence[LabelledImage]
    masked: frozenset[int]
    with_masks: int
    changed: Sequence[LabelledImage]
    """Those that are changed to see what the answer does: none at admission."""

    @property
    def randomised(self) -> Sequence[LabelledImage]:
        return self.mapped[:MOST_RANDOMISED]


def randomised(share: float, seed: int) -> str:
    """Name the part of a network whose last `share` of layers is randomised."""
    return f"randomised {share:g} {seed}"


def drawn_of(check: MapCheck, *, between: Callable[[], None] = lambda: None) -> Drawn:
    """Draw by lesion: a second picture of a lesion comes only when every other lesion has had its first.

    With at least 50 masks only pictures with a mask are drawn; with fewer there is nothing to say about masks. At
    admission it is the gallery's pictures, which have to be painted first: `between` is called after each.
    """
    if check.data_set is None:
        shown = gallery.pictures(between)
        return Drawn(shown, frozenset(image.pk for image in shown), len(shown), changed=())
    everything = list(check.data_set.images.only("data_set", "name", "lesion", "patient", "mask").order_by("pk"))
    masked = [image for image in everything if image.mask]
    enough = len(masked) >= FEWEST_IMAGES
    ordered = in_order(masked if enough else everything, seed=check.seed)
    chosen = [image.pk for image in ordered[: MOST_LOCATED if enough else max(MOST_CHANGED, MOST_RANDOMISED)]]
    whole = check.data_set.images.in_bulk(chosen)
    mapped = [whole[pk] for pk in chosen]
    return Drawn(mapped, frozenset(image.pk for image in mapped if enough), len(masked), mapped[:MOST_CHANGED])


def in_order(images: Sequence[LabelledImage], *, seed: int) -> list[LabelledImage]:
    """Return the images in random order, ranked by how many pictures of their lesion came before."""
    taken: dict[str, int] = {}
    ranked = []
    for turn, place in enumerate(np.random.default_rng(seed).permutation(len(images)).tolist()):
        before = taken.get(images[place].unit, 0)
        taken[images[place].unit] = before + 1
        ranked.append((before, turn, place))
    return [images[place] for _before, _turn, place in sorted(ranked)]


def document_of(check: MapCheck, drawn: Drawn, kept: Kept, layer: str) -> MapResult:
    maps = kept[MAP]
    grids = [_grid(values) for values in maps.values()]
    found = MapResult(
        method="grad-cam",
        layer=layer,
        seed=check.seed,
        images=len(drawn.mapped),
        lesions=_lesion_count(drawn.mapped),
        constant=sum(map(is_constant, grids)),
        not_finite=sum(not is_finite(grid) for grid in grids),
        with_masks=drawn.with_masks,
        masks_used=sum(bool(values.get("located")) for values in maps.values()),
        at_admission=check.at_admission,
        seen=DRAWN if check.at_admission else seen_images(check.model, drawn.mapped).overlap,
        inside=_inside(drawn, maps),
        changes=_changes(drawn, kept[CHANGES]),
        randomised=_randomised(drawn, kept),
        sentences=[],
    )
    return found.model_copy(update={"sentences": sentences(found)})


def _grid(values: Mapping[str, Any]) -> Floats:
    return np.array(values["grid"], np.float64)


def _inside(drawn: Drawn, maps: Mapping[int, Any]) -> Inside | None:
    """Where the heat lies; None with fewer than 50 masks that can be used."""
    used = [image for image in drawn.mapped if maps[image.pk].get("located")]
    if len(used) < FEWEST_IMAGES:
        return None
    rows, lesions = [maps[image.pk]["located"] for image in used], _lesions(used)
    area = np.array([row["area"] for row in rows])
    share = {kind: np.array([row["share"][kind] for row in rows]) for kind in KINDS}
    return Inside(
        images=len(used),
        lesions=_lesion_count(used),
        left_out=sum("located" in maps[image.pk] and not maps[image.pk]["located"] for image in drawn.mapped),
        area=means({"area": area}, lesions)["area"],
        share=means(share, lesions),
        ratio=against_baselines({kind: values / area for kind, values in share.items()}, lesions),
        pointing=against_baselines(
            {kind: np.array([row["pointing"][kind] for row in rows]) for kind in KINDS}, lesions
        ),
    )


def _changes(drawn: Drawn, found: Mapping[int, Any]) -> Changes | None:
    """Deletion, insertion, ROAD and stability; None where no map can be used."""
    used = [image for image in drawn.changed if found[image.pk]]
    if not used:
        return None
    rows, lesions = [found[image.pk] for image in used], _lesions(used)
    games = {
        game: against_baselines(
            {kind: np.array([row[game][kind] for row in rows]) for kind in KINDS}, lesions, sign=sign
        )
        for game, sign in SIGNS.items()
    }
    names = list(rows[0]["stability"])
    likeness = np.array([[row["stability"][name] for name in names] for row in rows], np.float64)
    known = np.isfinite(likeness).any(axis=1)
    return Changes(
        images=len(used),
        lesions=_lesion_count(used),
        constant=len(drawn.changed) - len(used),
        **games,
        stability=means({"all": np.nanmean(likeness[known], axis=1)}, _again(lesions[known]))["all"]
        if known.any()
        else None,
        stability_by_change={name: mean_likeness(likeness[:, [place]], lesions) for place, name in enumerate(names)},
    )


def _randomised(drawn: Drawn, kept: Kept) -> Randomised:
    """|Spearman| of the maps with those of randomised networks; it passes if at 100 % the upper bound is below 0.3.

    Maps that are constant or not finite are left out; with fewer than 50 pictures or 5 seeds left, nothing is judged.
    """
    names = [name.split() for name in kept if name.startswith("randomised")]
    seeds = sorted({int(seed) for _word, _share, seed in names})
    shares = []
    for share in sorted({float(share) for _word, share, _seed in names}):
        parts = [kept[randomised(share, seed)] for seed in seeds]
        values = np.abs(
            np.array([[part[image.pk]["likeness"] for part in parts] for image in drawn.randomised], np.float64)
        )
        known = np.isfinite(values)
        not_finite = sum("not_finite" in part[image.pk] for part in parts for image in drawn.randomised)
        shares.append(
            RandomisedShare(
                share=share,
                likeness=mean_likeness(values, _lesions(drawn.randomised)),
                maps=values.size,
                constant=values.size - int(known.sum()) - not_finite,
                not_finite=not_finite,
                images=int(known.any(axis=1).sum()),
                seeds=int(known.any(axis=0).sum()),
            )
        )
    last, high = shares[-1], shares[-1].likeness.high
    enough = (last.images or 0) >= FEWEST_IMAGES and (last.seeds or 0) >= SEEDS
    return Randomised(
        images=len(drawn.randomised),
        lesions=_lesion_count(drawn.randomised),
        seeds=len(seeds),
        shares=shares,
        passes=high < CREDIBLE_BELOW if enough and high is not None else None,
        other_pictures=_of_other_pictures(drawn.randomised, kept[MAP]),
    )


def _of_other_pictures(images: Sequence[LabelledImage], maps: Mapping[int, Any]) -> Number:
    """|Spearman| of each map with the next picture's: what maps have in common whatever the picture shows."""
    grids = [_grid(maps[image.pk]) for image in images]
    pairs = [spearman(one, other) for one, other in zip(grids, [*grids[1:], grids[0]], strict=True)]
    return mean_likeness(np.abs(np.array(pairs, np.float64))[:, None], _lesions(images))


def _lesions(images: Sequence[LabelledImage]) -> Integers:
    return _again(np.array([image.unit for image in images]))


def _again(units: Any) -> Integers:
    """Number units from 0 without gaps."""
    return np.unique(units, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _lesion_count(images: Sequence[LabelledImage]) -> int:
    return len({image.unit for image in images})
