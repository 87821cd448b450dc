"""`python -m bench.graphs [FAMILY:NAME:SIDE …]`: how near graphs are to their framework, one line a network.

Networks of timm, torchvision and keras.applications with random weights (normalisation statistics drawn too, so that
no layer is trivial), one random input: the largest difference of a logit as a share of the largest logit, the largest
difference of Grad-CAM as a share of its largest value, seconds to write the graph. Each network has a process of its
own; without arguments all of them, the table of docs/performance.md.
"""

import dataclasses
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from classifier.admission.stages import export_onnx
from classifier.inference import bundle as bundles
from classifier.inference.classifier import Classifier, load
from classifier.inference.graph import graph as graphs
from classifier.inference.input.manifest import Manifest
from classifier.inference.maps import methods
from tests.manifests import complete

TORCHVISION = """resnet18 vgg11 densenet121 mobilenet_v3_small convnext_tiny swin_t vit_b_16 googlenet squeezenet1_1
shufflenet_v2_x0_5 alexnet mnasnet0_5 regnet_y_400mf efficientnet_b0"""
TIMM = """resnet18d seresnet50 resnest14d tf_efficientnet_b0 mobilenetv3_small_050 convnext_atto nfnet_l0 dpn48b
regnetx_002 nest_tiny pit_ti_224 vit_tiny_patch16_224 deit_tiny_distilled_patch16_224 swin_tiny_patch4_window7_224"""
KERAS = "MobileNetV2 EfficientNetB0 ResNet50V2 DenseNet121 VGG16 ConvNeXtTiny NASNetMobile"
LARGE = ("timm:inception_v3:299", "timm:xception41:299", "keras:InceptionV3:299", "keras:Xception:299")
NETWORKS = (
    *(f"torchvision:{name}:224" for name in TORCHVISION.split()),
    *(f"timm:{name}:224" for name in TIMM.split()),
    *(f"keras:{name}:224" for name in KERAS.split()),
    *LARGE,
)
CLASSES = 7


def compare(network: str) -> dict[str, Any]:
    family, name, side = network.split(":")
    with tempfile.TemporaryDirectory() as folder:
        found = (
            _keras(name, int(side), Path(folder))
            if family == "keras"
            else _torch(family, name, int(side), Path(folder))
        )
        native = load(found)
        began = time.monotonic()
        try:
            content, feature_layer, reason = export_onnx.export(native)
        except graphs.GraphError as error:
            return {"network": network, "reason": str(error)}
        row: dict[str, Any] = {"network": network, "seconds": round(time.monotonic() - began, 1), "reason": reason}
        graph = bundles.Graph(content, feature_layer and feature_layer.to_json())
        other = load(dataclasses.replace(found, layer=native.layer, graph=graph))
        return row | _apart(native, other, int(side), maps=feature_layer is not None)


def _apart(native: Classifier, other: Classifier, side: int, *, maps: bool) -> dict[str, Any]:
    picture = np.random.default_rng(0).normal(size=(1, side, side, 3)).astype(np.float32)
    method = methods.method("grad-cam") if maps else None
    ours, theirs = (each.output(picture, None, method) for each in (other, native))
    row = {
        "layer": native.layer,
        "logits": float(np.abs(ours.logits - theirs.logits).max() / np.abs(theirs.logits).max()),
    }
    if ours.maps is not None and theirs.maps is not None:
        size = float(np.abs(theirs.maps).max())
        row |= {
            "maps": float(np.abs(ours.maps - theirs.maps).max()) / size if size else 0.0,
            "grid": ours.maps.shape[2:],
        }
    return row


def _manifest(framework: str, side: int, **more: Any) -> Manifest:
    classes = [{"code": f"c{number}", "name": f"Class {number}", "malignant": None} for number in range(CLASSES)]
    given = {"framework": framework, "classes": classes, "input": {"width": side, "height": side}, "output": "logits"}
    return complete(**given, **more)


def _torch(family: str, title: str, side: int, folder: Path) -> bundles.Bundle:
    import torch

    from classifier.inference.networks import torch_architectures

    torch.manual_seed(0)
    architecture = {"family": family, "name": title}
    network = torch_architectures.build(architecture, CLASSES)
    for name, buffer in network.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_(0, 0.1)
        elif name.endswith("running_var"):
            buffer.uniform_(0.5, 1.5)
    for module in network.modules():
        if isinstance(module, torch.nn.Linear) and not module.weight.any():
            torch.nn.init.normal_(module.weight, std=0.05)
    tensors = {key: value.numpy() for key, value in network.state_dict().items()}
    manifest = _manifest("torch", side, architecture=architecture)
    described = {"architecture": architecture, "outputs": CLASSES}
    bundles.write(folder, manifest=manifest, network=described, tensors=tensors)
    return bundles.read(folder)


def _keras(name: str, side: int, folder: Path) -> bundles.Bundle:
    import keras

    from classifier.inference.networks import keras as keras_network

    keras.utils.set_random_seed(0)
    build = getattr(keras.applications, name)
    model = build(weights=None, input_shape=(side, side, 3), classes=CLASSES, classifier_activation=None)
    config = keras.saving.serialize_keras_object(model)
    bundles.write(folder, manifest=_manifest("keras", side), network=config, tensors=keras_network.dump(model))
    return bundles.read(folder)


def main() -> None:
    if len(sys.argv) == 3 and sys.argv[1] == "--one":
        print(json.dumps(compare(sys.argv[2])))
        return
    print("| network | logits | Grad-CAM | grid | layer | to write, s | |\n|---|---|---|---|---|---|---|")
    for network in sys.argv[1:] or NETWORKS:
        command = [sys.executable, "-m", "bench.graphs", "--one", network]
        ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
        row = json.loads(ran.stdout.splitlines()[-1]) if ran.returncode == 0 else {"reason": f"status {ran.returncode}"}
        numbers = [f"{row[name]:.1g}" if name in row else "–" for name in ("logits", "maps")]
        grid = "×".join(map(str, row.get("grid", ()))) or "–"
        rest = (grid, row.get("layer") or "–", row.get("seconds", "–"), row.get("reason") or "")
        print(f"| {network} | {' | '.join(numbers)} | {' | '.join(map(str, rest))} |", flush=True)


if __name__ == "__main__":
    main()
