"""Write the manifest beside the weights: python demo/describe.py SIZE; its card is MODEL_CARD.md."""

import json
import sys
from pathlib import Path

from network import CLASSES, DROPOUT
from pretrained import IMAGENET_MEAN, IMAGENET_STD

HERE = Path(__file__).parent
LICENCE = "CC BY-NC 4.0 (weights trained on HAM10000): non-commercial, credit ViDIR Group, Medical University of Vienna"


def manifest(size: int) -> dict:
    """Return what a program must know to use the weights; size is the input's side in pixels."""
    return {
        "name": "EfficientNet-B2",
        "version": "1",
        "framework": "torch",
        "architecture": {
            "family": "smp-encoder",
            "name": "efficientnet-b2",
            "head": {"pool": "avg", "dropout": DROPOUT},
        },
        "classes": CLASSES,
        "input": {
            "width": size,
            "height": size,
            "resize": "stretch",
            "interpolation": "bicubic",
            "antialias": True,
            "color": "rgb",
            "range": [0, 1],
            "mean": IMAGENET_MEAN,
            "std": IMAGENET_STD,
            "clinical": "none",
        },
        "output": "logits",
        "training_data": [{"name": "HAM10000", "images": "efficientnet_b2.train.txt"}],
        "licence": LICENCE,
        "card": (HERE / "MODEL_CARD.md").read_text(),
    }


if __name__ == "__main__":
    text = json.dumps(manifest(int(sys.argv[1])), indent=2, ensure_ascii=False)
    (HERE / "efficientnet_b2.json").write_text(text + "\n")
