"""The versions of the software that a result depends on."""

import platform
from functools import cache
from importlib.metadata import version

PACKAGES = (
    "skinsite",
    "numpy",
    "pillow",
    "torch",
    "keras",
    "tensorflow",
    "segmentation-models-pytorch",
    "timm",
    "onnxruntime",
)


@cache
def versions() -> dict[str, str]:
    """Return {package: version}, read from the installed packages without importing them."""
    installed = {name: version(name) for name in PACKAGES if name != "skinsite"}
    return {"python": platform.python_version()} | installed
