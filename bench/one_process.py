"""`python -m bench.one_process FOLDER`: the page that people would build instead, without the page.

Both models and the grad-cam package in one process, as in a Gradio demo, which answers one person after the other: a
picture is opened, resized, asked of both networks, and the top class of each gets its Grad-CAM, by the package for
PyTorch and by a gradient tape for Keras. HTTP, the queue and the drawing of maps are left out, so it is at
its best. For each line on stdin that names a picture, a line on stdout gives the seconds.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch  # before TensorFlow, which ends in a segmentation fault when it comes first
from PIL import Image

from classifier.inference import bundle as bundles
from classifier.inference.input.clinical import Clinical, encode

Ask = Callable[[Any], Any]


def main(folder: Path) -> None:
    found = {each.framework: each for each in (bundles.read(path, native=True) for path in folder.iterdir())}
    asks = [_torch(found["torch"]), _keras(found["keras"])]
    for line in sys.stdin:
        began = time.perf_counter()
        with Image.open(line.strip()) as picture:
            opened = picture.convert("RGB")
        for ask in asks:
            ask(opened)
        print(time.perf_counter() - began, flush=True)


def _torch(found: bundles.Bundle) -> Ask:
    from pytorch_grad_cam import GradCAM

    from bench.inference import torch_network

    torch.set_num_threads(os.cpu_count() or 1)
    spec, network = found.manifest.input, torch_network(found).requires_grad_(True)
    method = GradCAM(network, [network.get_submodule(found.layer)])
    resampling = getattr(Image.Resampling, spec.interpolation.upper())

    def ask(picture: Image.Image) -> Any:
        values = np.asarray(picture.resize((spec.width, spec.height), resampling), np.float32) / 255
        inputs = torch.from_numpy(((values - spec.mean) / spec.std).astype(np.float32)).permute(2, 0, 1)[None]
        with torch.inference_mode():
            probabilities = network(inputs).softmax(1)
        return probabilities, method(inputs, None)

    return ask


def _keras(found: bundles.Bundle) -> Ask:
    import tensorflow as tf

    from classifier.inference.networks import keras as keras_network
    from classifier.inference.networks.keras_hooks import hooked, operations

    spec, model = found.manifest.input, keras_network.build(found.network)
    keras_network.fill(model, found.tensors)
    vector = tf.constant(encode(spec.clinical, Clinical())[None])
    part = operations(model)[found.layer]

    def ask(picture: Image.Image) -> Any:
        pixels = tf.image.resize(np.asarray(picture), (spec.height, spec.width), spec.interpolation)[None]
        probabilities = model.predict([pixels, vector], verbose=0)
        seen: list[Any] = []

        def hook(_part: Any, features: Any) -> Any:
            tape.watch(features)
            seen.append(features)
            return features

        with tf.GradientTape() as tape, hooked([part], hook):
            score = model([pixels, vector], training=False)[:, int(probabilities[0].argmax())]
        weights = tf.reduce_mean(tape.gradient(score, seen[-1]), (1, 2), keepdims=True)
        return probabilities, tf.nn.relu(tf.reduce_sum(weights * seen[-1], -1)).numpy()

    return ask


if __name__ == "__main__":
    main(Path(sys.argv[1]))
