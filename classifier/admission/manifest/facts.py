"""What a rebuilt network says of itself: what it takes, what it gives, how it ends."""

from dataclasses import dataclass

from classifier.inference.input.manifest import Framework, OutputActivation


@dataclass(frozen=True)
class Facts:
    """Sizes in pixels, None where the file leaves them open; `numbers` of clinical input, 0 for none.

    `output` is what the last step makes of the scores, None where it is none of the manifest's words. `scales` names
    the layers by which the network itself brings pixels to its own range, and `range` is what it expects then; `unread`
    names one whose doing is not known. A `pretrained_family` usually began with weights from ImageNet.
    """

    framework: Framework
    architecture: str
    outputs: int
    parameters: int
    width: int | None = None
    height: int | None = None
    channels: int = 3
    numbers: int = 0
    output: OutputActivation | None = None
    scales: tuple[str, ...] = ()
    range: tuple[int, int] = (0, 255)
    unread: str = ""
    pretrained_family: bool = False
