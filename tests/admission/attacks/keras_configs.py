"""Keras configurations that name code, files and addresses, or a network that fits no machine."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.admission.attacks import Bait, add

Layer = dict[str, Any]


def layer(name: str, label: str, module: str = "keras.layers", /, **config: Any) -> Layer:
    return {"module": module, "class_name": name, "registered_name": None, "config": {"name": label, **config}}


def first(side: int = 32) -> Layer:
    return layer("InputLayer", "picture", batch_shape=[None, side, side, 3], dtype="float32")


def last(units: int = 7) -> Layer:
    return layer("Dense", "dense", units=units, activation="softmax")


FLAT = layer("Flatten", "flat")


def sequential(*layers: Layer, **more: Any) -> dict[str, Any]:
    config = {"name": "net", "layers": list(layers)}
    return {"module": "keras", "class_name": "Sequential", "registered_name": None, "config": config, **more}


CONFIG = json.dumps(sequential(first(), FLAT, last())).encode()


def weights(kernel: Any = None, bias: Any = None) -> bytes:
    """The weights of `CONFIG` as a `.keras` archive holds them."""
    file = io.BytesIO()
    with h5py.File(file, "w") as made:
        group = made.create_group("layers/dense/vars")
        group["0"] = np.zeros((32 * 32 * 3, 7), np.float32) if kernel is None else kernel
        group["1"] = np.zeros(7, np.float32) if bias is None else bias
    return file.getvalue()


def save(path: Path, config: Any, content: bytes | None = None) -> None:
    text = config if isinstance(config, bytes) else json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", b"{}")
        archive.writestr("config.json", text)
        archive.writestr("model.weights.h5", weights() if content is None else content)


def _with(kind: str, label: str, make: Any, *, code: str = "", opened_by: str = "") -> None:
    """`make` is a configuration, or a function of the bait that gives one."""

    def write(path: Path, bait: Bait) -> None:
        save(path, make(bait) if callable(make) else make)

    add(kind, label, write, code=code, opened_by=opened_by)


def _calls(module: str, name: str, /, **config: Any) -> Layer:
    return sequential(first(), layer(name, "evil", module, **config), FLAT, last())


CODE = "config that names code"
_with(CODE, "os.system as a layer", lambda bait: _calls("os", "system", command=bait.command), code="custom-layer")
_with(CODE, "subprocess.Popen", lambda bait: _calls("subprocess", "Popen", args=bait.command), code="custom-layer")
_with(CODE, "a module of this portal", _calls("skinsite.sandbox.child", "main"), code="custom-layer")
_with(CODE, "Lambda with byte code", _calls("keras.layers", "Lambda", function="4wEAAAAA"), code="lambda-layer")
_with(
    CODE,
    "a pickle in TorchModuleWrapper",
    _calls("keras.layers", "TorchModuleWrapper", module="gASVIAAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAJpZJSFlFKULg=="),
    code="custom-layer",
)
_with(
    CODE,
    "builtins.eval as an activation",
    lambda bait: sequential(
        first(),
        FLAT,
        layer(
            "Dense",
            "dense",
            units=7,
            activation={
                "module": "builtins",
                "class_name": "function",
                "config": "eval",
                "registered_name": "eval",
            },
        ),
    ),
    code="foreign-function",
)
_with(
    CODE,
    "__lambda__ in an initialiser",
    sequential(first(), FLAT, last() | {"config": {"units": 7, "kernel_initializer": {"class_name": "__lambda__"}}}),
    code="lambda-layer",
)
_with(
    CODE,
    "a registered name",
    sequential(first(), {**layer("Dense", "dense"), "registered_name": "builtins>exec"}),
    code="custom-layer",
)
_with(
    CODE,
    "the model's own class",
    {"module": "os", "class_name": "popen", "registered_name": None, "config": {"layers": []}},
    code="foreign-class",
)
_with(CODE, "a loss function with code", lambda bait: _compiled(bait), opened_by="keras")


def _compiled(bait: Bait) -> Layer:
    """What only training needs is dropped: the file is sound without it and may pass."""
    loss = {"module": "os", "class_name": "system", "config": {"command": bait.command}}
    return sequential(first(), FLAT, last(0), compile_config={"loss": loss})


FILES = "config that names files"
_with(
    FILES,
    "TFSMLayer of a path",
    lambda bait: _calls("keras.layers", "TFSMLayer", filepath=str(bait.secret)),
    code="custom-layer",
)
_with(
    FILES,
    "a vocabulary file",
    lambda bait: _calls("keras.layers", "StringLookup", vocabulary=str(bait.secret)),
    code="custom-layer",
)
_with(
    FILES,
    "text vectorisation from an address",
    lambda bait: _calls("keras.layers", "TextVectorization", vocabulary=bait.url),
    code="custom-layer",
)
_with(
    FILES,
    "TensorFlow Hub",
    lambda bait: _calls("tensorflow_hub", "KerasLayer", handle=bait.url),
    code="custom-layer",
)
_with(FILES, "an address as a module", lambda bait: _calls(bait.url, "Dense", units=7), code="custom-layer")
_with(
    FILES,
    "keras.utils.get_file",
    lambda bait: _calls("keras.utils", "get_file", origin=bait.url),
    code="custom-layer",
)

SIZE = "config of a network too large"
_with(
    SIZE,
    "10,000 layers",
    sequential(first(), *(layer("Activation", f"a{n}", activation="relu") for n in range(10_000)), FLAT, last()),
    code="too-many-layers",
)
_with(SIZE, "10,000 models inside each other", lambda bait: _nested(10_000))
_with(SIZE, "a thousand million units", sequential(first(), FLAT, last(10**9)), opened_by="keras")
_with(
    SIZE,
    "a kernel of 100,000",
    sequential(
        first(), layer("Conv2D", "conv", filters=64, kernel_size=[100_000, 100_000], padding="same"), FLAT, last()
    ),
    opened_by="keras",
)
_with(
    SIZE,
    "padding of a million",
    sequential(first(), layer("ZeroPadding2D", "pad", padding=[[10**6, 10**6], [10**6, 10**6]]), FLAT, last()),
    opened_by="keras",
)
_with(
    SIZE,
    "a picture blown up 40,000 times",
    sequential(
        first(),
        layer("UpSampling2D", "up", size=[40_000, 40_000]),
        layer("GlobalAveragePooling2D", "mean"),
        last(),
    ),
    opened_by="keras",
)
_with(
    SIZE,
    "resizing to a million",
    sequential(first(), layer("Resizing", "size", height=10**6, width=10**6), layer("GlobalMaxPooling2D", "m"), last()),
    opened_by="keras",
)
_with(SIZE, "an input of 100,000 by 100,000", sequential(first(100_000), FLAT, last()), opened_by="keras")
_with(
    SIZE, "ten million outputs", sequential(first(), layer("GlobalMaxPooling2D", "m"), last(10**7)), opened_by="keras"
)
_with(SIZE, "a negative size", sequential(first(), FLAT, last(-7)), opened_by="keras")


def _nested(depth: int) -> bytes:
    """Written as text: the JSON writer would not go so deep."""
    start = b'{"module":"keras","class_name":"Sequential","registered_name":null,"config":{"name":"n","layers":['
    return start * depth + b"]}}" * depth


def _node(*names: str) -> list[Any]:
    tensors = [
        {
            "class_name": "__keras_tensor__",
            "config": {"shape": [None, 7], "dtype": "float32", "keras_history": [n, 0, 0]},
        }
        for n in names
    ]
    return [{"args": tensors if len(tensors) == 1 else [tensors], "kwargs": {}}]


def _functional(*layers: tuple[Layer, list[Any]], inputs: str = "picture", output: str = "dense") -> dict[str, Any]:
    listed = [{**made, "name": made["config"]["name"], "inbound_nodes": nodes} for made, nodes in layers]
    config = {
        "name": "net",
        "layers": listed,
        "input_layers": [[inputs, 0, 0]],
        "output_layers": [[output, 0, 0]],
    }
    return {"module": "keras", "class_name": "Functional", "registered_name": None, "config": config}


def _dense(name: str) -> Layer:
    return layer("Dense", name, units=7)


GRAPH = "config of an impossible graph"
_with(
    GRAPH,
    "a circle of two layers",
    _functional((first(), []), (_dense("a"), _node("b")), (_dense("b"), _node("a")), (last(), _node("b"))),
    opened_by="keras",
)
_with(GRAPH, "a layer fed by itself", _functional((first(), []), (last(), _node("dense"))), opened_by="keras")
_with(GRAPH, "a layer that does not exist", _functional((first(), []), (last(), _node("ghost"))), opened_by="keras")
_with(GRAPH, "an output that does not exist", _functional((first(), []), output="ghost"), opened_by="keras")
_with(GRAPH, "layers as a text", {**sequential(), "config": {"name": "net", "layers": "all"}}, opened_by="keras")
_with(GRAPH, "no layers at all", sequential(), opened_by="keras")

NAMES = "names of layers"
for label, name in (
    ("goes up", "../../../etc/cron.d/x"),
    ("HTML", "<script>alert(1)</script>"),
    ("formula", "=HYPERLINK(1)"),
    ("a megabyte long", "n" * 10**6),
    ("control characters", "a\x00\x1b[2J\u202e"),
):
    _with(NAMES, label, sequential(first(), FLAT, {**last(), "config": {"name": name, "units": 5}}), opened_by="keras")

JSON = "config that is no configuration"
_with(JSON, "nested 100,000 deep", b'{"class_name":' + b"[" * 100_000 + b"]" * 100_000 + b"}", code="damaged")
_with(JSON, "a list", b"[]", code="damaged")
_with(JSON, "a number of a million digits", b'{"class_name": ' + b"9" * 10**6 + b"}", code="damaged")
_with(JSON, "40 MB of blanks", b" " * (40 * 1024**2) + b"{}", code="too-large")
_with(JSON, "a class that is no text", {"class_name": ["Dense"], "config": {}}, code="damaged")


def _filled(kernel: Any = None, bias: Any = None) -> Any:
    return lambda path, _bait: save(path, CONFIG, weights(kernel, bias))


NUMBERS = "weights that are no numbers"
NAN = np.full(7, np.nan, np.float32)
add(NUMBERS, "NaN", _filled(bias=NAN), code="not-finite", opened_by="keras")
add(NUMBERS, "infinite", _filled(bias=np.full(7, np.inf, np.float32)), code="not-finite", opened_by="keras")
add(NUMBERS, "another shape", _filled(bias=np.zeros((3, 3), np.float32)), opened_by="keras")
