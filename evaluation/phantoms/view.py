"""One photograph of a sheet: where the dermatoscope was held, its light, and what lay on the skin."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from evaluation.phantoms import ink
from evaluation.phantoms.fields import Field, blurred, step
from evaluation.phantoms.outline import Outline

ZOOM = (0.9, 1.3)
FILLED = 0.95
"""The lesion stays within this share of half the shorter side, so that every picture shows all of it."""

Light = NDArray[np.floating]
"""(height, width, 3): sRGB in [0, 1]."""


@dataclass(frozen=True)
class Pose:
    """How the sheet is seen."""

    zoom: float
    angle: float
    """Radians."""
    shift: tuple[float, float]
    """Of the lesion's origin from the picture's centre, x and y in units."""

    def inverse(self) -> NDArray[np.float64]:
        """Return (2, 3), the affine map from the picture to the sheet, both in units from their centres."""
        cosine, sine = np.cos(self.angle) / self.zoom, np.sin(self.angle) / self.zoom
        turn = np.array([[cosine, sine], [-sine, cosine]])
        return np.column_stack([turn, -turn @ self.shift])


def reach(size: tuple[int, int]) -> float:
    """Return how far in units a picture of `size` pixels can see from the middle of the sheet."""
    return (math.hypot(*size) / min(size) + FILLED / 2) / ZOOM[0]


def random_pose(rng: Generator, extent: float) -> Pose:
    """Return a pose that shows all of a lesion whose largest radius is `extent` units."""
    zoom = rng.uniform(ZOOM[0], min(ZOOM[1], FILLED / extent))
    slack = min(FILLED - zoom * extent, FILLED / 3)
    return Pose(zoom, rng.uniform(0, 2 * np.pi), (rng.uniform(-slack, slack), rng.uniform(-slack, slack)))


def seen(sheet: NDArray[np.uint8], pose: Pose, size: tuple[int, int]) -> Light:
    """Return the part of `sheet` (side, side, 3) that a picture of `size` (width, height) shows."""
    unit, side = min(size) / 2, sheet.shape[0]
    inverse = pose.inverse()
    offset = inverse[:, 2] * unit + side / 2 - inverse[:, :2] @ (np.array(size) / 2)
    data = np.column_stack([inverse[:, :2], offset]).ravel().tolist()
    image = Image.fromarray(sheet).transform(size, Image.Transform.AFFINE, data, Image.Resampling.BICUBIC)
    return np.asarray(image, dtype=np.float32) / 255


def lesion_mask(outline: Outline, pose: Pose, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return (height, width): whether the centre of each pixel lies within `outline`, by its formula."""
    x, y = centred(size)
    inverse = pose.inverse()
    sheet_x, sheet_y = (row[0] * x + row[1] * y + row[2] for row in inverse)
    mask: NDArray[np.bool_] = outline.depth(sheet_x, sheet_y) > 0
    return mask


def photograph(rng: Generator, sheet: NDArray[np.uint8], pose: Pose, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return (height, width, 3), sRGB: the sheet with hairs and bubbles on it, under a light, through a lens."""
    light = seen(sheet, pose, size)
    if rng.uniform() < 0.55:
        light = with_hairs(rng, light)
    if rng.uniform() < 0.35:
        light = with_bubbles(rng, light)
    light = lit(rng, light)
    light += rng.normal(0, 0.008, light.shape[:2]).astype(np.float32)[..., None]
    return (np.clip(light, 0, 1) * 255).round().astype(np.uint8)


def with_hairs(rng: Generator, light: Light) -> Light:
    """Lay 2 to 12 curved dark hairs, with their soft shadows, over the picture."""
    height, width = light.shape[:2]
    unit, mostly = min(height, width) / 2, rng.uniform(0, np.pi)
    hairs = []
    for _ in range(int(rng.integers(2, 13))):
        angle = mostly + rng.normal() * 0.45
        start = rng.uniform(-0.1, 1.1, 2) * (width, height) - unit * 0.5 * np.array([np.cos(angle), np.sin(angle)])
        points = ink.curve(rng, start, angle, unit * rng.uniform(0.5, 2), bend=0.8, winding=0.12)
        hairs.append(ink.Stroke(points, unit * rng.uniform(0.01, 0.02) * np.linspace(1, 0.35, len(points))))
    covered = ink.strokes((height, width), hairs)
    shadow = np.roll(blurred(covered, unit * 0.02), round(unit * 0.015), axis=(0, 1))
    colour = np.array([0.13, 0.09, 0.07], dtype=np.float32) * rng.uniform(0.6, 1.8)
    light = light * (1 - 0.3 * shadow[..., None])
    return light + (colour - light) * (0.88 * covered[..., None])


def with_bubbles(rng: Generator, light: Light) -> Light:
    """Set 2 to 9 gel bubbles on the picture: a brighter disc, a dark and a bright rim, a glint."""
    size = light.shape[1], light.shape[0]
    x, y = centred(size)
    for _ in range(int(rng.integers(2, 10))):
        centre_x, centre_y = (rng.uniform(-side, side) / min(size) for side in size)
        radius = rng.uniform(0.02, 0.1)
        distance = np.hypot(x - centre_x, y - centre_y) / radius
        lit_side = 0.5 - 0.35 * (x - centre_x + y - centre_y) / radius
        rim = np.exp(-(((distance - 1) / 0.12) ** 2))
        glint = np.exp(-((np.hypot(x - centre_x + 0.4 * radius, y - centre_y + 0.4 * radius) / (0.2 * radius)) ** 2))
        gain = 0.06 * (distance < 1) + rim * (0.35 * lit_side - 0.15) + 0.5 * glint
        light = light + gain[..., None]
    return light


def lit(rng: Generator, light: Light) -> Light:
    """Change exposure, white balance and the direction of the light, and darken the corners."""
    x, y = centred((light.shape[1], light.shape[0]))
    towards = rng.uniform(0, 2 * np.pi)
    slope = 1 + rng.uniform(0, 0.07) * (math.cos(towards) * x + math.sin(towards) * y)
    balance = (rng.uniform(0.92, 1.05) * rng.normal(1, 0.02, 3)).astype(np.float32)
    return light * balance * (slope * vignette(rng, np.hypot(x, y)))[..., None]


def vignette(rng: Generator, distance: Field) -> Field:
    """Return the share of light that the lens lets through at a distance in units from the picture's centre."""
    fall = 1 - rng.uniform(0.02, 0.1) * distance**2
    if rng.uniform() < 0.25:
        edge = rng.uniform(1.2, 1.45)
        fall = fall * (1 - 0.93 * step(distance, edge, edge + 0.08))
    return fall


def centred(size: tuple[int, int]) -> tuple[Field, Field]:
    """Return x and y, each (height, width), of the pixels' centres in units from the picture's centre."""
    width, height = size
    unit = min(size) / 2
    x = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / unit
    y = (np.arange(height, dtype=np.float32) + 0.5 - height / 2) / unit
    grid_x, grid_y = np.meshgrid(x, y)
    return grid_x, grid_y
