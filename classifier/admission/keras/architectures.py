"""Networks for files that hold only weights: a family of keras.applications with a head, or a plain list of layers."""

import inspect
from typing import TYPE_CHECKING, Any

from classifier.admission.manifest.infer import UNKNOWN_SIDE
from classifier.admission.refusal import Refusal, RefusalCode
from classifier.inference.input.manifest import Json, PartialManifest

if TYPE_CHECKING:
    import keras

FAMILIES = ("keras-applications", "keras-layers")
OPTIONS = ("alpha", "depth_multiplier", "minimalistic", "include_preprocessing")
MOST_LAYERS = 200
LARGEST = 100_000
ENTRY_OPTIONS = {
    "dense": ("activation", "use_bias"),
    "conv2d": ("kernel", "strides", "padding", "activation", "use_bias"),
    "separableconv2d": ("kernel", "strides", "padding", "activation", "use_bias"),
    "maxpool2d": ("strides", "padding"),
    "avgpool2d": ("strides", "padding"),
    "batchnorm": ("epsilon", "scale"),
    "dropout": (),
    "activation": (),
    "flatten": (),
    "globalavgpool2d": (),
    "globalmaxpool2d": (),
    "rescaling": ("offset",),
}
EXAMPLE = (
    '{"family": "keras-applications", "name": "MobileNetV2", "head": {"pool": "avg", "layers": [{"dense": 7, '
    '"activation": "softmax"}]}}'
)
HINT = f"Say in the manifest's “architecture” which network the weights belong to, for example {EXAMPLE}."


def build(declared: PartialManifest) -> "keras.Model":
    """Return the network that the manifest names, with random weights. Raises Refusal."""
    architecture = declared.architecture or {}
    family = architecture.get("family")
    if family not in FAMILIES:
        message = f"The family {family!r:.60} is none of Keras: a Keras weights file needs {' or '.join(FAMILIES)}."
        raise _refusal(message)
    size = declared.input
    shape = ((size and size.height) or UNKNOWN_SIDE, (size and size.width) or UNKNOWN_SIDE, 3)
    try:
        if family == "keras-layers":
            return _stack(architecture.get("layers"), shape)
        return _application(architecture, shape, len(declared.classes or ()))
    except (TypeError, ValueError, KeyError, ZeroDivisionError) as error:
        raise _refusal(
            f"The network cannot be made as the manifest says: {' '.join(str(error).split())[:300]}"
        ) from error


def names() -> list[str]:
    """The networks that keras.applications has, by the name of their function."""
    import keras

    found = inspect.getmembers(keras.applications, inspect.isfunction)
    return [name for name, _function in found if name[0].isupper()]


def _application(architecture: Json, shape: tuple[int, int, int], classes: int) -> "keras.Model":
    import keras

    name = architecture.get("name")
    if name not in names():
        raise _refusal(f"keras.applications has no {name!r:.60}; it has {', '.join(names())}.")
    options = architecture.get("options") or {}
    unknown = set(options) - set(OPTIONS)
    if unknown:
        raise _refusal(f"“options” has {', '.join(sorted(unknown))}; known are {', '.join(OPTIONS)}.")
    function = getattr(keras.applications, name)
    head = architecture.get("head")
    if head is None:
        return function(weights=None, input_shape=shape, classes=max(classes, 1), **options)
    base = function(weights=None, input_shape=shape, include_top=False, **options)
    pool = {"avg": "globalavgpool2d", "max": "globalmaxpool2d", "flatten": "flatten"}.get(head.get("pool", "avg"))
    if pool is None:
        raise _refusal("The head's “pool” is avg, max or flatten.")
    tensor = base.output
    for layer in _layers([{pool: True}, *_list(head.get("layers"))]):
        tensor = layer(tensor)
    return keras.Model(base.input, tensor)


def _stack(layers: Any, shape: tuple[int, int, int]) -> "keras.Model":
    import keras

    return keras.Sequential([keras.Input(shape), *_layers(_list(layers))])


def _list(layers: Any) -> list[Json]:
    if not isinstance(layers, list) or not layers or len(layers) > MOST_LAYERS:
        raise _refusal(f"“layers” is a list of 1 to {MOST_LAYERS} layers.")
    return layers


def _layers(layers: list[Json]) -> list["keras.layers.Layer"]:
    return [_layer(entry, position) for position, entry in enumerate(layers)]


def _layer(entry: Any, position: int) -> "keras.layers.Layer":
    """One layer: its kind is the first key, its main number the value, its options the other keys."""
    from keras import layers

    if not isinstance(entry, dict) or not entry:
        raise _refusal(f'Layer {position + 1} is no object like {{"dense": 7, "activation": "softmax"}}.')
    kind = next(iter(entry))
    value, options = entry[kind], {key: given for key, given in entry.items() if key != kind}
    wrong = set(options) - set(ENTRY_OPTIONS.get(kind, ()))
    if kind not in ENTRY_OPTIONS or wrong:
        known = ", ".join(ENTRY_OPTIONS.get(kind, ENTRY_OPTIONS))
        raise _refusal(f"Layer {position + 1} has {', '.join(sorted(wrong)) or repr(kind)}; known are {known}.")
    if kind in ("dense", "conv2d", "separableconv2d") and (type(value) is not int or not 0 < value < LARGEST):
        raise _refusal(f"Layer {position + 1} needs its number of outputs, as in {{“{kind}”: 64}}.")
    if kind == "dense":
        return layers.Dense(value, **options)
    if kind in ("conv2d", "separableconv2d"):
        made = layers.Conv2D if kind == "conv2d" else layers.SeparableConv2D
        return made(value, options.pop("kernel", 3), **options)
    if kind in ("maxpool2d", "avgpool2d"):
        return {"maxpool2d": layers.MaxPooling2D, "avgpool2d": layers.AveragePooling2D}[kind](value, **options)
    if kind == "rescaling":
        return layers.Rescaling(value, **options)
    if kind == "dropout":
        return layers.Dropout(value)
    if kind == "activation":
        return layers.Activation(str(value))
    if kind == "batchnorm":
        return layers.BatchNormalization(**options)
    plain = {
        "flatten": layers.Flatten,
        "globalavgpool2d": layers.GlobalAveragePooling2D,
        "globalmaxpool2d": layers.GlobalMaxPooling2D,
    }
    return plain[kind]()


def _refusal(message: str) -> Refusal:
    return Refusal(RefusalCode.BAD_ARCHITECTURE, message, HINT)
