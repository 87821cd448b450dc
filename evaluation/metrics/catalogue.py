"""Every number of a sheet: what it is called, what it says, which way is better, how its interval comes about.

Pages, tables, exports, the API and docs/metrics.md read it; `python -m evaluation.metrics.catalogue` writes that page
anew, and a test tells when it is old. Pure Python and numpy, for the web process reads it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from evaluation.metrics import confusion
from evaluation.metrics.sample import Floats, Integers

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


class Better(StrEnum):
    HIGHER = "higher"
    LOWER = "lower"


PERCENTILE = "percentile bootstrap of lesions"
POSTERIOR = "beta-binomial posterior over lesions"
PLACEMENTS = "clustered placements (Obuchowski), logit scale"
CORRECTED = "bias-corrected bootstrap of lesions, from 500 images up"
OfTables = Callable[[Floats, Integers], Floats]


@dataclass(frozen=True)
class Metric:
    """One number. `of_tables` computes it, and its replicates, from confusion matrices where these are enough.

    `hub` is its type in a model card of the Hugging Face Hub, and its name there.
    """

    code: str
    title: str
    help: str
    better: Better = Better.HIGHER
    decimals: int = 3
    interval: str = PERCENTILE
    of_tables: OfTables | None = None
    hub: tuple[str, str] | None = None


HEADLINE = (
    Metric(
        "balanced_accuracy",
        "Balanced accuracy",
        "the mean sensitivity of the classes",
        interval="smoothed bootstrap of lesions",
        hub=("balanced_accuracy", "Balanced accuracy"),
    ),
    Metric(
        "accuracy",
        "Accuracy",
        "the share of images put into the right class",
        of_tables=confusion.accuracy,
        hub=("accuracy", "Accuracy"),
    ),
    Metric(
        "macro_auc",
        "ROC AUC, mean",
        "the mean over the classes of one class against the rest",
        interval="that of the classes' areas, joined (MOVER)",
        hub=("roc_auc", "Macro AUC"),
    ),
    Metric(
        "macro_f1",
        "F1, mean",
        "the mean over the classes",
        of_tables=confusion.macro_f1,
        hub=("f1", "Macro F1"),
    ),
    Metric("log_loss", "Log loss", "0 is best; a sure mistake costs much", Better.LOWER),
    Metric("brier", "Brier score", "sum over classes, 0 to 2; 0 is best", Better.LOWER),
    Metric("ece", "Calibration error", "top label, 15 bins of equal width", Better.LOWER, interval=CORRECTED),
    Metric(
        "ece_mass",
        "Calibration error, equal mass",
        "top label, 15 bins with as many images each",
        Better.LOWER,
        interval=CORRECTED,
    ),
)
"""The numbers of a whole evaluation, in the order of its page."""

PER_CLASS = (
    Metric("sensitivity", "Sensitivity", "the share of the class's images that were put into it", interval=POSTERIOR),
    Metric("specificity", "Specificity", "the share of the other images that were not", interval=POSTERIOR),
    Metric(
        "precision", "Precision", "the share of the images put into the class that belong to it", interval=POSTERIOR
    ),
    Metric("f1", "F1", "2TP / (2TP + FP + FN)"),
    Metric("auc", "AUC", "the area under the ROC curve of the class against the rest", interval=PLACEMENTS),
    Metric("average_precision", "Average precision", "the step sum of precision over recall"),
)

NONE = "none"
ISIC = (
    Metric("sensitivity", "sensitivity", "at a probability above 0.5", interval=NONE),
    Metric("specificity", "specificity", "at a probability above 0.5", interval=NONE),
    Metric("ppv", "ppv", "the positive predictive value, at a probability above 0.5", interval=NONE),
    Metric("npv", "npv", "the negative predictive value, at a probability above 0.5", interval=NONE),
    Metric("dice", "dice", "F1, at a probability above 0.5", interval=NONE),
    Metric("auc", "auc", "the area under the ROC curve", interval=NONE),
    Metric(
        "auc_sens_80", "auc_sens_80", "the area under the part of the curve above a sensitivity of 0.8", interval=NONE
    ),
    Metric(
        "pauc_2024", "pauc_2024", "the area between the curve and the line of that sensitivity, 0 to 0.2", interval=NONE
    ),
    Metric("average_precision", "average_precision", "the step sum of precision over recall", interval=NONE),
)
"""The numbers of a class by the rules of the ISIC challenges, under the challenges' own names."""

BY_CODE = {metric.code: metric for metric in HEADLINE}
OF_TABLES = {metric.code: metric.of_tables for metric in HEADLINE if metric.of_tables is not None}


def written() -> str:
    """Return docs/metrics.md."""
    sections = (
        ("Of an evaluation", HEADLINE),
        ("Of a class", PER_CLASS),
        ("Of a class, as the ISIC challenges score it", ISIC),
    )
    parts = [INTRODUCTION, *(f"## {title}\n{_table(metrics)}" for title, metrics in sections)]
    return "\n".join(parts)


INTRODUCTION = """# The metrics

Written by `python -m evaluation.metrics.catalogue`. All intervals are at 95 %, with the lesion as their unit;
[statistics.md](statistics.md) says why these, and how well they cover.
"""


def _table(metrics: Sequence[Metric]) -> str:
    rows = [f"| `{m.code}` | {m.title} | {m.help} | {m.better} | {m.interval} |" for m in metrics]
    return "\n".join(
        ["| code | title | what it is | better | interval |", "| --- | --- | --- | --- | --- |", *rows, ""]
    )


if __name__ == "__main__":
    PAGE.write_text(written())
