"""Model files as Keras 2 wrote them, made by hand; and what the portal's reader answers for one, in a Keras process."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Weights = dict[str, list[tuple[str, Floats]]]
GENERATOR = np.random.default_rng(5)


def numbers(*shape: int) -> Floats:
    return GENERATOR.uniform(0.2, 1.0, shape).astype("float32")


def layer(kind: str, name: str, *before: Any, **config: Any) -> dict[str, Any]:
    """A layer as Keras 2.4 writes it, called once with the layers `before`."""
    references = [[entry, 0, 0, {}] if isinstance(entry, str) else entry for entry in before]
    inner = {"name": name, "trainable": True, "dtype": "float32", **config}
    return {"class_name": kind, "config": inner, "name": name, "inbound_nodes": [references] if references else []}


def image(side: int = 4) -> dict[str, Any]:
    shape = [None, side, side, 3]
    return layer("InputLayer", "image", batch_input_shape=shape, sparse=False, ragged=False)


def function(called: str, kind: str, before: Any, **options: Any) -> dict[str, Any]:
    """A TFOpLambda: its call has one list less around it than a layer's."""
    made = layer("TFOpLambda", called, function=kind)
    return made | {"inbound_nodes": [[*(before if isinstance(before, list) else [before, 0, 0]), options]]}


def functional(*layers: dict[str, Any], name: str = "model") -> dict[str, Any]:
    ports = {"input_layers": [[layers[0]["name"], 0, 0]], "output_layers": [[layers[-1]["name"], 0, 0]]}
    return {"class_name": "Functional", "config": {"name": name, "layers": list(layers), **ports}}


def ended(*layers: dict[str, Any]) -> dict[str, Any]:
    """A whole network: an image, the layers, the mean over the picture, and no more: its scores are plain numbers."""
    return functional(image(), *layers, layer("GlobalAveragePooling2D", "gap", layers[-1]["name"]))


def write(path: Path, config: dict[str, Any] | None, weights: Weights, *, version: str = "2.4.0") -> Path:
    """Write a whole model, or only weights, in the layout of Keras 2: names in attributes, one group a layer."""
    with h5py.File(path, "w") as file:
        group = file
        if config is not None:
            file.attrs["model_config"] = json.dumps(config).encode()
            file.attrs["training_config"] = json.dumps({"loss": {"class_name": "Mine", "config": {}}}).encode()
            group = file.create_group("model_weights")
            file.create_group("optimizer_weights").create_dataset("Adam/iter:0", data=np.int64(3))
        file.attrs["keras_version"] = version.encode()
        group.attrs["layer_names"] = [name.encode() for name in weights]
        for name, arrays in weights.items():
            top = group.require_group(name)
            top.attrs["weight_names"] = [full.encode() for full, _array in arrays]
            for full, array in arrays:
                top.create_dataset(full, data=array)
    return path


def answer(path: Path, manifest: dict[str, Any], pictures: Floats) -> tuple[Floats, list[str], dict[str, Any]]:
    """The rebuilt network's numbers for pictures (n, side, side, 3), the report's lines, and what it says of itself."""
    from classifier.admission.keras import facts, load
    from classifier.admission.manifest.merge import read_declared
    from classifier.admission.report import Report

    report, declared = Report(), read_declared(manifest)
    with path.open("rb") as file:
        saved = load.read_hdf5(file, declared, report)
        model = load.rebuild(saved, declared, report)
    load.describe(model)
    lines = [row["detail"] for row in report.rows]
    return facts.native(model)(pictures, None), lines, vars(facts.read(model))


def refusal(path: Path, manifest: dict[str, Any]) -> tuple[str, str, str]:
    """The code, the sentence and the hint with which a file is refused before or while it is rebuilt."""
    from classifier.admission.refusal import Refusal

    try:
        answer(path, manifest, numbers(1, 4, 4, 3))
    except Refusal as refused:
        return refused.problem.code, refused.problem.message, refused.problem.hint
    raise AssertionError(f"{path.name} was taken")
