"""Layers of Keras 2 that Keras 3 does not have, or has otherwise, put into layers that it brings itself."""

import re
from collections.abc import Iterator
from typing import Any

from classifier.admission.keras.graph import Call, Chain, Layer, Tensor, built_in
from classifier.admission.refusal import Refusal, RefusalCode

# What only changes pictures in training; when it predicts, each of them returns what it was given.
AUGMENTATION = frozenset(
    (
        *("RandomBrightness", "RandomContrast", "RandomFlip", "RandomHeight", "RandomRotation", "RandomTranslation"),
        *("RandomWidth", "RandomZoom", "StochasticDepth", "FixedDropout"),
    )
)
# Keywords that Keras 3 does not take: each may go when it has one of these values (an empty tuple: any).
ANY: tuple[Any, ...] = ()
RECURRENT = {"time_major": (False,), "implementation": ANY, "input_length": ANY, "input_dim": ANY}
SEPARABLE = {"groups": (1,), "kernel_initializer": ANY, "kernel_regularizer": ANY, "kernel_constraint": ANY}
DROPPED: dict[str, dict[str, tuple[Any, ...]]] = {
    "BatchNormalization": {
        "renorm": (False, None),
        "renorm_clipping": (None,),
        "renorm_momentum": ANY,
        "virtual_batch_size": (None,),
        "adjustment": (None,),
        "fused": ANY,
    },
    "Bidirectional": {"time_major": (False,)},
    "Conv1DTranspose": {"groups": (1,)},
    "Conv2DTranspose": {"groups": (1,)},
    "Conv3DTranspose": {"groups": (1,)},
    "DepthwiseConv1D": SEPARABLE | {"filters": ANY},
    "DepthwiseConv2D": SEPARABLE | {"filters": ANY},
    "Embedding": {"input_length": ANY},
    "GRU": RECURRENT,
    "LSTM": RECURRENT,
    "MultiHeadAttention": {"query_shape": ANY, "key_shape": ANY, "value_shape": ANY},
    "SeparableConv1D": SEPARABLE,
    "SeparableConv2D": SEPARABLE,
    "SimpleRNN": RECURRENT,
    "SpatialDropout1D": {"trainable": ANY, "noise_shape": ANY},
    "SpatialDropout2D": {"trainable": ANY, "noise_shape": ANY},
    "SpatialDropout3D": {"trainable": ANY, "noise_shape": ANY},
}
RENAMED_CLASSES = {
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "Convolution2D": "Conv2D",
    "SeparableConvolution2D": "SeparableConv2D",
    "SyncBatchNormalization": "BatchNormalization",
}
ACTIVATIONS = {
    "Addons>gelu": "gelu",
    "Addons>mish": "mish",
    "h_swish": "hard_silu",
    "hard_swish": "hard_silu",
    "hswish": "hard_silu",
    "log_softmax_v2": "log_softmax",
    "softmax_v2": "softmax",
    "swish": "silu",
}
ACTIVATION_KEYS = ("activation", "recurrent_activation")
# keras.applications' InceptionResNetV2 before Keras 2.13 adds its branches in a Lambda of that name.
INCEPTION_BLOCK = re.compile(r"block(35|17|8)_\d{1,2}")
REGISTERED = re.compile(r"\A(Custom|efficientnet|EfficientNet|Addons)>")


def replace(layer: Layer, calls: list[Call]) -> tuple[Chain, str] | None:
    """Return what stands in place of a layer, and a sentence about it, or None where it stays."""
    inner, name = layer["config"], str(layer["name"])
    kind = _kind(layer)
    if kind in AUGMENTATION:
        return [(built_in("Identity", name), calls)], f"{kind} works in training only and is passed through"
    if kind == "ThresholdedReLU":
        relu = built_in("ReLU", name, threshold=inner["theta"])
        return [(relu, calls)], "ThresholdedReLU is a ReLU with a threshold"
    if kind == "LayerScale":
        return _layer_scale(name, int(inner["projection_dim"]), calls), "LayerScale is an EinsumDense"
    scale = _scale_of_sum(kind, layer, calls)
    if scale is not None:
        return _scaled_sum(name, scale, calls), f"{kind} is the first input, and the second times a number"
    if kind == "ScaleLayer" and set(inner) <= {"name", "trainable", "dtype", "scale"} and _is_number(inner["scale"]):
        return [
            (built_in("Rescaling", name, scale=inner["scale"], offset=0.0), calls)
        ], "ScaleLayer is taken for a multiplication"
    if inner.get("activation") == "hard_sigmoid" and not kind.startswith(("LSTM", "GRU", "SimpleRNN")):
        return _hard_sigmoid(layer, calls), "hard_sigmoid of Keras 2 is clip(0.2 x + 0.5), another one than Keras 3's"
    return None


