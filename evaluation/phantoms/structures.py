"""Dermoscopic structures that several classes share, as fields in [0, 1] on a sheet."""

import numpy as np
from numpy.random import Generator

from evaluation.phantoms import ink
from evaluation.phantoms.fields import Field, blurred, step
from evaluation.phantoms.outline import Floats
from evaluation.phantoms.sheet import Sheet


def network(rng: Generator, sheet: Sheet, spacing: float, *, jitter: float = 0.13, width: float = 0.5) -> Field:
    """Return dark lines around pale holes `spacing` units apart; `width` in ]0, 1] is the share of the lines."""
    return 1 - step(sheet.cells(rng, spacing, jitter=jitter), 0, width * 1.6)


def blotches(rng: Generator, sheet: Sheet, scale: float, share: float) -> Field:
    """Return soft-edged patches about `scale` units wide that cover about `share` of the lesion."""
    field = sheet.clouds(rng, scale)
    limit = float(np.quantile(field[sheet.depth > 0], 1 - share))
    return step(field, limit - 0.4, limit + 0.4)


def scatter(rng: Generator, sheet: Sheet, count: int, distance: float, *, within: float = 0.85) -> list[Floats]:
    """Return at most `count` places (2,) in pixels, `distance` units apart and within a share of the outline."""
    tries = count * 8
    places = np.empty((0, 2))
    for place in sheet.outline.points(rng.uniform(0, 2 * np.pi, tries), within * np.sqrt(rng.uniform(size=tries))):
        if len(places) < count and (np.hypot(*(places - place).T) > distance).all():
            places = np.vstack([places, place])
    return list(sheet.pixels(places))


def globules(
    rng: Generator,
    sheet: Sheet,
    places: list[Floats],
    radii: tuple[float, float],
    *,
    softness: float = 0.008,
    irregularity: float = 0.12,
) -> Field:
    """Return roundish spots at `places` in pixels with radii between two numbers of units."""
    spots = [ink.blob(rng, place, rng.uniform(*radii) * sheet.unit, irregularity=irregularity) for place in places]
    return blurred(ink.patches(sheet.shape, spots), softness * sheet.unit)


def vessels(rng: Generator, sheet: Sheet, trunks: int, *, width: float) -> Field:
    """Return branching vessels that enter over the border; `width` is a trunk's in units."""
    lines: list[ink.Stroke] = []
    for angle in rng.uniform(0, 2 * np.pi) + np.linspace(0, 2 * np.pi, trunks, endpoint=False):
        start = sheet.pixels(sheet.outline.points(angle + rng.normal() * 0.3, rng.uniform(0.75, 0.95)))
        length = sheet.outline.extent * sheet.unit * rng.uniform(0.6, 1.0)
        lines += _tree(rng, start, angle + np.pi + rng.normal() * 0.5, length, width * sheet.unit, generations=4)
    return blurred(ink.strokes(sheet.shape, lines), 0.004 * sheet.unit)


def streaks(rng: Generator, sheet: Sheet, count: int, *, sector: float) -> Field:
    """Return radial lines that end on the border in a `sector` of so many radians."""
    towards = rng.uniform(0, 2 * np.pi)
    lines = []
    for angle in towards + rng.uniform(-sector / 2, sector / 2, count):
        shares = np.linspace(rng.uniform(0.6, 0.85), rng.uniform(0.9, 1.0), 8)
        widths = sheet.unit * np.linspace(0.01, rng.uniform(0.02, 0.045), 8)
        lines.append(ink.Stroke(sheet.pixels(sheet.outline.points(np.full(8, angle), shares)), widths))
    return blurred(ink.strokes(sheet.shape, lines), 0.01 * sheet.unit)


def _tree(
    rng: Generator, start: Floats, angle: float, length: float, width: float, *, generations: int
) -> list[ink.Stroke]:
    """Return a winding trunk and its ever thinner branches; lengths in pixels."""
    points = ink.curve(rng, start, angle, length, bend=0.8, winding=0.9)
    lines = [ink.Stroke(points, width * np.linspace(1, 0.5, len(points)))]
    if generations > 1:
        for place in rng.choice(np.arange(5, len(points) - 2), size=int(rng.integers(2, 4)), replace=False):
            heading = np.arctan2(*(points[place + 1] - points[place])[::-1])
            side = rng.choice([-1, 1]) * rng.uniform(0.5, 1.1)
            shorter = length * rng.uniform(0.35, 0.6)
            lines += _tree(rng, points[place], heading + side, shorter, width * 0.62, generations=generations - 1)
    return lines
