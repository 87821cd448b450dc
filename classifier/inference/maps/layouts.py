"""How an array of features holds its grid: channels first, channels last, or tokens one after another."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
FIRST, LAST, TOKENS = "channels-first", "channels-last", "tokens"
KINDS = (FIRST, LAST, TOKENS)


@dataclass(frozen=True)
class Layout:
    """`prefix` tokens before the grid stand for no place: class, distillation and register tokens."""

    kind: str
    rows: int
    columns: int
    prefix: int = 0

    def grid(self, features: Floats) -> Floats:
        """Return (..., N, rows, columns, K) from (..., N, K, rows, columns), its like, or (..., N, tokens, K)."""
        if self.kind == FIRST:
            return np.moveaxis(features, -3, -1)
        if self.kind == LAST:
            return features
        places = features[..., self.prefix : self.prefix + self.rows * self.columns, :]
        return places.reshape(*features.shape[:-2], self.rows, self.columns, features.shape[-1])

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Layout":
        return cls(str(data["kind"]), int(data["rows"]), int(data["columns"]), int(data["prefix"]))


def of_shape(shape: tuple[int, ...], height: int, width: int, *, first: bool = True) -> Layout | None:
    """Return the layout of features (a, b, c) of an input of height × width px, or None where no grid fits it.

    `first` says which layout wins where both would fit.
    """
    if len(shape) != 3:
        return None
    found = {FIRST: Layout(FIRST, *shape[1:]), LAST: Layout(LAST, *shape[:2])}
    fitting = [kind for kind in ((FIRST, LAST) if first else (LAST, FIRST)) if _fits(found[kind], height, width)]
    return found[fitting[0]] if fitting else None


def _fits(layout: Layout, height: int, width: int) -> bool:
    """A grid has more than one place each way, not more than the input, and about its shape."""
    rows, columns = layout.rows, layout.columns
    if not (1 < rows <= height and 1 < columns <= width):
        return False
    return rows == columns if height == width else abs(rows - height * columns / width) <= 1