def bring_up_to_date(layer: Layer) -> Iterator[str]:
    """Change a layer's class and keywords in place; yield a sentence for each kind of change."""
    inner = layer["config"]
    kind = str(layer["class_name"])
    layer["class_name"] = kind = RENAMED_CLASSES.get(kind, kind)
    shape = inner.pop("batch_input_shape", None)
    if kind == "InputLayer" and shape is not None:
        inner["batch_shape"] = shape
        yield "batch_input_shape is batch_shape in Keras 3"
    axis = inner.get("axis")
    if kind == "BatchNormalization" and isinstance(axis, list) and len(axis) == 1:
        inner["axis"] = axis[0]
        yield "BatchNormalization's axis is one number in Keras 3"
    for keyword, values in DROPPED.get(kind, {}).items():
        if keyword in inner and (not values or inner[keyword] in values):
            del inner[keyword]
            yield f"{kind} has no {keyword} in Keras 3"
    if kind == "LeakyReLU" and "alpha" in inner:
        inner["negative_slope"] = inner.pop("alpha")
    for key in ACTIVATION_KEYS:
        if isinstance(inner.get(key), str) and inner[key] in ACTIVATIONS:
            inner[key] = ACTIVATIONS[inner[key]]
            yield f"activations have their names of Keras 3 ({inner[key]})"
        if inner.get(key) == "hard_sigmoid":
            message = f"The layer “{inner.get('name', kind)}” ({kind}) works with Keras 2's hard_sigmoid inside."
            hint = "Keras 3's function of that name is another one: train the layer with sigmoid, or leave it out."
            raise Refusal(RefusalCode.OLD_HARD_SIGMOID, message, hint)
    if kind == "GRU":
        inner.setdefault("reset_after", False)


def _scale_of_sum(kind: str, layer: Layer, calls: list[Call]) -> float | None:
    """The number s of a layer that answers x + s·y, or None for any other layer.

    A Lambda's code is never looked at: it is known by its name, its one argument and its two inputs.
    """
    inner = layer["config"]
    if kind == "Lambda" and INCEPTION_BLOCK.fullmatch(str(layer["name"])):
        scale = inner["arguments"].get("scale") if set(inner.get("arguments") or {}) == {"scale"} else None
    else:
        scale = inner.get("scale") if kind in ("CustomScaleLayer", "ScaleLayer") else None
    pairs = all(isinstance(args[0], list) and len(args[0]) == 2 for args, _kwargs in calls)
    return float(scale) if isinstance(scale, int | float) and pairs else None


def _scaled_sum(name: str, scale: float, calls: list[Call]) -> Chain:
    last = f"{name}__sum"
    sums: list[Call] = [([[args[0][0], Tensor(name, number, 0)]], {}) for number, (args, _kwargs) in enumerate(calls)]
    scaled: list[Call] = [([args[0][1]], {}) for args, _kwargs in calls]
    return [(built_in("Rescaling", name, scale=scale, offset=0.0), scaled), (built_in("Add", last), sums)]


def _layer_scale(name: str, channels: int, calls: list[Call]) -> Chain:
    product = built_in("EinsumDense", name, equation="abcd,d->abcd", output_shape=[None, None, channels])
    return [(product, calls)]


def _hard_sigmoid(layer: Layer, calls: list[Call]) -> Chain:
    name = str(layer["name"])
    layer["config"]["activation"] = "linear"
    line = built_in("Rescaling", f"{name}__line", scale=0.2, offset=0.5)
    clip = built_in("ReLU", f"{name}__clip", max_value=1.0)
    return [(layer, calls), (line, _following(name, calls)), (clip, _following(line["name"], calls))]


def _following(name: str, calls: list[Call]) -> list[Call]:
    return [([Tensor(name, number, 0)], {}) for number in range(len(calls))]


def _kind(layer: Layer) -> str:
    return REGISTERED.sub("", str(layer.get("class_name")))


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)
