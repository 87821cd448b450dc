"""The pictures of HAM10000: their split by lesion, the class-wise draw of an epoch, decoding and augmentation."""

import csv
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from network import CLASSES
from numpy.typing import NDArray
from PIL import Image
from pretrained import IMAGENET_MEAN, IMAGENET_STD
from torch import Tensor
from torch.nn import functional

SEED = 20261124
HELD_OUT_SHARE = 0.1


@dataclass(frozen=True)
class Picture:
    """One row of labels.csv; native is empty where only the small file is here."""

    image: str
    label: int
    lesion: str
    native: str
    small: str

    @property
    def best(self) -> str:
        return self.native or self.small


def read_labels(data: Path, split: str) -> list[Picture]:
    """Return the pictures of a split ("train" or "val"), sorted by name."""
    with (data / "labels.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == split]
    return sorted(
        (
            Picture(row["image"], CLASSES.index(row["diagnosis8"]), row["lesion_id"], row["file"], row["file_small"])
            for row in rows
        ),
        key=lambda picture: picture.image,
    )


def split_by_lesion(pictures: list[Picture]) -> tuple[list[Picture], list[Picture]]:
    """Return (train, held out): a tenth of the lesions of every diagnosis is held out, whole."""
    lesions: dict[int, list[str]] = defaultdict(list)
    for lesion, label in sorted({picture.lesion: picture.label for picture in pictures}.items()):
        lesions[label].append(lesion)
    rng = np.random.default_rng(SEED)
    held_out: set[str] = set()
    for label in sorted(lesions):
        order = rng.permutation(lesions[label])
        held_out.update(order[: round(HELD_OUT_SHARE * len(order))])
    train = [picture for picture in pictures if picture.lesion not in held_out]
    return train, [picture for picture in pictures if picture.lesion in held_out]


def decode(path: Path, size: int) -> NDArray[np.uint8]:
    """Return the picture stretched to a square with Pillow's antialiased bicubic: (size, size, 3)."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.BICUBIC))


def decode_all(data: Path, files: list[str], size: int) -> Tensor:
    """Return the files as one uint8 tensor (N, 3, size, size), channels last in memory."""
    out = np.empty((len(files), size, size, 3), np.uint8)
    with ThreadPoolExecutor(2) as pool:
        for index, pixels in enumerate(pool.map(lambda file: decode(data / file, size), files)):
            out[index] = pixels
    return torch.from_numpy(out).permute(0, 3, 1, 2)


def normalise(pixels: Tensor) -> Tensor:
    """Return the input of the network for pixels in [0, 1]: (N, 3, H, W)."""
    mean = torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1)
    return (pixels - mean) / torch.tensor(IMAGENET_STD).view(1, 3, 1, 1)


class Pool:
    """The training pictures in memory, each in its small and, where there is one, its native version.

    Rare diagnoses have native files far more often than nevi. So that sharpness does not tell the diagnosis, the same
    share of every class is drawn from the native files.
    """

    NATIVE_SHARE = 0.3

    def __init__(self, data: Path, pictures: list[Picture], size: int) -> None:
        small = [(picture.small, picture.label) for picture in pictures]
        native = [(picture.native, picture.label) for picture in pictures if picture.native]
        self.pixels = decode_all(data, [file for file, _ in small + native], size)
        self.labels = torch.tensor([label for _, label in small + native])
        self.first_native = len(small)

    def class_counts(self, draws: int, power: float) -> NDArray[np.int64]:
        """Return how often each class is drawn in an epoch: in proportion to its size to a power."""
        sizes = np.bincount(self.labels[: self.first_native].numpy(), minlength=len(CLASSES)).astype(float)
        return np.round(draws * sizes**power / (sizes**power).sum()).astype(np.int64)

    def draw(self, draws: int, power: float, rng: np.random.Generator) -> Tensor:
        """Return the shuffled rows of one epoch: (about draws,)."""
        rows = np.arange(len(self.labels))
        chosen = []
        for label, count in enumerate(self.class_counts(draws, power)):
            of_class = rows[self.labels.numpy() == label]
            native = of_class[of_class >= self.first_native]
            share = round(self.NATIVE_SHARE * count)
            chosen += [cycle(native, share, rng), cycle(of_class[of_class < self.first_native], count - share, rng)]
        return torch.from_numpy(rng.permutation(np.concatenate(chosen)))


def cycle(rows: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return count rows: all rows in random order, as often as needed."""
    rounds = [rng.permutation(rows) for _ in range(-(-count // len(rows)))]
    return np.concatenate(rounds)[:count]


def augment(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Return a batch turned, moved, coloured and cut, ready for the network: uint8 (N, 3, S, S) -> float."""
    batch = colour(sharpness(pixels.float() / 255, generator), generator)
    batch = normalise(turn(batch, generator))
    return cut(batch, generator).contiguous(memory_format=torch.channels_last)


def uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    """Return count uniform numbers, shaped to scale a batch: (count, 1, 1, 1)."""
    return torch.empty(count, 1, 1, 1).uniform_(low, high, generator=generator)


def sharpness(batch: Tensor, generator: torch.Generator) -> Tensor:
    """Blur or sharpen each picture a little: small files are softer than native ones."""
    soft = functional.avg_pool2d(batch, 3, stride=1, padding=1, count_include_pad=False)
    return batch + (batch - soft) * uniform(len(batch), -0.6, 1.0, generator)


def colour(batch: Tensor, generator: torch.Generator) -> Tensor:
    """Change brightness, contrast, saturation and the tint of the light of each picture."""
    count = len(batch)
    grey = batch.mean(1, keepdim=True)
    batch = grey + (batch - grey) * uniform(count, 0.8, 1.2, generator)
    level = batch.mean((1, 2, 3), keepdim=True)
    tint = torch.empty(count, 3, 1, 1).uniform_(0.93, 1.07, generator=generator)
    batch = level + (batch - level) * uniform(count, 0.8, 1.2, generator)
    return (batch * tint * uniform(count, 0.85, 1.15, generator)).clamp(0, 1)


def turn(batch: Tensor, generator: torch.Generator) -> Tensor:
    """Flip and quarter-turn every picture exactly; rotate, zoom and shift half of them by interpolation."""
    flips = torch.randint(0, 8, (len(batch),), generator=generator)
    batch = torch.stack([dihedral(picture, int(flip)) for picture, flip in zip(batch, flips, strict=True)])
    half = len(batch) // 2
    angle = uniform(half, -np.pi / 4, np.pi / 4, generator).view(-1)
    scale = uniform(half, 0.7, 1.1, generator).view(-1)
    shift = torch.empty(half, 2).uniform_(-0.1, 0.1, generator=generator)
    stretch = uniform(half, 0.85, 1.18, generator).view(-1)
    theta = torch.stack(
        [
            torch.stack([scale * angle.cos() * stretch, -scale * angle.sin(), shift[:, 0]], 1),
            torch.stack([scale * angle.sin(), scale * angle.cos() / stretch, shift[:, 1]], 1),
        ],
        1,
    )
    grid = functional.affine_grid(theta, list(batch[:half].shape), align_corners=False)
    moved = functional.grid_sample(batch[:half], grid, padding_mode="reflection", align_corners=False)
    return torch.cat([moved, batch[half:]])


def dihedral(picture: Tensor, number: int) -> Tensor:
    """Return one of the eight symmetries of a square picture (3, S, S)."""
    if number >= 4:
        picture = picture.flip(2)
    return picture.rot90(number % 4, (1, 2))


def cut(batch: Tensor, generator: torch.Generator) -> Tensor:
    """Blank one square of a third of the side in every second picture."""
    side = batch.shape[-1]
    corners = torch.randint(0, side - side // 3, (len(batch), 2), generator=generator)
    for picture, (top, left) in zip(batch[::2], corners.tolist(), strict=False):
        picture[:, top : top + side // 3, left : left + side // 3] = 0
    return batch
