"""What a rebuilt network says of itself: what it takes, what it gives, how it ends."""

from dataclasses import dataclass
from enum import StrEnum


class Ending(StrEnum):
    """What the last step of a network makes of its scores; the manifest's `output` uses the same words."""

    SOFTMAX = "softmax"
    SIGMOID = "sigmoid"
    LOGITS = "logits"
    LOG_SOFTMAX = "log_softmax"


@dataclass(frozen=True)
class Facts:
    """Sizes in pixels, None where the file leaves them open; `numbers` of clinical input, 0 for none.

    `ending` is None where the last layer is none of the four. `scales` names the layers by which the network itself
    brings pixels to its own range, and `range` is what it expects then; `unread` names one whose doing is not known.
    A `pretrained_family` usually began with weights from ImageNet.
    """

    framework: str
    architecture: str
    outputs: int
    parameters: int
    width: int | None = None
    height: int | None = None
    channels: int = 3
    numbers: int = 0
    ending: Ending | None = None
    scales: tuple[str, ...] = ()
    range: tuple[int, int] = (0, 255)
    unread: str = ""
    pretrained_family: bool = False
