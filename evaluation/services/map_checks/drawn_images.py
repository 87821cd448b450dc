"""Pictures that every installation has: drawn lesions with exact masks, as labelled images that no data set holds."""

import io
from collections.abc import Callable, Iterator
from typing import Any

from django.core.files.base import ContentFile
from PIL import Image

from evaluation.models import LabelledImage
from evaluation.phantoms import Phantom, draw

IMAGES = 60
"""More than the 50 that the figures need: some masks or maps of a model may not be usable."""
SEED = 2
"""Not that of the demo data set."""


class Gallery:
    """Draws its pictures, (width, height) px, once in the life of a process, each of another lesion: some seconds."""

    def __init__(self, size: tuple[int, int] = (320, 240)) -> None:
        self._coming: Iterator[Phantom] = draw(images=IMAGES, lesions=IMAGES, size=size, seed=SEED)
        self._here: list[LabelledImage] = []

    def pictures(self, between: Callable[[], None]) -> list[LabelledImage]:
        """Return all, calling `between` after each that is drawn; if that raises, the next call goes on from there."""
        for phantom in self._coming:
            self._here.append(_unsaved(phantom, len(self._here) + 1))
            between()
        return list(self._here)


def _unsaved(phantom: Phantom, number: int) -> LabelledImage:
    """An image with its files in memory, numbered from 1."""
    height, width = phantom.mask.shape
    return LabelledImage(
        pk=number,
        name=phantom.name,
        label=phantom.code,
        lesion=phantom.lesion,
        age=phantom.age,
        sex=phantom.sex,
        site=phantom.site,
        pixels=_png(phantom.pixels),
        mask=_png(phantom.mask),
        width=width,
        height=height,
    )


def _png(pixels: Any) -> ContentFile:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return ContentFile(file.getvalue(), name="drawn.png")


gallery = Gallery()
