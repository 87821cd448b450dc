"""The configuration of a Keras model, checked as data: only built-in parts, before Keras sees a word of it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from classifier.admission.refusal import Refusal, RefusalCode

MAX_BYTES = 32 * 1024**2
MAX_DEPTH = 120
MAX_LAYERS = 3000  # NASNetLarge has 1,039


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LAYERS = _words(
    """
    Activation ActivityRegularization AdaptiveAveragePooling2D AdaptiveMaxPooling2D Add AdditiveAttention
    AlphaDropout Attention Average AveragePooling1D AveragePooling2D AveragePooling3D BatchNormalization
    BatchNormalizationV1 BatchNormalizationV2 Bidirectional CategoryEncoding CenterCrop Concatenate Conv1D
    Conv1DTranspose Conv2D Conv2DTranspose Conv3D Convolution2D Cropping1D Cropping2D Dense DepthwiseConv1D
    DepthwiseConv2D Dot Dropout ELU EinsumDense Embedding Flatten GRU GaussianDropout GaussianNoise
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D GlobalMaxPooling2D GroupNormalization
    GroupQueryAttention Identity InputLayer LSTM LayerNormalization LeakyReLU Masking MaxPooling1D MaxPooling2D
    MaxPooling3D Maximum Minimum MultiHeadAttention Multiply Normalization PReLU Permute RMSNormalization
    RandomBrightness RandomContrast RandomCrop RandomFlip RandomHeight RandomRotation RandomTranslation RandomWidth
    RandomZoom ReLU RepeatVector Rescaling Reshape Resizing SeparableConv1D SeparableConv2D SeparableConvolution2D
    SimpleRNN Softmax SpatialDropout1D SpatialDropout2D SpectralNormalization Subtract ThresholdedReLU
    TimeDistributed UnitNormalization UpSampling1D UpSampling2D ZeroPadding1D ZeroPadding2D
    """
)
MODELS = frozenset(("Functional", "Sequential", "Model"))
INITIALIZERS = _words(
    """
    Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity IdentityInitializer LecunNormal LecunUniform
    Ones Orthogonal OrthogonalInitializer RandomNormal RandomUniform TruncatedNormal VarianceScaling Zeros
    """
)
REGULARIZERS = frozenset(("L1", "L1L2", "L2", "OrthogonalRegularizer"))
CONSTRAINTS = frozenset(("MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"))
ACTIVATIONS = _words(
    """
    celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu linear
    log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus
    sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink threshold
    """
)
OPERATIONS = _words(
    """
    Abs Absolute Add Amax Amin Average AveragePool BatchNorm Cast Clip Concatenate Conv DepthToSpace DepthwiseConv
    Divide Einsum Elu Erf Exp ExpandDims Flip Gelu GetItem HardSigmoid HardSilu HardTanh LayerNorm LeakyRelu Log
    LogSoftmax Matmul Max MaxPool Maximum Mean Min Minimum Moveaxis Multiply Negative Normalize Pad Power Reciprocal
    Relu Relu6 Repeat Reshape Resize Rsqrt Selu Sigmoid Silu Softmax Softplus SpaceToDepth Sqrt Square Squeeze Stack
    Std Subtract Sum Swapaxes Take Tile Transpose TrueDivide Var
    """
)
POLICIES = frozenset(("DTypePolicy", "FloatDTypePolicy", "Policy"))
PLAIN = frozenset(
    ("__keras_tensor__", "__tensor__", "__numpy__", "__ellipsis__", "__slice__", "__tuple__", "TensorShape")
)
# Which names a module may give; what an old file names without a module may come from any of them.
PUBLIC = {
    "keras.layers": LAYERS,
    "keras.initializers": INITIALIZERS,
    "keras.regularizers": REGULARIZERS,
    "keras.constraints": CONSTRAINTS,
    "keras.models": MODELS,
    "keras.dtype_policies": POLICIES,
    "keras.mixed_precision": POLICIES,
    "keras": MODELS | POLICIES,
    # Layers of Keras' own that its applications bring along.
    "keras.src.applications.inception_resnet_v2": frozenset(("CustomScaleLayer",)),
    "keras.src.applications.convnext": frozenset(("LayerScale", "StochasticDepth")),
}
MODEL_MODULES = _words(
    """
    keras.src.models.functional keras.src.models.sequential keras.src.models.model keras.src.engine.functional
    keras.src.engine.sequential keras.engine.functional keras.engine.sequential keras.engine.training
    """
)
OPERATION_MODULES = frozenset(
    ("keras.src.ops.numpy", "keras.src.ops.nn", "keras.src.ops.core", "keras.src.ops.math", "keras.src.ops.image")
)
ANYWHERE = LAYERS | MODELS | INITIALIZERS | REGULARIZERS | CONSTRAINTS | POLICIES

HINT = (
    "Rebuild the model with built-in layers only (a Lambda or custom layer can often be replaced by Rescaling, Reshape "
    "or keras.ops), load the weights into it, and save that."
)


@dataclass(frozen=True)
class Part:
    """One object that the configuration would make: how deep it stands, and its three names."""

    name: str
    module: str | None
    registered: str | None
    label: str
    function: str | None = None


def parse(text: bytes | str) -> dict[str, Any]:
    """Return the model's configuration without what only training needs, at any depth.

    Raises Refusal if it is no JSON object, or nested deeper than a model is.
    """
    if len(text) > MAX_BYTES:
        raise _refusal(RefusalCode.TOO_LARGE, f"The model's configuration is above the limit of {MAX_BYTES:,} bytes.")
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refusal(RefusalCode.DAMAGED, "The model's configuration is not JSON.") from error
    if not isinstance(config, dict):
        raise _refusal(RefusalCode.DAMAGED, "The model's configuration is not a JSON object.")
    for inner in _objects(config):
        if "class_name" in inner:
            inner.pop("compile_config", None)
    return config


def check(config: dict[str, Any]) -> str:
    """Refuse every part that Keras does not bring itself; return a sentence with what the model is made of."""
    top = _part(config)
    if top is None or top.name not in MODELS or not (_is_public(top) or top.module is None):
        found = f"{config.get('module')}.{config.get('class_name')}"
        message = f"The file's model is of the class {found}, not of Keras' Functional or Sequential."
        raise _refusal(RefusalCode.FOREIGN_CLASS, message)
    layers = 0
    for part in _parts(config):
        _check_part(part)
        layers += part.name in LAYERS
        if layers > MAX_LAYERS:
            raise _refusal(RefusalCode.TOO_MANY_LAYERS, f"The model has more than {MAX_LAYERS:,} layers.")
    return f"{top.name} model of {layers} built-in layers"


def _parts(config: Any) -> Iterator[Part]:
    """Yield everything with a class name, at any depth. Raises Refusal for a nesting that is no model's."""
    for value in _objects(config):
        part = _part(value)
        if part is not None:
            yield part


