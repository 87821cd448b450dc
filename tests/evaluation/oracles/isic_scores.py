"""Write isic_scores.json beside this file. Run by hand, in an environment of its own with Python 3.13:

pip install isic-challenge-scoring==5.8.0
python tests/evaluation/oracles/isic_scores.py
"""

import io
import json
import math
import warnings
from importlib.metadata import version
from pathlib import Path

import isic_inputs
import pandas as pd
from isic_challenge_scoring.classification import ClassificationMetric, ClassificationScore
from isic_challenge_scoring.load_csv import parse_csv, parse_truth_csv, sort_rows, validate_rows


def table(case: isic_inputs.Case, rows: list[isic_inputs.Row]) -> io.StringIO:
    frame = pd.DataFrame(rows, columns=case.classes, index=pd.Index(case.names, name="image"), dtype=float)
    return io.StringIO(frame.to_csv())


def score(case: isic_inputs.Case) -> dict[str, object]:
    one_hot = [[float(k == label) for k in range(len(case.classes))] for label in case.truth]
    truth, weights = parse_truth_csv(table(case, one_hot))
    values = parse_csv(table(case, case.values), truth.columns)
    validate_rows(truth, values)
    for frame in (truth, values, weights):
        sort_rows(frame)
    found = ClassificationScore(truth, values, weights, ClassificationMetric.BALANCED_ACCURACY)
    columns = {name: [rounded(value) for value in found.per_category[name]] for name in found.per_category.columns}
    means = {name: rounded(value) for name, value in found.macro_average.items()}
    return {"balanced_accuracy": rounded(found.overall), "per_class": columns, "macro": means}


def rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 12)


def main() -> None:
    warnings.simplefilter("ignore")
    scores = {str(seed): score(isic_inputs.case(seed)) for seed in range(isic_inputs.CASES)}
    text = json.dumps({"made_by": f"isic-challenge-scoring {version('isic-challenge-scoring')}", "scores": scores})
    Path(__file__).with_name("isic_scores.json").write_text(text.replace('}, "', '},\n"') + "\n")


if __name__ == "__main__":
    main()
