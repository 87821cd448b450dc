"""How numbers with intervals look."""

from evaluation.templatetags import statistics


def test_the_ends_of_an_interval_have_three_decimals():
    shown = statistics.number({"value": 0.9996, "low": 0.8021, "high": 0.99999})
    assert "> 0.999" in str(shown).replace("&gt;", ">")
    assert "0.802–0.999" in shown
    assert "0.000–1.000" in statistics.number({"value": 0.5, "low": 0.0, "high": 1.0})
