"""A public PyTorch model, registered with everything wrong, is set right by pictures that it has labels for."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from classifier.admission.admit import CONVERT, STAGES
from classifier.admission.formats.sniff import Kind
from classifier.inference import bundle, classifier
from classifier.inference.input.clinical import Clinical
from evaluation.setting import candidates
from evaluation.setting.drawing import draw
from evaluation.setting.evidence import Pictures
from evaluation.setting.filling import filled_classes, filled_input
from evaluation.setting.search import Question, Search
from evaluation.setting.verdict import judge
from tests.admission import children
from tests.admission.test_real_models import ALPHABETICAL, HMNIST

EACH = 16


def drawn_rows(shared_data: Path) -> list[dict[str, str]]:
    """The first lesions of each class, in small pictures."""
    with (shared_data / "labels.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["file_small"]]
    found: dict[str, dict[str, dict[str, str]]] = {code: {} for code in ALPHABETICAL}
    for row in rows:
        if len(found[row["diagnosis"]]) < EACH:
            found[row["diagnosis"]].setdefault(row["lesion_id"], row)
    return [row for lesions in found.values() for row in lesions.values()]


def set_right(shared_data: Path, folder: Path) -> tuple[Any, ...]:
    """Runs where torch may be imported."""
    upload = shared_data / "models" / "shivansh65__skin_model.pth"
    request = {"descriptor": None, "kind": Kind.ZIP, "manifest": {"classes": HMNIST}}
    task = next(stage.task for stage in STAGES if stage.name == CONVERT)
    children.answer(task, request, folder, str(upload))
    network = classifier.load(bundle.read(folder / "bundle"))
    rows = drawn_rows(shared_data)
    pixels = [np.asarray(Image.open(shared_data / row["file_small"]).convert("RGB")) for row in rows]
    drawn = draw([row["diagnosis"] for row in rows], [row["lesion_id"] for row in rows], seed=1)
    halves = {"search": drawn.search, "test": drawn.test}
    pictures = {
        name: Pictures.of(
            [ALPHABETICAL.index(rows[p]["diagnosis"]) for p in half], [rows[p]["lesion_id"] for p in half]
        )
        for name, half in halves.items()
    }
    nobody = Clinical(age=None, sex=None, site=None)
    wrong = candidates.scaled(network.manifest.input, "bgr", candidates.SCALINGS[2])
    question = Question(wrong, tuple(ALPHABETICAL), "logits", tuple(ALPHABETICAL), pictures)  # type: ignore[arg-type]

    def ask(spec: Any, half: str) -> Any:
        shown = [pixels[place] for place in halves[half]]
        return classifier.logits(network, shown, [nobody] * len(shown), spec)

    verdict = judge(Search(question, ask), seed=1, open_output=True)
    confirmed = {part.name: part.value for part in verdict.parts if part.confirmed}
    filled = filled_input(wrong, verdict)
    return (
        (verdict.order.value, verdict.order.confirmed),
        confirmed,
        (filled.color, filled.range, filled.mean),
        filled_classes(question.codes, verdict.classes),
    )


def test_a_public_model_is_set_right(shared_data, in_torch, tmp_path):
    order, confirmed, filled, classes = in_torch(set_right, shared_data, tmp_path)
    assert order == ("HAM10000-MNIST", True)
    assert {"color": "rgb", "scaling": "0 to 1"}.items() <= confirmed.items()
    assert confirmed.get("resize", "stretch") == "stretch"
    assert filled == ("rgb", (0.0, 1.0), (0.0, 0.0, 0.0))
    assert classes in (None, tuple(HMNIST)), "a class was confirmed at a wrong output"
