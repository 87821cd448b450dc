"""Whether two pictures show the same: a perceptual hash finds candidates, the correlation of their pixels decides.

The hash alone is no proof: within distance 10 it gives 41 % of HAM10000's images a match with another lesion.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from numpy.fft import fft2, ifft2
from PIL import Image

NEAR = 6
SAME = 0.95
SIDE = 64
SEGMENTS, BITS = 4, 16
CROWD = 200
"""Buckets above this hold flat pictures; only their first members are compared."""
_COSINES = (
    np.cos(np.pi / 32 * np.outer(np.arange(8), np.arange(32) + 0.5)) * np.where(np.arange(8) > 0, 1, 0.5**0.5)[:, None]
)
"""The first rows of the discrete cosine transform of 32 values, but for a common factor."""


def perceptual_hash(pixels: npt.NDArray[np.uint8]) -> str:
    """Return 64 bits of the low frequencies of an image, uint8 (height, width, 3), as 16 hexadecimal digits."""
    grey = np.asarray(Image.fromarray(pixels).convert("L").resize((32, 32), Image.Resampling.LANCZOS), np.float64)
    low = _COSINES @ grey @ _COSINES.T
    return f"{int(''.join('1' if bit else '0' for bit in (low > np.median(low)).ravel()), 2):016x}"


def near_pairs(hashes: Sequence[str], others: Sequence[str] | None = None) -> Iterator[tuple[int, int]]:
    """Yield (i, j) with hashes at most 6 bits apart: within one list (i < j), or of one list and another.

    By buckets: two hashes within 7 bits agree in one of four 16-bit segments but for one bit.
    """
    values = [int(text, 16) for text in hashes]
    targets = values if others is None else [int(text, 16) for text in others]
    buckets: dict[tuple[int, int], list[int]] = defaultdict(list)
    for j, value in enumerate(targets):
        for segment in range(SEGMENTS):
            bucket = buckets[segment, value >> (BITS * segment) & 0xFFFF]
            if len(bucket) < CROWD:
                bucket.append(j)
    for i, value in enumerate(values):
        for j in sorted(_candidates(buckets, value)):
            if (others is not None or i < j) and (value ^ targets[j]).bit_count() <= NEAR:
                yield i, j


def correlation(one: Image.Image, other: Image.Image) -> float:
    """Return the Pearson correlation of two pictures in grey at 64 × 64 px, after the best shift."""
    a, b = (_small(image) for image in (one, other))
    spectrum = fft2(a) * np.conj(fft2(b))
    shift = np.unravel_index(np.argmax(np.real(ifft2(spectrum))), a.shape)
    down, right = (int(place) if place <= SIDE // 2 else int(place) - SIDE for place in shift)
    moved = np.roll(b, (down, right), (0, 1))
    rows, columns = _overlap(down), _overlap(right)
    x, y = a[rows, columns].ravel(), moved[rows, columns].ravel()
    if min(x.size, y.size) < SIDE * SIDE // 4 or not x.std() or not y.std():
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def _small(image: Image.Image) -> npt.NDArray[np.float64]:
    grey = np.asarray(image.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS), np.float64)
    return np.asarray(grey - grey.mean())


def _overlap(shift: int) -> slice:
    return slice(shift, None) if shift > 0 else slice(0, SIDE + shift)


def _candidates(buckets: dict[tuple[int, int], list[int]], value: int) -> set[int]:
    found: set[int] = set()
    for segment in range(SEGMENTS):
        part = value >> (BITS * segment) & 0xFFFF
        for variant in (part, *(part ^ (1 << bit) for bit in range(BITS))):
            found.update(buckets.get((segment, variant), ()))
    return found
