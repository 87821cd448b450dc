"""Every figure, in every format, as a journal would print it."""

import io
import re
from itertools import combinations, pairwise
from typing import Any
from unittest import mock
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image

from evaluation.figures import FORMATS, KINDS, TITLES, draw
from evaluation.figures.classes import DISTINCT, luminance, stroke
from evaluation.figures.confusion import SHADES, ink_on
from evaluation.figures.numbers import spoken

EIGHT = ("mel", "nv", "bcc", "ak", "bkl", "df", "vasc", "scc")
COUNTS = (171, 908, 93, 43, 217, 22, 29, 28)
NAMES = {
    "mel": "Melanoma",
    "nv": "Melanocytic nevus",
    "bcc": "Basal cell carcinoma",
    "ak": "Actinic keratosis",
    "bkl": "Benign keratosis",
    "df": "Dermatofibroma",
    "vasc": "Vascular lesion",
    "scc": "Squamous cell carcinoma",
}
NOTE = "Research and teaching. Not a diagnosis. 1,511 images of 1,200 lesions; 95 % intervals by lesions."


def number(value: float, half: float) -> dict[str, float | None]:
    return {"value": value, "low": max(0, value - half), "high": min(1, value + half)}


NOTHING: dict[str, float | None] = {"value": None, "low": None, "high": None}


def codes(count: int) -> tuple[str, ...]:
    """Return that many codes, the first eight known to the table of diagnoses."""
    return (*EIGHT, *(f"rare_{number}" for number in range(9, count + 1)))[:count]


def results(count: int = 8) -> dict[str, Any]:
    """Return the data of every kind of figure."""
    random = np.random.default_rng(7)
    classes = codes(count)
    sizes = (COUNTS * 3)[:count]
    share = np.full((count, count), 0.25 / count) + 0.75 * np.eye(count)
    x = np.linspace(0, 1, 60)
    roc, precision, scores = {}, {}, {}
    for place, (code, size) in enumerate(zip(classes, sizes, strict=True)):
        power = 0.06 + 0.03 * (place % 8)
        y, half = x**power, 0.6 / size**0.5
        area = number(1 / (1 + power), half)
        band = {"low": np.clip(y - half, 0, 1).tolist(), "high": np.clip(y + half, 0, 1).tolist()}
        roc[code] = {"x": x.tolist(), "y": y.tolist(), **band, "area": area}
        prevalence = size / sum(sizes)
        fall = prevalence + (1 - prevalence) * (1 - x ** (1 / (3 * power)))
        band = {"low": np.clip(fall - half, 0, 1).tolist(), "high": np.clip(fall + half, 0, 1).tolist()}
        precision[code] = {
            "x": x.tolist(),
            "y": fall.tolist(),
            **band,
            "area": number(float(fall.mean()), half),
            "prevalence": prevalence,
        }
        edges = np.linspace(0, 1, 21)
        scores[code] = {
            "edges": edges.tolist(),
            "positives": np.histogram(random.beta(3, 1.5, size), edges)[0].tolist(),
            "negatives": np.histogram(random.beta(0.4, 5, 1511 - size), edges)[0].tolist(),
        }
    images = [0, 0, 4, 13, 41, 77, 102, 160, 241, 873]
    bins = [
        {
            "low": place / 10,
            "high": (place + 1) / 10,
            "images": size,
            "confidence": place / 10 + 0.055 if size else None,
            "accuracy": place / 10 + 0.01 if size else None,
            "accuracy_low": max(0, place / 10 + 0.01 - 0.4 / size**0.5) if size else None,
            "accuracy_high": min(1, place / 10 + 0.01 + 0.4 / size**0.5) if size else None,
        }
        for place, size in enumerate(images)
    ]
    threshold = np.linspace(0.01, 0.6, 60)
    return {
        "confusion": {
            "classes": list(classes),
            "counts": [
                random.multinomial(size, row / row.sum()).tolist() for size, row in zip(sizes, share, strict=True)
            ],
        },
        "roc": roc,
        "precision-recall": precision,
        "reliability": {"bins": bins, "ece": number(0.043, 0.011)},
        "scores": scores,
        "subgroups": [
            {
                "attribute": attribute,
                "value": value,
                "images": n,
                "lesions": n - n // 5,
                "sensitivity": found,
                "note": note,
            }
            for attribute, value, n, found, note in (
                ("sex", "female", 702, number(0.81, 0.06), ""),
                ("sex", "male", 788, number(0.77, 0.05), ""),
                ("sex", "unknown", 21, NOTHING, "fewer than 5 melanomas"),
                ("age", "below 40", 402, number(0.62, 0.17), ""),
                ("age", "40 to 59", 611, number(0.79, 0.07), ""),
                ("age", "60 and above", 498, number(0.84, 0.05), ""),
                ("anatomical site", "head and neck", 190, number(0.70, 0.13), ""),
                ("anatomical site", "palms, soles and nails", 14, NOTHING, "no malignant lesion in this group"),
                ("anatomical site", "trunk", 730, number(0.82, 0.05), ""),
            )
        ],
        "decision": {
            "threshold": threshold.tolist(),
            "net_benefit": (0.19 - 0.2 * threshold**1.3).tolist(),
            "all": (0.22 - 0.78 * threshold / (1 - threshold)).tolist(),
        },
    }


