"""How each of the seven classes looks: one outline and one painter a class."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from evaluation.phantoms.fields import step
from evaluation.phantoms.outline import Outline, random_outline
from evaluation.phantoms.sheet import Sheet
from evaluation.phantoms.structures import blotches, globules, network, scatter, streaks, vessels

Range = tuple[float, float]


@dataclass(frozen=True)
class Look:
    """What a class looks like; the ranges are drawn from evenly."""

    paint: Callable[[Generator, Sheet], None]
    extent: Range
    """Largest radius in units."""
    elongation: Range
    irregularity: float

    def outline(self, rng: Generator) -> Outline:
        return random_outline(
            rng,
            extent=rng.uniform(*self.extent),
            elongation=rng.uniform(*self.elongation),
            irregularity=self.irregularity,
        )


def nevus(rng: Generator, sheet: Sheet) -> None:
    """Even brown, darker in the middle, with a regular network or globules."""
    inside, middle = sheet.inside(0.03), step(sheet.depth, 0, rng.uniform(0.5, 0.9))
    sheet.melanin += inside * (rng.uniform(0.3, 0.5) + rng.uniform(0.15, 0.6) * middle)
    sheet.melanin += inside * 0.08 * sheet.clouds(rng, 0.12)
    sheet.blood += inside * rng.uniform(0, 0.15)
    if rng.uniform() < 0.6:
        lines = network(rng, sheet, rng.uniform(0.06, 0.085))
        sheet.melanin += inside * lines * rng.uniform(0.4, 0.65) * (0.4 + 0.6 * middle)
    else:
        places = scatter(rng, sheet, 150, rng.uniform(0.055, 0.075), within=0.95)
        sheet.melanin += inside * globules(rng, sheet, places, (0.012, 0.036)) * rng.uniform(0.45, 0.75)


def melanoma(rng: Generator, sheet: Sheet) -> None:
    """Several colours on unlike halves: browns, black, blue-white veil and red, with a broken network and streaks."""
    inside, towards = sheet.inside(0.022), rng.uniform(0, 2 * np.pi)
    across = (math.cos(towards) * sheet.x + math.sin(towards) * sheet.y) / sheet.outline.extent
    dark_side = step(across + 0.3 * sheet.clouds(rng, 0.2), -0.6, 0.8)
    sheet.melanin += inside * (0.5 + 0.9 * dark_side + 0.15 * sheet.clouds(rng, 0.07))
    lines = network(rng, sheet, 0.1, jitter=0.25, width=0.6)
    sheet.melanin += inside * blotches(rng, sheet, 0.2, 0.6) * lines * rng.uniform(0.5, 0.8)
    sheet.melanin += inside * streaks(rng, sheet, 22, sector=2.4) * 0.7
    sheet.blood += inside * blotches(rng, sheet, 0.22, 0.35) * (1 - dark_side) * rng.uniform(0.5, 0.9)
    spots = globules(rng, sheet, scatter(rng, sheet, 24, 0.06), (0.012, 0.035), irregularity=0.25)
    sheet.melanin += inside * (0.7 * spots + 1.7 * blotches(rng, sheet, 0.12, 0.18) * dark_side)
    deep = step(sheet.depth, 0.05, 0.35)
    cloudy = (0.6 + 0.12 * sheet.clouds(rng, 0.05)).clip(0, 0.85)
    sheet.tint((0.44, 0.47, 0.55), inside * deep * blotches(rng, sheet, 0.18, 0.25) * cloudy)
    sheet.tint((0.86, 0.78, 0.76), inside * deep * blotches(rng, sheet, 0.12, 0.08) * 0.45)


def basal_cell_carcinoma(rng: Generator, sheet: Sheet) -> None:
    """Pearly pink with arborising vessels in focus, blue-grey ovoid nests and sometimes an erosion."""
    inside = sheet.inside(0.035)
    pink = rng.uniform(0.28, 0.42) + 0.08 * sheet.clouds(rng, 0.15)
    sheet.blood += inside * pink * (1 + 0.8 * sheet.tone)
    sheet.tint((0.93, 0.79, 0.75), inside * (0.3 + 0.12 * sheet.clouds(rng, 0.09)).clip(0, 0.6))
    places = scatter(rng, sheet, int(rng.integers(4, 10)), 0.14, within=0.85)
    nests = globules(rng, sheet, places, (0.04, 0.13), softness=0.016, irregularity=0.2)
    sheet.tint((0.38, 0.39, 0.46), inside * nests * (0.62 + 0.12 * sheet.clouds(rng, 0.04)).clip(0, 0.85))
    dots = globules(rng, sheet, scatter(rng, sheet, 22, 0.05), (0.01, 0.022))
    sheet.tint((0.42, 0.4, 0.45), inside * dots * 0.6)
    if rng.uniform() < 0.4:
        erosion = globules(rng, sheet, scatter(rng, sheet, 1, 0.1, within=0.4), (0.1, 0.18), irregularity=0.3)
        sheet.tint((0.6, 0.25, 0.15), inside * erosion * (0.65 + 0.12 * sheet.clouds(rng, 0.03)).clip(0, 0.9))
    tree = vessels(rng, sheet, int(rng.integers(3, 6)), width=rng.uniform(0.014, 0.022))
    sheet.tint((0.66, 0.14, 0.17), inside * tree * 0.72)


def actinic_keratosis(rng: Generator, sheet: Sheet) -> None:
    """Strawberry: a red net around pale follicles with a yellow plug, under whitish scales."""
    inside = sheet.inside(0.05)
    follicles = sheet.cells(rng, rng.uniform(0.1, 0.13), jitter=0.2)
    sheet.blood += inside * (0.36 + 0.36 * (1 - step(follicles, 0.1, 1.0)) + 0.09 * sheet.clouds(rng, 0.12))
    sheet.melanin += inside * 0.15 * blotches(rng, sheet, 0.2, 0.4)
    sheet.tint((0.93, 0.66, 0.61), inside * (0.15 + 0.22 * sheet.tone + 0.2 * step(follicles, 0.4, 1.0)))
    places = scatter(rng, sheet, 30, 0.1)
    sheet.tint((0.82, 0.66, 0.46), inside * globules(rng, sheet, places, (0.012, 0.024), softness=0.01) * 0.6)
    flakes = step(sheet.clouds(rng, 0.022), 0.0, 1.6) * blotches(rng, sheet, 0.16, 0.4)
    sheet.tint((0.97, 0.93, 0.87), inside * flakes * rng.uniform(0.6, 0.85))


def benign_keratosis(rng: Generator, sheet: Sheet) -> None:
    """Stuck on: a sharp border, waxy yellow-brown, ridges, milia-like cysts and comedo-like openings."""
    inside = sheet.inside(0.009)
    sheet.melanin += inside * (rng.uniform(0.45, 0.95) + 0.16 * sheet.clouds(rng, 0.12))
    sheet.melanin += inside * (0.2 * step(-sheet.depth, -0.12, 0) + 0.05 * sheet.clouds(rng, 0.02))
    furrows = step(-np.abs(sheet.clouds(rng, rng.uniform(0.035, 0.05))), -0.5, 0)
    sheet.melanin += inside * furrows * rng.uniform(0.2, 0.6)
    sheet.tint((0.72, 0.53, 0.34), inside * rng.uniform(0.2, 0.4))
    places = scatter(rng, sheet, int(rng.integers(6, 18)), 0.1)
    openings = globules(rng, sheet, places, (0.015, 0.042), softness=0.008, irregularity=0.25)
    sheet.tint((0.26, 0.16, 0.1), inside * openings * 0.85)
    places = scatter(rng, sheet, int(rng.integers(8, 24)), 0.07)
    sheet.tint((0.96, 0.9, 0.76), inside * globules(rng, sheet, places, (0.012, 0.036), softness=0.016) * 0.85)


def dermatofibroma(rng: Generator, sheet: Sheet) -> None:
    """A pale, scar-like centre in a delicate brown network that fades outwards."""
    inside = sheet.inside(0.06)
    centre = step(sheet.depth + 0.07 * sheet.clouds(rng, 0.1), 0.3, rng.uniform(0.6, 0.8))
    lines = network(rng, sheet, rng.uniform(0.055, 0.07), width=0.45)
    brown = rng.uniform(0.28, 0.4) + rng.uniform(0.25, 0.4) * lines
    sheet.melanin += inside * (1 - centre) * brown * (1 + 0.7 * sheet.tone)
    sheet.blood += inside * (0.1 + 0.04 * sheet.clouds(rng, 0.12))
    shiny = (rng.uniform(0.5, 0.65) - 0.15 * sheet.tone + 0.08 * sheet.clouds(rng, 0.04)).clip(0, 0.85)
    sheet.tint((0.94, 0.84, 0.79), inside * centre * shiny)


def vascular_lesion(rng: Generator, sheet: Sheet) -> None:
    """Red, purple and nearly black lacunae, packed closely and parted by pale walls."""
    inside = sheet.inside(0.014)
    sheet.blood += inside * (rng.uniform(0.6, 0.85) + 0.1 * sheet.clouds(rng, 0.1))
    sheet.melanin += inside * 0.15
    sheet.tint((0.9, 0.68, 0.68), inside * blotches(rng, sheet, 0.2, 0.5) * 0.35)
    places = scatter(rng, sheet, 90, rng.uniform(0.09, 0.12), within=0.93)
    radii = (0.04, 0.095)
    lacunae = globules(rng, sheet, places, radii, softness=0.014, irregularity=0.2)
    sheet.tint((0.62, 0.1, 0.13), inside * lacunae * (0.72 + 0.12 * sheet.clouds(rng, 0.06)).clip(0, 0.92))
    clotted = globules(rng, sheet, places[:: int(rng.integers(2, 6))], radii, softness=0.018, irregularity=0.2)
    sheet.tint((0.25, 0.07, 0.16), inside * clotted * rng.uniform(0.55, 0.85))


LOOKS: Mapping[str, Look] = {
    "nv": Look(nevus, (0.5, 0.8), (0.85, 1), 0.025),
    "mel": Look(melanoma, (0.65, 0.85), (0.65, 0.95), 0.17),
    "bcc": Look(basal_cell_carcinoma, (0.55, 0.82), (0.7, 1), 0.08),
    "akiec": Look(actinic_keratosis, (0.6, 0.85), (0.65, 0.95), 0.12),
    "bkl": Look(benign_keratosis, (0.55, 0.85), (0.6, 0.95), 0.09),
    "df": Look(dermatofibroma, (0.5, 0.75), (0.85, 1), 0.03),
    "vasc": Look(vascular_lesion, (0.45, 0.7), (0.75, 1), 0.07),
}
