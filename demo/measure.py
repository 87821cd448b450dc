"""Print the figures of the stored weights: python demo/measure.py --data DATA.

The weights are the rounded ones, the pictures are decoded and resized as the manifest says: native 600 x 450 files
where there are any, which in the hold-out are all of the rare diagnoses and few of nv, mel and bkl.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from dataset import Picture, decode_all, read_labels, split_by_lesion
from intervals import Interval, accuracy_interval, balanced_interval, rate_interval
from network import CLASSES, load
from numpy.typing import NDArray
from train import predict

HERE = Path(__file__).parent
SEVEN = ("mel", "nv", "bcc", "akiec", "bkl", "df", "vasc")
TO_SEVEN = np.array([SEVEN.index({"ak": "akiec", "scc": "akiec"}.get(name, name)) for name in CLASSES])


def seven(probabilities: NDArray) -> NDArray:
    """Sum ak and scc: (N, 8) -> (N, 7)."""
    return probabilities @ np.eye(len(SEVEN))[TO_SEVEN]


def line(name: str, value: float, interval: Interval, count: str = "") -> str:
    return f"| {name} | {value:.3f} | {interval[0]:.3f} to {interval[1]:.3f} | {count} |"


def table(title: str, names: tuple[str, ...], scores: NDArray, labels: NDArray, lesions: NDArray) -> str:
    """Return the figures as a Markdown table; scores is (N, classes), labels and lesions are (N,)."""
    right = scores.argmax(1) == labels
    classes = np.unique(labels)
    sensitivity = {label: right[labels == label].mean() for label in classes}
    lines = [f"\n| {title} | value | 95 % interval | pictures (lesions) |", "| --- | --- | --- | --- |"]
    size = f"{len(labels)} ({len(np.unique(lesions))})"
    lines.append(line("accuracy", right.mean(), accuracy_interval(right, lesions), size))
    macro = float(np.mean(list(sensitivity.values())))
    interval = balanced_interval(right, lesions, labels)
    lines.append(line(f"balanced accuracy over {len(classes)}", macro, interval, size))
    for label in classes:
        mine = labels == label
        size = f"{mine.sum()} ({len(np.unique(lesions[mine]))})"
        interval = rate_interval(right[mine], lesions[mine])
        lines.append(line(f"sensitivity {names[label]}", sensitivity[label], interval, size))
    return "\n".join(lines)


def report(title: str, pictures: list[Picture], probabilities: NDArray) -> None:
    """Print the eight-class and the seven-class table."""
    labels = np.array([picture.label for picture in pictures])
    lesions = np.array([picture.lesion for picture in pictures])
    print(table(f"{title}, 8 classes", CLASSES, probabilities, labels, lesions))
    print(table(f"{title}, 7 classes", SEVEN, seven(probabilities), TO_SEVEN[labels], lesions))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=HERE / "efficientnet_b2.pth")
    parser.add_argument("--size", type=int, help="side of the input in pixels; from the manifest if left out")
    options = parser.parse_args()
    size = options.size or json.loads((HERE / "efficientnet_b2.json").read_text())["input"]["width"]
    model = load(options.weights)
    _, held_out = split_by_lesion(read_labels(options.data, "train"))
    for title, pictures in {"val": read_labels(options.data, "val"), "hold-out": held_out}.items():
        pixels = decode_all(options.data, [picture.best for picture in pictures], size)
        probabilities = torch.softmax(predict(model, pixels), 1).numpy().astype(np.float64)
        report(title, pictures, probabilities)


if __name__ == "__main__":
    main()
