"""Anti-aliased strokes and patches, drawn large and reduced."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw

from evaluation.phantoms.fields import Field
from evaluation.phantoms.outline import Floats, random_outline

OVERSAMPLING = 3


@dataclass(frozen=True)
class Stroke:
    """A curved line."""

    points: Floats
    """(n, 2): x, y in pixels."""
    widths: Floats
    """(n,): pixels."""


def strokes(shape: tuple[int, int], lines: Iterable[Stroke]) -> Field:
    """Return the share in [0, 1] of each pixel that lies under one of `lines`."""
    image = _sheet(shape)
    pen = ImageDraw.Draw(image)
    for line in lines:
        points, widths = line.points * OVERSAMPLING, line.widths * OVERSAMPLING
        for start, end, width in zip(points[:-1], points[1:], widths[:-1], strict=True):
            pen.line([*start, *end], fill=255, width=max(round(width), 1))
            if width > 2:
                pen.ellipse([*(end - width / 2), *(end + width / 2 - 1)], fill=255)
    return _reduced(image)


def patches(shape: tuple[int, int], outlines: Iterable[Floats]) -> Field:
    """Return the share in [0, 1] of each pixel that lies in one of `outlines`, each (n, 2): x, y in pixels."""
    image = _sheet(shape)
    pen = ImageDraw.Draw(image)
    for outline in outlines:
        pen.polygon((outline * OVERSAMPLING).ravel().tolist(), fill=255)
    return _reduced(image)


def blob(rng: Generator, centre: Floats, radius: float, *, irregularity: float = 0.12) -> Floats:
    """Return a roundish outline (24, 2) around `centre`; all in pixels."""
    elongation = rng.uniform(0.65, 1)
    shape = random_outline(rng, extent=radius, elongation=elongation, irregularity=irregularity, points=24)
    turned = rng.uniform(0, 2 * np.pi) + np.linspace(0, 2 * np.pi, 24, endpoint=False)
    outline: Floats = centre + shape.radii[:, None] * np.column_stack([np.cos(turned), np.sin(turned)])
    return outline


def curve(
    rng: Generator, start: Floats, angle: float, length: float, *, bend: float, winding: float = 0, points: int = 24
) -> Floats:
    """Return a line (points, 2) of `length` pixels from `start`.

    Its direction turns by about `bend` radians from end to end, and by about `winding` at random on the way.
    """
    turns = rng.normal() * bend / points + rng.normal(size=points - 1) * winding / np.sqrt(points)
    angles = angle + np.cumsum(turns)
    steps = length / (points - 1) * np.column_stack([np.cos(angles), np.sin(angles)])
    return np.vstack([start, start + np.cumsum(steps, axis=0)])


def _sheet(shape: tuple[int, int]) -> Image.Image:
    return Image.new("L", (shape[1] * OVERSAMPLING, shape[0] * OVERSAMPLING))


def _reduced(image: Image.Image) -> Field:
    return np.asarray(image.reduce(OVERSAMPLING), dtype=np.float32) / 255
