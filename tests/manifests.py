"""Complete manifests for tests and benches: what is left out is as plain as it can be."""

from typing import Any

from classifier.admission.manifest.merge import merge
from classifier.inference.input.manifest import Manifest, PartialManifest

PLAIN = PartialManifest.model_validate(
    {
        "output": "softmax",
        "input": {
            "resize": "stretch",
            "interpolation": "bilinear",
            "antialias": True,
            "color": "rgb",
            "range": [0, 1],
            "mean": [0, 0, 0],
            "std": [1, 1, 1],
            "clinical": "none",
        },
    }
)


def complete(**declared: Any) -> Manifest:
    return merge(PartialManifest.model_validate(declared), PLAIN)
