"""A proven ONNX graph, cut at its feature layer, and the gradients of its head."""
