"""The border of a lesion: a closed curve whose radius is a short random Fourier series of the angle."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.floating]

HIGHEST_ORDER = 14


@dataclass(frozen=True)
class Outline:
    """A star-shaped curve around the origin; angles in radians."""

    radii: Floats
    """(n,): distances of the border in n directions, evenly around from 0 and linear between."""

    @property
    def extent(self) -> float:
        """The largest radius."""
        return float(self.radii.max())

    def radius(self, angle: Floats) -> Floats:
        """Return the distance of the border in the directions `angle`, of any shape."""
        turn = np.linspace(0, 2 * np.pi, self.radii.size + 1)
        distance: Floats = np.interp(angle % (2 * np.pi), turn, np.append(self.radii, self.radii[0]))
        return distance

    def depth(self, x: Floats, y: Floats) -> Floats:
        """Return 1 at the origin, 0 on the border and negative numbers outside."""
        depth: Floats = 1 - np.hypot(x, y) / self.radius(np.arctan2(y, x))
        return depth

    def points(self, angle: ArrayLike, share: ArrayLike) -> Floats:
        """Return (..., 2): x, y at `share` of the way from the origin to the border in the directions `angle`."""
        angle = np.asarray(angle, dtype=float)
        distance = np.asarray(share, dtype=float) * self.radius(angle)
        points: Floats = distance[..., None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        return points


def random_outline(
    rng: Generator, *, extent: float, elongation: float, irregularity: float, points: int = 720
) -> Outline:
    """Return an outline; its radius is an ellipse's times the exponential of a Fourier series.

    `extent` is the largest radius, `elongation` the ratio of the shorter to the longer axis, and `irregularity` runs
    from 0, the ellipse, to about 0.3, capes and bays.
    """
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    orders = np.arange(2, HIGHEST_ORDER)
    amplitudes = irregularity * rng.normal(size=orders.size) / orders
    waves = amplitudes @ np.cos(np.outer(orders, angle) + rng.uniform(0, 2 * np.pi, (orders.size, 1)))
    radii = np.exp(waves) / np.hypot(elongation * np.cos(angle), np.sin(angle))
    return Outline(extent * radii / radii.max())
