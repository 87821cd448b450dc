"""`python -m bench.setting_check [--models …] [--seeds N] [--sizes …]`: what setting checks claim of real models.

Each model is registered with a wrong class order, blue first and from −1 to 1, then checked on labelled pictures of
SKINSITE_SHARED in several draws. Prints a Markdown table; a claim is right where it is what the model's source says.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from PIL import Image

from classifier.admission.admit import admit
from classifier.inference import bundle, classifier
from classifier.inference.input.clinical import Clinical
from classifier.inference.input.manifest import InputSpec
from evaluation.metrics.taxonomy import in_classes
from evaluation.setting import candidates
from evaluation.setting.drawing import draw
from evaluation.setting.evidence import Pictures
from evaluation.setting.search import FREE, Question, Search
from evaluation.setting.titles import UNDETERMINED
from evaluation.setting.verdict import Verdict, judge

DATA = Path(os.environ.get("SKINSITE_SHARED", "../shared"), "data")
BATCH = 16
A_CLASS = 60
"""Pictures of each class in the pool that the balanced draws come from."""
SHARES = {"nv": 6705, "mel": 1113, "bkl": 1099, "bcc": 514, "akiec": 327, "vasc": 142, "df": 115}
LAYERS = [
    {"type": "conv2d", "name": "conv1", "out": 32, "kernel": 3, "stride": 1, "padding": 1},
    {"type": "relu"},
    {"type": "maxpool2d", "kernel": 2},
    {"type": "conv2d", "name": "conv2", "out": 64, "kernel": 3, "stride": 1, "padding": 1},
    {"type": "relu"},
    {"type": "maxpool2d", "kernel": 2},
    {"type": "flatten"},
    {"type": "linear", "name": "fc1", "out": 128},
    {"type": "relu"},
    {"type": "linear", "name": "fc2", "out": 7},
]
ALPHABETICAL = ["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]


@dataclass(frozen=True)
class Known:
    """A model, the manifest that its source supports, and the parts of its setting that are known for certain."""

    file: Path
    manifest: dict[str, Any]
    truth: dict[str, str]
    wrong_order: Sequence[str]
    labels: str = "diagnosis"


def known_models() -> dict[str, Known]:
    demo = Path(__file__).parents[1] / "demo"
    plain = {"color": "rgb", "scaling": "0 to 1"}
    exact = {"color": "rgb", "scaling": "ImageNet mean and deviation", "resize": "stretch"}
    exact |= {"interpolation": "bicubic", "antialias": "yes", "output": "softmax"}
    eight = list(candidates.ORDERS["ISIC 2019"])
    mnist = list(candidates.ORDERS["HAM10000-MNIST"])
    layers = {"architecture": {"family": "layers", "layers": LAYERS}, "input": {"width": 28, "height": 28}}
    return {
        "shivansh65, 28 px": Known(
            DATA / "models" / "shivansh65__skin_model.pth", {"classes": mnist} | layers, plain, ALPHABETICAL
        ),
        "itsprizrak, 32 px": Known(
            DATA / "models" / "itsprizrak__skin_cancer_32px_7.h5", {"classes": ALPHABETICAL}, plain, mnist
        ),
        "Vivekg28, one sigmoid": Known(
            DATA / "models" / "Vivekg28__melanoma_model.h5", {"classes": ["nv", "mel"]}, plain, ["mel", "nv"]
        ),
        "demo EfficientNet-B2": Known(
            demo / "efficientnet_b2.pth",
            json.loads((demo / "efficientnet_b2.json").read_text()),
            exact,
            sorted(eight),
            "diagnosis8",
        ),
    }


class Asked:
    """A loaded model that answers for any input; each answer is computed once."""

    def __init__(self, known: Known, folder: Path) -> None:
        result = admit(upload=known.file, manifest=known.manifest, into=folder)
        if not result.accepted or result.bundle is None:
            raise SystemExit(f"{known.file.name} was refused: {result.error}")
        self.known = known
        self.network = classifier.load(bundle.read(result.bundle))
        self.manifest = self.network.manifest
        with (DATA / "labels.csv").open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["file"]]
        places = {row["image"]: in_classes(row[known.labels], self.manifest.codes) for row in rows}
        self.rows = [row for row in rows if places[row["image"]]]
        self.labels = [str(places[row["image"]]) for row in self.rows]
        self.pictures: dict[int, Any] = {}
        self.answers: dict[tuple[InputSpec, int], Any] = {}

    def logits(self, spec: InputSpec, pictures: Sequence[int]) -> Any:
        missing = [place for place in pictures if (spec, place) not in self.answers]
        nobody = Clinical(age=None, sex=None, site=None)
        for start in range(0, len(missing), BATCH):
            batch = missing[start : start + BATCH]
            shown = [self.pixels(place) for place in batch]
            found = classifier.logits(self.network, shown, [nobody] * len(batch), spec)
            self.answers |= {(spec, place): row for place, row in zip(batch, found, strict=True)}
        return np.stack([self.answers[spec, place] for place in pictures])

    def pixels(self, place: int) -> Any:
        if place not in self.pictures:
            with Image.open(DATA / self.rows[place]["file"]) as picture:
                self.pictures[place] = np.asarray(picture.convert("RGB"))
        return self.pictures[place]


def sampled(asked: Asked, size: int, mixture: str, rng: np.random.Generator) -> list[int]:
    """Return pictures of the pool: as many of each class, or mixed as in HAM10000."""
    by_class = {code: [p for p, label in enumerate(asked.labels) if label == code] for code in set(asked.labels)}
    if mixture == "balanced":
        pool = [place for code in sorted(by_class) for place in by_class[code][:A_CLASS]]
        chosen = draw([asked.labels[p] for p in pool], [asked.rows[p]["lesion_id"] for p in pool], seed=0, most=10**6)
        order = rng.permutation(sorted((*chosen.search, *chosen.test)))
        turns = Counter[str]()
        ranked = []
        for place in order:
            code = asked.labels[pool[place]]
            ranked.append((turns[code], pool[place]))
            turns[code] += 1
        return [place for _turn, place in sorted(ranked)[:size]]
    shares = np.array([SHARES.get(row["diagnosis"], 0) for row in asked.rows], float)
    totals = Counter(row["diagnosis"] for row in asked.rows)
    weights = shares / np.array([totals[row["diagnosis"]] for row in asked.rows])
    return list(rng.choice(len(weights), size, replace=False, p=weights / weights.sum()))


def checked(asked: Asked, chosen: Sequence[int], seed: int, *, permuted: bool) -> tuple[Question, Verdict]:
    """Check the model as it was wrongly registered."""
    labels = [asked.labels[place] for place in chosen]
    if permuted:
        labels = [labels[place] for place in np.random.default_rng(seed).permutation(len(labels))]
    units = [asked.rows[place]["lesion_id"] for place in chosen]
    drawn = draw(labels, units, seed=seed)
    halves = {"search": drawn.search, "test": drawn.test}
    present = tuple(sorted(set.intersection(*({labels[p] for p in half} for half in halves.values()))))
    kept = {name: [p for p in half if labels[p] in present] for name, half in halves.items()}
    pictures = {
        name: Pictures.of([present.index(labels[p]) for p in half], [units[p] for p in half], seed=seed)
        for name, half in kept.items()
    }
    registered = candidates.scaled(asked.manifest.input, "bgr", candidates.SCALINGS[2])
    registered = registered.but(interpolation="bilinear")
    question = Question(registered, tuple(asked.known.wrong_order), asked.manifest.output, present, pictures)  # type: ignore[arg-type]
    search = Search(question, lambda spec, half: asked.logits(spec, [chosen[p] for p in kept[half]]))
    return question, judge(search, seed=seed, open_output=asked.manifest.framework == "torch")


def row_of(asked: Asked, size: int, mixture: str, seeds: int) -> dict[str, Any]:
    """Count what `seeds` checks claim, and which claims are wrong."""
    counts = Counter[str]()
    known, codes = asked.known, asked.manifest.codes
    for seed in range(seeds):
        chosen = sampled(asked, size, mixture.split(",")[0], np.random.default_rng(1000 + seed))
        question, verdict = checked(asked, chosen, seed, permuted="permuted" in mixture)
        counts["claims"] += verdict.speaks
        if verdict.order.confirmed and verdict.order.value != FREE:
            right = candidates.orders(question.codes)[verdict.order.value] == codes
            counts["order" if right else "wrong"] += 1
        for part in verdict.parts:
            if part.confirmed and part.name in known.truth:
                counts[part.name if part.value == known.truth[part.name] else "wrong"] += 1
            elif part.confirmed:
                counts[f"{part.name} (truth unknown): {part.value}"] += 1
        for entry in verdict.classes:
            if entry.state != UNDETERMINED and entry.output is not None:
                counts["classes" if codes[entry.output] == entry.code else "wrong"] += 1
    return {"images": size, "mixture": mixture, "runs": seeds, "counts": dict(counts), "classes": len(codes)}


def lines(name: str, rows: Sequence[dict[str, Any]]) -> list[str]:
    shown = []
    for row in rows:
        counts, runs = Counter(row["counts"]), row["runs"]
        rest = {key: counts[key] for key in ("resize", "interpolation", "antialias", "output") if counts[key]}
        rest |= {key: count for key, count in counts.items() if "unknown" in key}
        others = ", ".join(f"{key} {count}" for key, count in rest.items()) or "–"
        cells = [name, row["images"], row["mixture"], f"{counts['claims']}/{runs}", f"{counts['order']}/{runs}"]
        cells += [f"{counts['color']}/{runs}", f"{counts['scaling']}/{runs}"]
        cells += [f"{counts['classes']}/{runs * row['classes']}", others, f"**{counts['wrong']}**"]
        shown.append(f"| {' | '.join(map(str, cells))} |")
    return shown


HEAD = ["model", "images", "mixture", "claims", "order", "RGB", "range", "classes", "other claims", "wrong claims"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="*", default=list(known_models()))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="*", default=[300, 100, 30])
    parser.add_argument("--mixtures", nargs="*", default=["balanced", "HAM10000", "balanced, labels permuted"])
    parser.add_argument("--one", help="one model in this process, as JSON")
    told = parser.parse_args()
    if told.one:
        with tempfile.TemporaryDirectory() as folder:
            asked = Asked(known_models()[told.one], Path(folder))
            cells = [(size, mixture) for mixture in told.mixtures for size in told.sizes]
            for size, mixture in cells:
                if "permuted" not in mixture or size == max(told.sizes):
                    print(json.dumps(row_of(asked, size, mixture, told.seeds)), flush=True)
        return
    print(f"| {' | '.join(HEAD)} |\n|{' --- |' * len(HEAD)}", flush=True)
    for name in told.models:
        command = [sys.executable, "-m", "bench.setting_check", "--one", name, "--seeds", str(told.seeds)]
        command += ["--sizes", *map(str, told.sizes), "--mixtures", *told.mixtures]
        run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        print("\n".join(lines(name, [json.loads(line) for line in run.stdout.splitlines()])), flush=True)


if __name__ == "__main__":
    main()
