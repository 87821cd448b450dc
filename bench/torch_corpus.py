"""Networks of timm, torchvision and smp, saved in each layout that people use: how many are admitted, and are alike?

    python -m bench.torch_corpus            the table of docs/checkpoints.md, in Markdown
    python -m bench.torch_corpus --every    each network in each layout, not in the first and two more in turn

Weights are random, with running statistics that are not those of a new network. The source's own logits are the oracle.
Files are read and rebuilt as in the confined child, in this process; the sandbox has tests of its own.
"""

import argparse
import io
import sys
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from classifier.admission.formats.sniff import Kind
from classifier.admission.refusal import Refusal, RefusalCode
from classifier.admission.report import Report
from classifier.admission.torch import load, rebuild
from classifier.inference.input.manifest import PartialManifest
from classifier.inference.networks import torch_architectures

CLASSES = 7
TOLERANCE = 1e-4
TIMM = {
    "EfficientNet": "efficientnet_b0 efficientnet_b2 tf_efficientnet_b0 tf_efficientnet_b3 efficientnetv2_rw_t "
    "tf_efficientnetv2_b0 tf_efficientnet_lite0 mixnet_s",
    "ResNet": "resnet18 resnet34 resnet50 resnet26d resnext50_32x4d seresnet50 resnet50d resnetblur50 resnetv2_50 "
    "ecaresnet26t",
    "MobileNet": "mobilenetv2_100 mobilenetv3_large_100 mobilenetv3_small_100 tf_mobilenetv3_small_100 "
    "mobilenetv4_conv_small",
    "ConvNeXt": "convnext_atto convnext_tiny convnextv2_atto convnextv2_nano",
    "ViT": "vit_tiny_patch16_224 deit_tiny_patch16_224 deit_tiny_distilled_patch16_224 vit_small_patch16_224 "
    "swin_tiny_patch4_window7_224",
}
TORCHVISION = (
    "resnet18 resnet50 wide_resnet50_2 resnext50_32x4d efficientnet_b0 efficientnet_b2 efficientnet_v2_s "
    "mobilenet_v2 mobilenet_v3_small mobilenet_v3_large convnext_tiny densenet121 googlenet inception_v3 "
    "shufflenet_v2_x1_0 squeezenet1_1 mnasnet1_0 regnet_y_400mf swin_t vit_b_16 vgg11_bn alexnet"
)
SMP = (
    "efficientnet-b0 efficientnet-b2 resnet18 resnet50 densenet121 mobilenet_v2 timm-efficientnet-b0 vgg11_bn mit_b0 "
    "xception"
)
PACKAGE = "efficientnet-b0 efficientnet-b2"
State = dict[str, torch.Tensor]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="families and names that contain this")
    parser.add_argument("--every", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    worst: dict[str, float] = defaultdict(float)
    for number, (family, architecture) in enumerate(networks()):
        if options.only in f"{family} {architecture['name']}":
            turn = [0, 1 + 2 * number % (len(LAYOUTS) - 1), 1 + (2 * number + 1) % (len(LAYOUTS) - 1)]
            layouts = [name for place, name in enumerate(LAYOUTS) if options.every or place in turn]
            for layout, verdict, difference in tried(architecture, layouts):
                rows[family][verdict] += 1
                worst[family] = max(worst[family], difference)
                tell(f"{architecture['family']} {architecture['name']}, {layout}: {verdict}, {difference:.1e}")
    print(table(rows, worst))


def networks() -> Iterator[tuple[str, dict[str, Any]]]:
    for family, names in TIMM.items():
        yield from ((f"timm {family}", {"family": "timm", "name": name}) for name in names.split())
    yield from (("torchvision", {"family": "torchvision", "name": name}) for name in TORCHVISION.split())
    yield from (("smp encoder and head", {"family": "smp-encoder", "name": name}) for name in SMP.split())
    yield from (("efficientnet_pytorch", {"family": "efficientnet-pytorch", "name": name}) for name in PACKAGE.split())


def tried(architecture: dict[str, Any], layouts: list[str]) -> Iterator[tuple[str, str, float]]:
    """Yield the layout, what became of the file, and the largest difference from the source's logits."""
    began = time.monotonic()
    torch.manual_seed(0)
    network = torch_architectures.build(architecture, CLASSES)
    enliven(network)
    for layout in layouts:
        make, kind = LAYOUTS[layout]
        source = network.half().float() if layout == "half precision" else network
        yield layout, *verdict(make(source.state_dict()), kind, source, architecture)
    tell(f"{architecture['name']}: {time.monotonic() - began:.0f} s")


def enliven(network: nn.Module) -> None:
    for name, tensor in network.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.3, 1.2)
        elif name.endswith("running_mean"):
            tensor.normal_(0, 0.1)