def _objects(config: Any) -> Iterator[dict[str, Any]]:
    """Yield each object before those in it. Raises Refusal for a nesting that is no model's."""
    waiting: list[tuple[Any, int]] = [(config, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise _refusal(RefusalCode.TOO_DEEP, f"The model's configuration is nested more than {MAX_DEPTH} deep.")
        if isinstance(value, dict):
            yield value
            waiting.extend((inner, depth + 1) for inner in value.values())
        elif isinstance(value, list):
            waiting.extend((inner, depth + 1) for inner in value)


def _part(value: dict[str, Any]) -> Part | None:
    if "class_name" not in value:
        return None
    names = [value.get(key) for key in ("class_name", "module", "registered_name")]
    if not all(name is None or isinstance(name, str) for name in names) or names[0] is None:
        raise _refusal(RefusalCode.DAMAGED, "The model's configuration names a class by something that is no text.")
    inner = value.get("config")
    label = inner.get("name") if isinstance(inner, dict) else None
    function = inner if isinstance(inner, str) else None
    return Part(names[0], names[1], names[2], str(label or value.get("name") or ""), function)


def _check_part(part: Part) -> None:
    if part.name in PLAIN:
        return
    if part.name == "function":
        return _check_function(part)
    if part.name in ("Lambda", "__lambda__"):
        message = f"The layer “{part.label or 'lambda'}” is a Lambda: Python code inside the file, which is never run."
        raise _refusal(RefusalCode.LAMBDA_LAYER, message)
    if part.name == "TFOpLambda" or part.name == "SlicingOpLambda":
        message = f"The layer “{part.label}” is a TFOpLambda of Keras 2, which Keras 3 does not know."
        raise _refusal(RefusalCode.TF_OP_LAYER, message)
    if not _is_public(part):
        raise _refusal(
            RefusalCode.CUSTOM_LAYER, f"The layer “{_full_name(part)}” is not part of Keras.{_labelled(part)}"
        )
    return None


def _check_function(part: Part) -> None:
    modules = {None, "builtins", "keras.activations", "keras.src.activations.activations"}
    names = {part.function, part.registered or part.function} - {"function"}
    if part.module not in modules or not names <= ACTIVATIONS:
        message = f"The model calls the function “{part.module}.{part.function}”, which is no activation of Keras."
        raise _refusal(RefusalCode.FOREIGN_FUNCTION, message)


def _is_public(part: Part) -> bool:
    if part.registered not in (None, part.name):
        return False
    if part.module is None:
        return part.registered is None and part.name in ANYWHERE
    if part.module in MODEL_MODULES:
        return part.name in MODELS
    if part.module in OPERATION_MODULES:
        return part.name in OPERATIONS
    return part.name in PUBLIC.get(part.module, ())


def _full_name(part: Part) -> str:
    if part.registered not in (None, part.name):
        return str(part.registered)
    return f"{part.module}.{part.name}" if part.module else part.name


def _labelled(part: Part) -> str:
    return f" (It is named “{part.label}”.)" if part.label else ""


def _refusal(code: RefusalCode, message: str) -> Refusal:
    return Refusal(code, message, HINT, check="configuration")
