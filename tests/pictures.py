"""Pictures for tests and benchmarks, drawn by our own code; nothing of Django here."""

import io
from typing import Any

import numpy as np
from PIL import Image


def picture(seed: int = 0, size: tuple[int, int] = (96, 64), kind: str = "JPEG", **options: Any) -> bytes:
    """Return a picture file of a dark blot on skin, another one for each seed; `size` is (width, height) in px."""
    random = np.random.default_rng(seed)
    width, height = size
    y, x = np.mgrid[:height, :width]
    blot = np.hypot(x - random.uniform(0.3, 0.7) * width, y - random.uniform(0.3, 0.7) * height) < min(size) / 4
    pixels = np.where(blot[..., None], (90, 50, 40), (210, 165, 150)) + random.normal(0, 8, (height, width, 3))
    file = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, kind, **options)
    return file.getvalue()
