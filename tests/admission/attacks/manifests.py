"""Sound weights with a manifest that is the attack: names that reach files and hubs, sizes, and text for the page."""

from typing import Any

from tests.admission.attacks import CLASSES, add
from tests.admission.attacks.pickled import PROTO, STOP, dictionary, in_zip, storage, tensor

WEIGHTS = (
    PROTO
    + dictionary(**{"fc.weight": tensor(storage(28), (7, 4), (4, 1)), "fc.bias": tensor(storage(7, "1"), (7,), (1,))})
    + STOP
)


def _with(kind: str, name: str, manifest: dict[str, Any], *, code: str = "", opened_by: str = "torch") -> None:
    add(
        kind,
        name,
        lambda path, _bait: in_zip(path, WEIGHTS, bytes(112), data__1=bytes(28)),
        code=code,
        opened_by=opened_by,
        manifest=manifest,
    )


def _named(name: Any, family: str = "timm") -> dict[str, Any]:
    return {"architecture": {"family": family, "name": name}}


REACHING = "architecture that reaches files or hubs"
for name in ("hf-hub:somebody/model", "hf_hub:somebody/model", "local-dir:/etc", "../../../etc/passwd", "/etc/passwd"):
    _with(REACHING, name, _named(name), code="unknown-architecture")
_with(REACHING, "http://127.0.0.1/model", _named("http://127.0.0.1/model", "torchvision"), code="unknown-architecture")
_with(REACHING, "__import__", _named("__import__", "torchvision"), code="unknown-architecture")
_with(REACHING, "get_model", _named("get_model", "torchvision"), code="unknown-architecture")
_with(REACHING, "from_pretrained", _named("from_pretrained", "efficientnet-pytorch"), code="unknown-architecture")
_with(REACHING, "an unknown family", _named("x", "os"), code="unknown-architecture")
_with(REACHING, "a list in place of a name", _named(["os", "system"]), code="unknown-architecture")
_with(REACHING, "a timm decoder that does not exist", _named("no_such_network"), code="unknown-architecture")
_with(REACHING, "weights to download", {"architecture": {"family": "timm", "name": "resnet18", "pretrained": True}})


def _layers(*layers: Any) -> dict[str, Any]:
    return {"architecture": {"family": "layers", "layers": list(layers)}}


SIZES = "architecture too large"
_with(SIZES, "10,000 layers", _layers(*[{"type": "relu"}] * 10_000))
_with(SIZES, "10,000 linear layers", _layers(*[{"type": "linear", "name": "l", "out": 4}] * 10_000))
_with(SIZES, "a thousand million outputs", _layers({"type": "linear", "name": "fc", "out": 10**9}))
_with(SIZES, "a kernel of a million", _layers({"type": "conv2d", "name": "c", "out": 8, "kernel": 10**6}))
_with(SIZES, "padding of a million", _layers({"type": "conv2d", "name": "c", "out": 8, "kernel": 3, "padding": 10**6}))
_with(SIZES, "a negative kernel", _layers({"type": "maxpool2d", "kernel": -2}))
_with(SIZES, "numbers that are texts", _layers({"type": "linear", "name": "fc", "out": "7; import os"}))
_with(SIZES, "a layer called __class__", _layers({"type": "linear", "name": "__class__", "out": 7}))
_with(SIZES, "a type called __import__", _layers({"type": "__import__", "name": "os"}))
_with(SIZES, "an input of a million", {**_layers({"type": "flatten"}), "input": {"width": 10**6, "height": 10**6}})
_with(SIZES, "layers as a text", {"architecture": {"family": "layers", "layers": "all"}})

TEXTS = "manifest with hostile text"
HTML = "<img src=x onerror=alert(1)>"
_with(TEXTS, "HTML", {"name": HTML, "card": HTML, "classes": [{"code": HTML, "name": HTML}, *CLASSES[1:]]})
_with(TEXTS, "a formula", {"name": "=cmd|'/c calc'!A1", "classes": ["=1+1", *CLASSES[1:]]})
_with(TEXTS, "control characters", {"name": "a\x00\x1b[2J\u202eb", "classes": ["a\x00b", *CLASSES[1:]]})
_with(TEXTS, "a name of a million letters", {"classes": ["n" * 10**6, *CLASSES[1:]]}, code="bad-manifest", opened_by="")
_with(TEXTS, "100,000 classes", {"classes": [str(n) for n in range(100_000)]}, code="bad-manifest", opened_by="")
_with(TEXTS, "an input that is a text", {"input": "../../etc/passwd"}, code="bad-manifest", opened_by="")
_with(TEXTS, "an output that is code", {"output": "__import__('os')"})
_with(TEXTS, "a range without end", {"input": {"width": 32, "height": 32, "range": [-1e308, 1e308]}})
