"""The stored picture of a labelled image, its mask and its clinical details, as a classifier takes them."""

from typing import Any

import numpy as np
from PIL import Image

from classifier.inference.input.clinical import Clinical
from classifier.inference.input.images import Pixels
from evaluation.metrics.sample import Booleans
from evaluation.models import LabelledImage
from skinsite.jobs import Failure


def pixels_of(image: LabelledImage) -> Pixels:
    """Return the stored picture, uint8 (height, width, 3). Raises Failure where it is gone."""
    return np.asarray(_read(image, image.pixels))


def mask_of(image: LabelledImage) -> Booleans:
    """Return the lesion's mask, (height, width). Raises Failure where it is gone."""
    return np.asarray(_read(image, image.mask), bool)


def _read(image: LabelledImage, stored: Any) -> Any:
    try:
        with stored.open("rb") as file, Image.open(file) as picture:
            return np.asarray(picture)
    except OSError as error:
        message = f"The stored picture of {image.name} is gone or damaged: import the data set again."
        raise Failure("image-missing", message) from error


def clinical_of(image: LabelledImage) -> Clinical:
    return Clinical(age=image.age, sex=image.sex or None, site=image.site or None)