def verdict(content: bytes, kind: Kind, source: nn.Module, architecture: dict[str, Any]) -> tuple[str, float]:
    try:
        return "admitted", difference(content, kind, source, {})
    except Refusal as refusal:
        if refusal.problem.code != "needs-choice":
            return refusal.problem.code, 0.0
        offered = [candidate["architecture"] for candidate in refusal.problem.candidates]
    if architecture not in offered:
        return "not among the candidates", 0.0
    try:
        return "after a choice", difference(content, kind, source, {"architecture": architecture})
    except Refusal as refusal:
        return refusal.problem.code, 0.0


def difference(content: bytes, kind: Kind, source: nn.Module, manifest: dict[str, Any]) -> float:
    """Admit as the child does. Raises Refusal, also where the answers are others: a wrong network was built."""
    weights = load.read(io.BytesIO(content), kind)
    rebuilt = rebuild.rebuild(weights.tensors, PartialManifest.model_validate(manifest), Report())
    side = torch_architectures.fixed_side(source) or 96
    pictures = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        own = source(pictures).numpy()
    found = float(np.abs(rebuilt.native(pictures.permute(0, 2, 3, 1).numpy(), None) - own).max() / np.abs(own).max())
    if found > TOLERANCE:
        raise Refusal(RefusalCode.CONVERSION_DIFFERS, f"differs by {found}", "")
    return found


def _saved(content: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, **options)
    return file.getvalue()


def _prefixed(state: State, prefix: str) -> State:
    return {prefix + name: tensor for name, tensor in state.items()}


def _checkpoint(state: State) -> dict[str, Any]:
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(3))])
    return {"epoch": 3, "model_state_dict": state, "optimizer": optimizer.state_dict(), "best": np.float64(0.7)}


def _lightning(state: State) -> dict[str, Any]:
    settings = argparse.Namespace(rate=np.float32(0.1), classes=CLASSES)
    inside = {**_prefixed(state, "model."), "criterion.weight": torch.ones(CLASSES)}
    return {"state_dict": inside, "hyper_parameters": settings, "pytorch-lightning_version": "2.4.0", "callbacks": {}}


def _safetensors(state: State) -> bytes:
    from safetensors.torch import save

    return bytes(save({name: tensor.contiguous().clone() for name, tensor in state.items()}))


def _renamed_head(state: State) -> bytes:
    """The whole network as `backbone`, with a network around it."""
    return _saved({"net": _prefixed(state, "backbone.")})


LAYOUTS: dict[str, tuple[Callable[[State], bytes], Kind]] = {
    "bare": (_saved, Kind.ZIP),
    "wrapped checkpoint": (lambda state: _saved(_checkpoint(state)), Kind.ZIP),
    "DataParallel": (lambda state: _saved({"state_dict": _prefixed(state, "module.")}), Kind.ZIP),
    "Lightning": (lambda state: _saved(_lightning(state)), Kind.ZIP),
    "backbone.": (_renamed_head, Kind.ZIP),
    "safetensors": (_safetensors, Kind.SAFETENSORS),
    "before PyTorch 1.6": (lambda state: _saved(state, _use_new_zipfile_serialization=False), Kind.TORCH_LEGACY),
    "half precision": (
        lambda state: _saved({name: t.half() if t.is_floating_point() else t for name, t in state.items()}),
        Kind.ZIP,
    ),
}


def table(rows: dict[str, Counter[str]], worst: dict[str, float]) -> str:
    lines = [
        "| networks | files | admitted | after a choice | refused, or another network | largest difference |",
        "| --- | " + "--: | " * 5,
    ]
    for family, counts in rows.items():
        lines.append(line(family, counts, worst[family]))
    lines.append(line("all", sum(rows.values(), Counter()), max(worst.values(), default=0.0)))
    return "\n".join(lines)


def line(name: str, counts: Counter[str], worst: float) -> str:
    refused = {code: count for code, count in counts.items() if code not in ("admitted", "after a choice")}
    why = f" ({', '.join(f'{code} {count}' for code, count in refused.items())})" if refused else ""
    cells = (
        name,
        counts.total(),
        counts["admitted"],
        counts["after a choice"],
        f"{sum(refused.values())}{why}",
        f"{worst:.0e}",
    )
    return f"| {' | '.join(map(str, cells))} |"


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