ONCE = {"reliability", "subgroups", "decision"}
"""Kinds that do not depend on the number of classes."""
CASES = [
    *((kind, 8, columns) for kind in KINDS for columns in (1, 2)),
    *((kind, count, 1) for kind in ("confusion", "roc", "scores") for count in (1, 20)),
    ("confusion", 2, 1),
    ("confusion", 20, 2),
]
_DRAWN: dict[tuple[str, int, int], dict[str, bytes]] = {}
_BOXES: dict[tuple[str, int, int], dict[int, tuple[str, Bbox]]] = {}
"""What is written in a figure, and where, in points."""


def drawn(kind: str, count: int = 8, columns: int = 1) -> dict[str, bytes]:
    """Return a figure of that many classes; each is drawn once."""
    key = (kind, count, columns)
    if key not in _DRAWN:
        boxes = _BOXES[key] = {}
        plain = Text.draw

        def noted(text: Text, renderer: Any) -> None:
            plain(text, renderer)
            if renderer.points_to_pixels(1) == 1 and text.get_visible() and text.get_text().strip():
                boxes[id(text)] = (text.get_text(), text.get_window_extent(renderer))

        with mock.patch.object(Text, "draw", noted):
            _DRAWN[key] = draw(kind, results(count)[kind], names=NAMES, note=NOTE, columns=columns)
    return _DRAWN[key]


@pytest.fixture
def svg_only(monkeypatch):
    """Draw only what is read: a PDF takes longer than both others."""
    monkeypatch.setattr("evaluation.figures.sheet.FORMATS", {"svg": FORMATS["svg"]})


def words(svg: bytes) -> list[str]:
    """Return every text of an SVG."""
    root = ElementTree.fromstring(svg)
    return ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]


