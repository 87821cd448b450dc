"""The catalogue of metrics: what every sheet holds, and what pages and docs/metrics.md say of it."""

import pytest

from evaluation.documents.sheet import Sheet
from evaluation.metrics import catalogue, isic, textbook
from evaluation.metrics.catalogue import HEADLINE, ISIC, PER_CLASS
from evaluation.services.evaluations.document import isic_sheet
from evaluation.templatetags.statistics import number
from tests.factories.samples import drawn


def codes(metrics) -> set[str]:
    return {metric.code for metric in metrics}


def test_the_page_of_the_metrics_is_fresh():
    """`python -m evaluation.metrics.catalogue` writes it."""
    assert catalogue.PAGE.read_text() == catalogue.written()


def test_every_sheet_holds_what_the_catalogue_names_and_nothing_else():
    sample = drawn(1)
    sheet = textbook.sheet(sample, replicates=50)
    assert {name for name, entry in sheet.items() if isinstance(entry, dict) and "value" in entry} == codes(HEADLINE)
    assert all(row.keys() - {"support", "lesions"} == codes(PER_CLASS) for row in sheet["per_class"].values())
    assert Sheet.model_validate(sheet).model_dump(exclude_unset=True) == sheet
    challenge = isic.sheet(sample, isic.weights_of(["x"] * sample.images))
    assert codes(ISIC) <= set.intersection(*(set(row) for row in challenge["per_class"].values()))
    assert codes(HEADLINE) <= isic_sheet(challenge).keys()


@pytest.mark.parametrize("metrics", [HEADLINE, PER_CLASS, ISIC])
def test_a_code_stands_for_one_metric(metrics):
    assert len(codes(metrics)) == len(metrics)
    assert all(metric.title and metric.help for metric in metrics)


@pytest.mark.parametrize(
    ("decimals", "said"), [(3, ("0.988", "0.950–0.999")), (2, ("0.99", "0.95–0.99")), (1, ("&gt; 0.9", "0.9–0.9"))]
)
def test_a_number_is_shown_with_the_decimals_of_its_metric(decimals, said):
    shown = number({"value": 0.988, "low": 0.95, "high": 0.9999}, decimals)
    assert all(part in shown for part in said)
