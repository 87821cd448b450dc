"""A loaded network as an ONNX graph, made in a process that never saw the uploaded file."""

import io
import tempfile
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

from classifier.inference.classifier import Classifier
from classifier.inference.graph import graph
from classifier.inference.graph.graph import CLINICAL, FEATURES, LOGITS, OPSET, PICTURE, FeatureLayer

ERRORS_ONLY = 3


def export(classifier: Classifier) -> tuple[bytes, FeatureLayer | None, str]:
    """Return the graph, where its features are, and else why the framework must map. Raises GraphError."""
    try:
        model = _folded(_exporters[classifier.manifest.framework](classifier))
    except Exception as error:  # the exporters raise kinds of their own for what they do not know
        raise graph.GraphError(f"it cannot be written as a graph: {' '.join(str(error).split())[:200]}") from error
    rank = next((len(output.type.tensor_type.shape.dim) for output in model.graph.output if output.name == FEATURES), 0)
    whole = FeatureLayer(FEATURES, tuple(range(rank)), classifier.layout) if classifier.layout and rank else None
    model, feature_layer, reason = graph.finish(model, whole)
    content = model.SerializeToString()
    graph.parse(content)
    return content, feature_layer, reason


def _folded(model: onnx.ModelProto) -> onnx.ModelProto:
    """Have ONNX Runtime compute what is constant; the operators stay those of the standard."""
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(Path(folder, "folded.onnx"))
        options.log_severity_level = ERRORS_ONLY
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return onnx.load(options.optimized_model_filepath)


def _export_torch(classifier: Any) -> onnx.ModelProto:
    torch = import_module("torch")
    spec = classifier.manifest.input
    network, layer = classifier.network, classifier.layer

    class WithFeatures(torch.nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, pictures: Any) -> Any:
            seen: list[Any] = []
            hook = None
            if layer:
                hook = network.get_submodule(layer).register_forward_hook(
                    lambda module, given, output: seen.append(output.clone())
                )
            logits = network(pictures)
            if hook:
                hook.remove()
            return (logits, seen[-1]) if layer else logits

    names = [LOGITS, FEATURES] if layer else [LOGITS]
    file = io.BytesIO()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            WithFeatures().eval(),
            (torch.zeros(2, 3, spec.height, spec.width),),
            file,
            dynamo=False,
            opset_version=OPSET,
            input_names=[PICTURE],
            output_names=names,
            dynamic_axes={name: {0: "n"} for name in (PICTURE, *names)},
        )
    return onnx.load_model_from_string(file.getvalue())


def _export_keras(classifier: Any) -> onnx.ModelProto:
    keras, tf = import_module("keras"), import_module("tensorflow")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import_module("keras.src.export.tf2onnx_lib").patch_tf2onnx()
    tf2onnx = import_module("tf2onnx")
    from classifier.inference.networks.keras import leaves

    model = classifier.model
    for layer in leaves(model):
        if isinstance(layer, keras.layers.Normalization):  # tensors would become inputs of the graph
            layer.mean, layer.variance = np.asarray(layer.mean), np.asarray(layer.variance)
    spec, weights = classifier.manifest.input, model.weights
    shapes = {4: ((None, spec.height, spec.width, 3), PICTURE), 2: (None, CLINICAL)}
    signature = []
    for tensor in model.inputs:
        shape, name = shapes[len(tensor.shape)]
        signature.append(tf.TensorSpec(shape or (None, tensor.shape[1]), tf.float32, name=name))
    names = [f"weight_{position}" for position in range(len(weights))]
    signature += [tf.TensorSpec(own.shape, own.dtype, name=name) for own, name in zip(weights, names, strict=True)]

    def answer(*given: Any) -> Any:
        """Weights are inputs here: as constants they would be copied dozens of times on the way."""
        inputs, values = given[: len(model.inputs)], given[len(model.inputs) :]
        with keras.StatelessScope(state_mapping=list(zip(weights, values, strict=True))):
            logits, features = classifier.run_graph(list(inputs))
        named = {LOGITS: tf.identity(logits, LOGITS)}
        return named | ({FEATURES: tf.identity(features, FEATURES)} if classifier.layer else {})

    written: onnx.ModelProto
    written, _storage = tf2onnx.convert.from_function(tf.function(answer), input_signature=signature, opset=OPSET)
    values = dict(zip(names, weights, strict=True))
    taken = [given.name for given in written.graph.input if given.name in values]
    written.graph.initializer.extend(numpy_helper.from_array(np.asarray(values[name]), name) for name in taken)
    own = [given for given in written.graph.input if given.name not in values]
    del written.graph.input[:]
    written.graph.input.extend(own)
    return written


_exporters = {"torch": _export_torch, "keras": _export_keras}
