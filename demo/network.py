"""The network of the demo model: an EfficientNet-B2 encoder with one linear head."""

from pathlib import Path

import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn

CLASSES = ("mel", "nv", "bcc", "ak", "bkl", "df", "vasc", "scc")
DROPOUT = 0.3


class Classifier(nn.Module):
    """Logits of eight diagnoses: (N, 3, H, W) -> (N, 8)."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = smp.encoders.get_encoder("efficientnet-b2", in_channels=3, depth=5, weights=None)
        self.head = smp.base.heads.ClassificationHead(
            in_channels=self.encoder.out_channels[-1],
            classes=len(CLASSES),
            pooling="avg",
            dropout=DROPOUT,
            activation=None,
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(x)[-1])


def save_half(model: nn.Module, path: Path) -> None:
    """Write the raw state dict, its floats as float16."""
    state = {key: value.half() if value.is_floating_point() else value for key, value in model.state_dict().items()}
    torch.save(state, path)


def load(path: Path) -> Classifier:
    """Return the classifier of a state dict, in float32 and evaluation mode."""
    model = Classifier()
    model.load_state_dict(torch.load(path, weights_only=True))  # noqa: TID251
    return model.eval()
