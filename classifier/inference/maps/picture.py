"""A heat map to take away: picture and map in one, and below it in words and numbers what is shown."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from classifier.inference.input.images import Pixels
from classifier.inference.maps import render

GROUND, INK, SOFT = "#1b1d20", "#e9e9e6", "#a9adb5"
SIDE = 1024
MARGIN, LINE, TEXT = 20, 26, 18
BAR = (260, 14)


def compose(pixels: Pixels, layer: Image.Image, opacity: float, lines: Sequence[str], ends: tuple[str, str]) -> bytes:
    """Return a PNG: the picture under the layer at `opacity` (0 to 1), the lines, and the scale between its `ends`.

    The longer side of the picture is that of the layer, which covers it wholly.
    """
    picture = Image.fromarray(pixels).resize(layer.size, Image.Resampling.LANCZOS).convert("RGBA")
    faint = layer.copy()
    faint.putalpha(layer.getchannel("A").point([round(value * opacity) for value in range(256)]))
    picture.alpha_composite(faint)
    font = ImageFont.load_default(TEXT)
    wide = max(picture.width + 2 * MARGIN, BAR[0] * 2)
    wrapped = [part for line in lines for part in _wrapped(line, font, wide - 2 * MARGIN)]
    page = Image.new("RGB", (wide, picture.height + 3 * MARGIN + (len(wrapped) + 1) * LINE), GROUND)
    page.paste(picture.convert("RGB"), ((wide - picture.width) // 2, MARGIN))
    draw = ImageDraw.Draw(page)
    top = picture.height + 2 * MARGIN
    _scale(page, draw, font, top, ends)
    for number, line in enumerate(wrapped, start=1):
        draw.text((MARGIN, top + number * LINE), line, fill=INK if number == 1 else SOFT, font=font)
    file = io.BytesIO()
    page.save(file, "PNG", compress_level=6)
    return file.getvalue()


def _scale(
    page: Image.Image, draw: ImageDraw.ImageDraw, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, top: int,
    ends: tuple[str, str],
) -> None:  # fmt: skip
    colours = [bytes.fromhex(colour[1:]) for colour in render.legend_colours(BAR[0])]
    bar = np.tile(np.frombuffer(b"".join(colours), np.uint8).reshape(1, BAR[0], 3), (BAR[1], 1, 1))
    low = draw.textlength(ends[0], font=font)
    left = MARGIN + round(low) + 8
    draw.text((MARGIN, top), ends[0], fill=INK, font=font)
    page.paste(Image.fromarray(bar), (left, top + 4))
    draw.rectangle((left - 1, top + 3, left + BAR[0], top + 4 + BAR[1]), outline=SOFT)
    draw.text((left + BAR[0] + 8, top), ends[1], fill=INK, font=font)


def _wrapped(line: str, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Break a line at its spaces, and a word that is too long anywhere, so that no part is wider than `width` px."""
    parts = [""]
    for word in line.split():
        longer = f"{parts[-1]} {word}".strip()
        if parts[-1] and font.getlength(longer) > width:
            parts.append(word)
        else:
            parts[-1] = longer
        while font.getlength(parts[-1]) > width:
            fits = next(
                length for length in range(1, len(parts[-1])) if font.getlength(parts[-1][: length + 1]) > width
            )
            parts[-1:] = [parts[-1][:fits], parts[-1][fits:]]
    return parts
