"""Recompute the headline numbers of metrics.json from predictions.csv with scikit-learn, and say whether they agree.

python recompute.py [FOLDER]     needs numpy and scikit-learn only
"""

import csv
import json
import sys
from pathlib import Path

import numpy as np
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, roc_auc_score

TOLERANCE = 1e-9


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    sheet = json.loads((folder / "metrics.json").read_text())["textbook"]
    with (folder / "predictions.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["truth_mapped"]]
    codes = list(rows[0])[5:]
    values = np.array([[float(row[code]) for code in codes] for row in rows])
    truth = np.array([codes.index(row["truth_mapped"]) for row in rows])
    said = np.array([codes.index(row["predicted"]) for row in rows])
    classes = np.unique(truth)
    chosen = np.clip(values[np.arange(len(truth)), truth], 1e-15, None)
    areas = [roc_auc_score(truth == k, values[:, k]) for k in classes if 0 < (truth == k).sum() < len(truth)]
    found = {
        "accuracy": accuracy_score(truth, said),
        "balanced_accuracy": balanced_accuracy_score(truth, said),
        "macro_f1": f1_score(truth, said, labels=classes, average="macro", zero_division=0),
        "macro_auc": float(np.mean(areas)) if areas else None,
        "log_loss": float(-np.log(chosen).mean()),
        "brier": float(((values - np.eye(len(codes))[truth]) ** 2).sum(1).mean()),
    }
    agree = True
    for name, value in found.items():
        stored = sheet[name]["value"]
        same = stored is value or (stored is not None and value is not None and abs(stored - value) < TOLERANCE)
        agree &= same
        print(f"{name:20} {value!s:22} metrics.json {stored!s:22} {'agrees' if same else 'DIFFERS'}")  # noqa: T201
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