def picture(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("L")


@pytest.mark.parametrize(("kind", "count", "columns"), CASES)
def test_each_format_is_what_its_name_says(kind, count, columns):
    files = drawn(kind, count, columns)
    assert set(files) == set(FORMATS)
    assert files["png"].startswith(b"\x89PNG")
    assert files["pdf"].startswith(b"%PDF")
    assert b"CreationDate" not in files["pdf"]
    assert ElementTree.fromstring(files["svg"]).findtext("{http://www.w3.org/2000/svg}title") == TITLES[kind]


@pytest.mark.parametrize(("kind", "count", "columns"), CASES)
def test_the_picture_is_a_column_wide_and_nothing_touches_its_edge(kind, count, columns):
    image = picture(drawn(kind, count, columns)["png"])
    assert image.width == pytest.approx({1: 85, 2: 174}[columns] / 25.4 * 300, abs=1)
    pixels = np.asarray(image)
    border = np.concatenate([pixels[:4].ravel(), pixels[-4:].ravel(), pixels[:, :4].ravel(), pixels[:, -4:].ravel()])
    assert border.min() == 255
    assert pixels.min() < 80
    assert image.height < 245 / 25.4 * 300  # a page of a journal


@pytest.mark.parametrize(("kind", "count", "columns"), CASES)
def test_no_words_lie_on_others(kind, count, columns):
    drawn(kind, count, columns)
    for (one, a), (other, b) in combinations(_BOXES[kind, count, columns].values(), 2):
        across, down = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert min(across, down) < 1, f"{one!r} on {other!r}"


@pytest.mark.parametrize(("kind", "count", "columns"), CASES)
def test_no_type_is_below_seven_points(kind, count, columns):
    svg = drawn(kind, count, columns)["svg"].decode()
    assert re.search(r'<svg [^>]*width="[\d.]+pt"', svg)  # so a px of the style is a point on paper
    sizes = [float(size) for size in re.findall(r"<text style=\"[^\"]*?font-size: ([\d.]+)px", svg)]
    assert len(sizes) == svg.count("<text")
    assert min(sizes) >= 7


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_numbers_make_the_same_bytes(kind, monkeypatch):
    """The names inside an SVG are the kind's own; one kind says it of what all formats share."""
    count = 8 if kind in ONCE | {"precision-recall"} else 1
    before = drawn(kind, count)
    if kind != "confusion":
        monkeypatch.setattr("evaluation.figures.sheet.FORMATS", {"svg": FORMATS["svg"]})
    again = draw(kind, results(count)[kind], names=NAMES, note=NOTE)
    assert again == {form: before[form] for form in again}


@pytest.mark.parametrize(("kind", "count", "columns"), [case for case in CASES if case[0] not in ONCE])
def test_every_class_is_named_in_words(kind, count, columns):
    text = " ".join(words(drawn(kind, count, columns)["svg"]))
    assert [code for code in codes(count) if not re.search(rf"\b{code.upper()}\b", text)] == []
    assert [NAMES[code] for code in codes(min(count, 8)) if f"{code.upper()}: {NAMES[code]}" not in text] == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_note_is_printed(kind):
    assert NOTE in " ".join(words(drawn(kind)["svg"]))


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("count", [8, 20])
def test_every_count_of_the_confusion_matrix_can_be_read(count, columns):
    texts = words(drawn("confusion", count, columns)["svg"])
    counts = np.array(results(count)["confusion"]["counts"])
    for number in set(counts[counts > 0].tolist()):
        assert texts.count(str(number)) >= (counts == number).sum()
    assert [total for total in counts.sum(axis=1) if str(total) not in texts] == []


@pytest.mark.parametrize("share", np.linspace(0, 1, 21))
def test_counts_stand_out_from_their_shade(share):
    ink, ground = sorted((luminance(ink_on(share)), luminance(SHADES(share)[:3])))
    assert (ground + 0.05) / (ink + 0.05) >= 4


def test_the_shades_darken_evenly():
    steps = [luminance(SHADES(share)[:3]) ** (1 / 3) for share in np.linspace(0, 1, 9)]
    falls = [before - after for before, after in pairwise(steps)]
    assert max(falls) < 1.4 * min(falls)


def test_the_key_of_a_curve_carries_its_area():
    assert "MEL 0.943 (0.90–0.99)" in words(drawn("roc")["svg"])


def test_two_classes_of_one_colour_differ_in_their_line():
    looks = [stroke("scc" if place % 2 else "rust", place)["linestyle"] for place in range(DISTINCT)]
    assert len(set(looks)) == DISTINCT


def empty(data: Any) -> Any:
    """Return the data with every number None and every series of numbers empty or None."""
    if isinstance(data, dict):
        return {key: None if key in ("low", "high", "x", "y") else empty(value) for key, value in data.items()}
    if isinstance(data, list):
        return [] if data and isinstance(data[0], float) else [empty(value) for value in data]
    return data if isinstance(data, str) else None


UNDEFINED = {kind: empty(data) for kind, data in results().items()} | {
    "confusion": {"classes": list(EIGHT), "counts": [[None] * 8] * 8}
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_undefined_is_said(kind, svg_only):
    texts = words(draw(kind, UNDEFINED[kind], names=NAMES, note=NOTE)["svg"])
    said = {"confusion": "–", "subgroups": "no malignant lesion in this group"}.get(kind, "undefined")
    assert said in " ".join(texts)


@pytest.mark.parametrize("kind", KINDS)
def test_no_data_at_all_is_called_undefined(kind, svg_only):
    assert "undefined" in words(draw(kind, None, names={}, note="")["svg"])


@pytest.mark.parametrize("kind", ["roc", "precision-recall", "scores"])
def test_one_undefined_class_leaves_the_others(kind, svg_only):
    texts = words(draw(kind, results(2)[kind] | {"nv": None}, names=NAMES, note=NOTE)["svg"])
    assert any("undefined" in text for text in texts)
    assert any(text.startswith("MEL") for text in texts)


def test_a_missing_point_of_a_curve_is_a_gap(svg_only):
    data = results(1)["roc"]
    data["mel"]["low"][3] = data["mel"]["y"][30] = None
    assert "MEL 0.943 (0.90–0.99)" in words(draw("roc", data, names=NAMES, note=NOTE)["svg"])


def test_few_and_many_images_in_the_bins_are_drawn_on_a_logarithmic_scale(monkeypatch):
    data = results()["reliability"]
    assert "Images, log" in words(drawn("reliability")["svg"])
    monkeypatch.setattr("evaluation.figures.sheet.FORMATS", {"svg": FORMATS["svg"]})
    even = [one | {"images": 50} for one in data["bins"]]
    assert "Images" in words(draw("reliability", data | {"bins": even}, names={}, note="")["svg"])


def test_names_from_outside_are_written_as_they_are(svg_only):
    names = {"mel": "<b>$x^2$</b> & \x00 {}"}
    svg = draw("roc", results(1)["roc"], names=names, note="")["svg"]
    assert "MEL: <b>$x^2$</b> & {}." in words(svg)


def test_long_names_stay_on_the_page(monkeypatch):
    monkeypatch.setattr("evaluation.figures.sheet.FORMATS", {"png": FORMATS["png"]})
    drawn = draw("roc", results(1)["roc"], names={"mel": "W" * 200}, note="N" * 300)
    pixels = np.asarray(picture(drawn["png"]))
    assert pixels[:, :4].min() == pixels[:, -4:].min() == 255


def test_the_settings_of_others_stay_as_they_were():
    before = dict(mpl.rcParams)
    drawn("decision", columns=2)
    assert dict(mpl.rcParams) == before


def test_an_unknown_kind_or_width_is_refused():
    with pytest.raises(ValueError, match="confusion, roc"):
        draw("pie", {}, names={}, note="")
    with pytest.raises(ValueError, match="expected 1 or 2"):
        draw("roc", {}, names={}, note="", columns=3)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (number(0.912, 0.03), "0.912 (0.88–0.94)"),
        ({"value": 0.5, "low": None, "high": None}, "0.500"),
        (NOTHING, "undefined"),
        (None, "undefined"),
    ],
)
def test_a_number_is_spoken_with_its_interval(given, said):
    assert spoken(given) == said
