"""A square of skin with one lesion in its middle, coloured by what absorbs light in it."""

from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import expit

from evaluation.phantoms.fields import Field, cells, clouds
from evaluation.phantoms.outline import Floats, Outline

Colour = tuple[float, float, float]
"""sRGB in [0, 1]."""

DERMIS = np.array([0.97, 0.86, 0.79], dtype=np.float32)
"""Skin without melanin and blood, sRGB in [0, 1]."""
MELANIN = np.array([0.58, 0.82, 1.0], dtype=np.float32)
BLOOD = np.array([0.17, 0.75, 0.58], dtype=np.float32)
"""Absorption of red, green and blue by one measure of the pigment, fitted by eye to sRGB values."""

TONE = {"I": 0.03, "II": 0.12, "III": 0.26, "IV": 0.5, "V": 0.88, "VI": 1.35}
"""Measures of melanin in the skin of each Fitzpatrick type."""


@dataclass
class Sheet:
    """Layers that the painters add to. Lengths are in units: half the shorter side of a picture."""

    outline: Outline
    unit: float
    """Pixels in a unit."""
    tone: float
    """Measures of melanin in the skin around."""
    x: Field
    y: Field
    depth: Field
    """1 in the middle of the lesion, 0 on its border, negative outside."""
    melanin: Field
    blood: Field
    tints: list[tuple[Colour, Field]] = field(default_factory=list)
    """What lies over the pigments: a colour and its opacity in [0, 1]."""

    @property
    def shape(self) -> tuple[int, int]:
        height, width = self.x.shape
        return height, width

    def inside(self, softness: float) -> Field:
        """Return 1 in the lesion and 0 outside, exactly 0.5 on the border, over about 4 times `softness` units."""
        inside: Field = expit(self.depth * (self.outline.extent / softness))
        return inside

    def pixels(self, points: Floats) -> Floats:
        """Turn points (..., 2) in units into places in pixels."""
        return points * self.unit + self.shape[0] / 2

    def clouds(self, rng: Generator, scale: float) -> Field:
        return clouds(rng, self.shape, scale * self.unit)

    def cells(self, rng: Generator, spacing: float, *, jitter: float = 0.15) -> Field:
        return cells(rng, self.shape, spacing * self.unit, jitter=jitter)

    def tint(self, colour: Colour, opacity: Field) -> None:
        self.tints.append((colour, opacity))

    def developed(self) -> NDArray[np.uint8]:
        """Return the colours (side, side, 3), sRGB.

        The pigments take their share of the light (Beer and Lambert); the tints lie over them, under half of the
        melanin of the skin, so that they are no brighter than the patient can be.
        """
        light = DERMIS * np.exp(-self.melanin[..., None] * MELANIN - self.blood[..., None] * BLOOD)
        shade = np.exp(-0.5 * self.tone * MELANIN)
        for colour, opacity in self.tints:
            light += (np.array(colour, dtype=np.float32) * shade - light) * opacity[..., None]
        return (np.clip(light, 0, 1) * 255).round().astype(np.uint8)


def bare_skin(rng: Generator, outline: Outline, skin_type: str, *, unit: float, reach: float) -> Sheet:
    """Return a sheet from -`reach` to `reach` units with textured skin and no lesion yet."""
    side = round(2 * reach * unit)
    axis = ((np.arange(side, dtype=np.float32) + 0.5) - side / 2) / unit
    x, y = np.meshgrid(axis, axis)
    empty = np.zeros_like(x)
    tone = TONE[skin_type]
    sheet = Sheet(outline, unit, tone, x, y, outline.depth(x, y).astype(np.float32), empty, empty)
    furrows = 1 - sheet.cells(rng, 0.075, jitter=0.35)
    sheet.melanin = tone * (1 + 0.06 * sheet.clouds(rng, 0.3)) + (0.02 + 0.07 * tone) * furrows
    sheet.melanin += 0.012 * sheet.clouds(rng, 0.015)
    sheet.blood = 0.17 + 0.03 * sheet.clouds(rng, 0.12) + 0.04 * sheet.clouds(rng, 0.5)
    return sheet
