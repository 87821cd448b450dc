"""The small network at the end of a classifier, read from the names and shapes of its tensors."""

from collections.abc import Mapping
from dataclasses import dataclass

from classifier.inference.input.manifest import Json

Shapes = Mapping[str, tuple[int, ...]]
MOST_LAYERS = 12


@dataclass(frozen=True)
class Head:
    """`layers` as a manifest has them; `places` gives each tensor of the file its name in them.

    `assumptions` say what no tensor tells.
    """

    layers: tuple[Json, ...]
    places: Mapping[str, str]
    widths: tuple[int, ...]
    assumptions: tuple[str, ...]

    @property
    def is_one_linear(self) -> bool:
        return len(self.layers) == 1 and self.layers[0].get("bias", True)

    @property
    def outputs(self) -> int:
        return self.widths[-1]


def read(tensors: Shapes, features: int) -> Head | None:
    """Return the head of linear layers and batch normalisations that takes `features` numbers, or None.

    In a sequence the numbers in the names tell where layers without tensors stand; elsewhere the contract's convention
    holds: ReLU after each hidden linear layer.
    """
    found = modules(tensors)
    if not 1 <= len(found) <= MOST_LAYERS:
        return None
    places = numbers(list(found))
    builder = _Builder(features)
    for position, (name, parts) in enumerate(found.items()):
        gap = places[position] - places[position - 1] - 1 if places and position else None
        if not builder.add(name, parts, str(places[position] if places else position), gap):
            return None
    return builder.head()


def modules(tensors: Shapes) -> dict[str, dict[str, tuple[int, ...]]]:
    """The shapes of each module's own tensors, in the order of the file."""
    found: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, shape in tensors.items():
        module, _dot, part = name.rpartition(".")
        found.setdefault(module, {})[part] = shape
    return found


def numbers(names: list[str]) -> list[int]:
    """The places in a sequence, `classifier.1` and `classifier.4`; empty where the names are others or not in order."""
    parents = {name.rpartition(".")[0] for name in names}
    last = [name.rpartition(".")[2] for name in names]
    if len(parents) > 1 or not all(text.isdecimal() and len(text) < 4 for text in last):
        return []
    found = [int(text) for text in last]
    return found if found == sorted(set(found)) else []


class _Builder:
    """Adds layers one by one as long as their widths fit."""

    def __init__(self, features: int) -> None:
        self.widths = [features]
        self.layers: list[Json] = []
        self.places: dict[str, str] = {}
        self.assumptions: list[str] = []
        self.waits = False  # a hidden linear layer has had no activation yet

    def add(self, name: str, parts: Mapping[str, tuple[int, ...]], label: str, gap: int | None) -> bool:
        weight = parts.get("weight", ())
        if len(weight) == 2 and set(parts) <= {"weight", "bias"} and weight[1] == self.widths[-1]:
            self._fill(gap, name, before_linear=True)
            layer: Json = {"type": "linear", "name": label, "out": weight[0]}
            self.layers.append(layer if "bias" in parts else layer | {"bias": False})
            self.widths.append(weight[0])
            self.waits = True
        elif "running_mean" in parts and weight == (self.widths[-1],):
            self._fill(gap, name, before_linear=False)
            self.layers.append({"type": "batchnorm1d", "name": label})
        else:
            return False
        self.places |= {f"{name}.{part}": f"{label}.{part}" for part in parts}
        return True

    def _fill(self, gap: int | None, name: str, *, before_linear: bool) -> None:
        """Put what has no tensors before a layer: `gap` layers, or what is usual where None."""
        activated = self.waits and (gap >= 1 if gap is not None else before_linear)
        if activated:
            self.layers.append({"type": "relu"})
            self.assumptions.append(f"there is a ReLU before the layer “{name}” of the head")
            self.waits = False
        if gap is not None and gap > activated:
            self.layers.append({"type": "dropout"})

    def head(self) -> Head | None:
        if not self.layers or self.layers[-1]["type"] != "linear":
            return None
        return Head(tuple(self.layers), self.places, tuple(self.widths), tuple(self.assumptions))
