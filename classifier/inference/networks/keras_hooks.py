"""The operations of a Keras network by name, and what each returns while the network runs."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

Hook = Callable[[Any, Any], Any]


def operations(model: keras.Model) -> dict[str, Any]:
    """Return the layers and functions that the network calls, those of models inside it too, by a name of their own.

    Where several have the same name it is a path, `inner/conv`. A layer's own parts (an attention's queries) are none.
    """
    found = {id(operation): (path, operation) for path, operation in _walk(model, "")}
    several = Counter(operation.name for _path, operation in found.values())
    return {operation.name if several[operation.name] == 1 else path: operation for path, operation in found.values()}


def _walk(model: keras.Model, prefix: str) -> Iterator[tuple[str, Any]]:
    for operation in _graph(model).operations:
        path = f"{prefix}{operation.name}"
        if is_model(operation):
            yield from _walk(operation, f"{path}/")
        elif not isinstance(operation, keras.layers.InputLayer):
            yield path, operation


def calls(model: keras.Model) -> list[Any]:
    """Return the operations of the network in the order of their calls, inner models whole, one as often as it runs."""
    by_depth = _graph(model)._nodes_by_depth
    return [node.operation for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]


def is_model(operation: Any) -> bool:
    return isinstance(operation, keras.Model)


def _graph(model: keras.Model) -> Any:
    """A Sequential keeps its graph in a model of its own."""
    return getattr(model, "_functional", None) or model


@contextmanager
def hooked(parts: Iterable[Any], hook: Hook) -> Iterator[None]:
    """Let `hook(operation, output)` see, and replace, what each of the operations returns while the block runs."""
    originals = {part: part.call for part in parts}

    def listening(part: Any) -> Any:
        return lambda *args, **kwargs: hook(part, originals[part](*args, **kwargs))

    try:
        for part in originals:
            part.call = listening(part)
        yield
    finally:
        for part, original in originals.items():
            part.call = original


def alone(given: list[Any]) -> Any:
    """Keras wants a single input without a list around it."""
    return given if len(given) > 1 else given[0]


def spatial_layers(model: keras.Model, height: int, width: int) -> tuple[str, ...]:
    """Return the names of the operations that keep the picture's geometry (px), in the order in which they ran.

    One that runs twice is left out: its two outputs would be taken for one.
    """
    parts = operations(model)
    names = {id(part): name for name, part in parts.items()}
    runs: Counter[str] = Counter()
    found: list[str] = []

    def hook(part: Any, output: Any) -> Any:
        name = names[id(part)]
        runs[name] += 1
        if _is_grid(tuple(getattr(output, "shape", ())), height, width):
            found.append(name)
        return output

    shapes = {4: (1, height, width, 3)}
    given = [np.zeros(shapes.get(len(each.shape), (1, *each.shape[1:])), np.float32) for each in model.inputs]
    with hooked(parts.values(), hook):
        model(alone(given), training=False)
    return tuple(name for name in found if runs[name] == 1)


def _is_grid(shape: tuple[Any, ...], height: int, width: int) -> bool:
    """Whether (1, rows, columns, K) has more than one place each way, not more than the picture, and its shape."""
    if len(shape) != 4 or shape[0] != 1:
        return False
    rows, columns = shape[1:3]
    if not (1 < rows <= height and 1 < columns <= width):
        return False
    return bool(rows == columns if height == width else abs(rows - height * columns / width) <= 1)
