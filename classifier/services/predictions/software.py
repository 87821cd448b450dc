"""The versions of the software that a result depends on."""

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

PACKAGES = (
    "numpy",
    "pillow",
    "torch",
    "keras",
    "tensorflow",
    "segmentation-models-pytorch",
    "timm",
    "onnxruntime",
    "onnxruntime-gpu",
)


@cache
def versions() -> dict[str, str]:
    """Return {package: version}, read from the installed packages without importing them."""
    found = {name: _version(name) for name in PACKAGES}
    return {"python": platform.python_version()} | {name: number for name, number in found.items() if number}


def _version(name: str) -> str:
    """Empty where it is not installed: one of the two ONNX Runtimes."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
