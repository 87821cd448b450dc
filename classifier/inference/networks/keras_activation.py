"""The activation at the end of a Keras network, and how it is taken off, so that the network answers with logits."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from classifier.inference.input.manifest import OutputActivation
from classifier.inference.networks.keras_hooks import calls, is_model
from classifier.inference.outputs import LARGEST, SMALLEST

if TYPE_CHECKING:
    import keras

SHAPING = ("Flatten", "Reshape", "Dropout", "Identity")
KINDS: Mapping[str, OutputActivation] = {"Softmax": "softmax", "Sigmoid": "sigmoid", "LogSoftmax": "log_softmax"}
ACTIVATIONS: Mapping[str, OutputActivation] = {
    "softmax": "softmax",
    "sigmoid": "sigmoid",
    "log_softmax": "log_softmax",
    "linear": "logits",
}
LAST_AXIS = (-1, (-1,), [-1], 1, (1,), [1])


def output_activation(model: "keras.Model") -> OutputActivation | None:
    """Return what the last step makes of the scores, None for none of the manifest's words."""
    return _activation(_last(model))


def is_removable(model: "keras.Model") -> bool:
    """Whether the output activation can be taken off: it is known, and what makes it is not used elsewhere too."""
    last = _last(model)
    return _activation(last) is not None and _uses(model, last) == 1


def to_logits(model: "keras.Model", output: str) -> Callable[[Any], Any]:
    """Take a final softmax, sigmoid or log softmax off; return what makes logits (N, C) of what the network says then.

    Probabilities that cannot be taken apart (the mean of two heads) stay, and their logits are log p, or log p/(1 - p)
    for sigmoids: exact for the probabilities. Raises ValueError where the network ends otherwise than with `output`.
    """
    found = output_activation(model)
    if found is not None and output != "logits" and found != output:
        raise ValueError(f"the network ends with {found}, not with {output}: its last layer is {_last(model).name}")
    if output == "logits":
        return _as_it_is
    if not is_removable(model):
        return {"softmax": _log, "sigmoid": _log_odds}.get(output, _as_it_is)
    last = _last(model)
    if type(last).__name__ in KINDS:
        last.call = lambda inputs, *args, **kwargs: inputs
    else:
        last.activation = _as_it_is
    return _as_it_is


def _last(model: "keras.Model") -> Any:
    """The operation that makes the scores; what stands behind it and only changes their shape is looked through."""
    tensor = model.outputs[0]
    while True:
        operation, node, place = tensor._keras_history
        if is_model(operation):
            tensor = operation.outputs[place]
        elif type(operation).__name__ in SHAPING:
            tensor = operation._inbound_nodes[node].input_tensors[0]
        else:
            return operation


def _activation(operation: Any) -> OutputActivation | None:
    if type(operation).__name__ in KINDS:
        return KINDS[type(operation).__name__] if getattr(operation, "axis", -1) in LAST_AXIS else None
    return ACTIVATIONS.get(getattr(getattr(operation, "activation", None), "__name__", ""))


def _uses(model: "keras.Model", operation: Any) -> int:
    """How often the network runs the operation for one answer."""
    return sum(_uses(part, operation) if is_model(part) else part is operation for part in calls(model))


def _as_it_is(numbers: Any) -> Any:
    return numbers


def _log(probabilities: Any) -> Any:
    from keras import ops

    return ops.log(ops.clip(probabilities, SMALLEST, 1))


def _log_odds(probabilities: Any) -> Any:
    from keras import ops

    kept = ops.clip(probabilities, SMALLEST, LARGEST)
    return ops.log(kept) - ops.log1p(-kept)
