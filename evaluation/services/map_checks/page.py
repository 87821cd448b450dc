"""What pages and the model's card show of a map check, from its stored document."""

from collections.abc import Collection, Iterator
from typing import Any

from django.db.models import F
from django.http import HttpRequest

from classifier.models import ModelRecord
from classifier.models.model_record import ModelState
from evaluation.metrics.maps.rules import CREDIBLE_BELOW
from evaluation.models import DataSet, MapCheck
from evaluation.services.map_checks.sentences import NOTICE, finds_the_lesion, verdict
from skinsite.jobs import State

SHOWN = 3
HEADINGS = ("Figure", "Map", "Centre Gaussian", "Random", "Map − Gaussian")
TITLES = {
    "ratio": ("Heat inside ÷ area of the lesion", "1 is chance; more is better", 2),
    "pointing": ("Strongest point inside the lesion", "share of the images", 3),
    "deletion": ("Deletion", "area under the curve; less is better", 3),
    "insertion": ("Insertion", "area under the curve; more is better", 3),
    "road": ("ROAD", "least − most relevant first; more is better", 3),
}
ENDS = {"width": "value", "low": "low", "high": "high"}
Document = dict[str, Any]


class MapPage:
    """A finished check, made ready for its templates."""

    def __init__(self, check: MapCheck) -> None:
        self.check, self.document = check, check.document
        self.headings = HEADINGS
        self.titles = [title for title, _hint, _digits in TITLES.values()]
        self.notice = NOTICE if finds_the_lesion(self.document) is False else ""
        self.sentences = [text for text in self.document["sentences"] if text != NOTICE]
        self.threshold = CREDIBLE_BELOW

    @property
    def rows(self) -> list[Document]:
        """The figures of the map beside those of its baselines."""
        return [
            {
                "title": TITLES[name][0],
                "hint": TITLES[name][1],
                "verdict": verdict(name, found),
                "cells": [_parted(cell) for cell in cells],
            }
            for name, found, cells in _figures(self.document)
        ]

    @property
    def in_short(self) -> list[Document]:
        """Of each figure its value and its verdict against the Gaussian, in the order of the titles."""
        found = {name: (row, cells) for name, row, cells in _figures(self.document)}
        return [
            {"text": _parted(found[name][1][0]), "verdict": verdict(name, found[name][0])} if name in found else {}
            for name in TITLES
        ]

    @property
    def at_full(self) -> dict[str, str]:
        """Likeness to networks of which all layers are randomised."""
        return _parted(text_of(self.document["randomised"]["shares"][-1]["likeness"], 2))

    @property
    def cascade(self) -> list[Document]:
        """Likeness by share of the layers randomised, with its places on a scale of 0 to 100."""
        return [
            row
            | {"percent": round(100 * row["share"]), "text": _parted(text_of(row["likeness"], 2))}
            | {"left_out": ", ".join(_left_out(row))}
            | {name: f"{100 * (row['likeness'][end] or 0):.1f}" for name, end in ENDS.items()}
            for row in self.document["randomised"]["shares"]
        ]

    @property
    def other_pictures(self) -> str:
        return text_of(self.document["randomised"]["other_pictures"], 2)

    @property
    def stability(self) -> list[Document]:
        found = (self.document["changes"] or {}).get("stability_by_change", {})
        return [{"name": name, "text": _parted(text_of(number, 2))} for name, number in found.items()]


def checks_of_maps(request: HttpRequest, model: ModelRecord) -> dict[str, Any] | None:
    """What the model's page shows: the latest finished check of each data set, and those that are open."""
    if model.state not in (ModelState.READY, ModelState.RETIRED):
        return None
    pages = [MapPage(check) for check in latest(request.user, model)]
    rows = MapCheck.objects.visible_to(request.user).filter(model=model).select_related("data_set")
    real = any(not page.check.drawn for page in pages)
    return {
        "pages": [page for page in pages if not (real and page.check.at_admission)][:SHOWN],
        "folded": [page for page in pages if real and page.check.at_admission],
        "open_checks": rows.exclude(state=State.DONE).defer("document")[:SHOWN],
    }


def of_comparison(user: Any, data_set: DataSet, models: Collection[int]) -> list[MapPage]:
    """The newest finished check of each of the models on a data set."""
    done = MapCheck.objects.visible_to(user).filter(data_set=data_set, model__in=models, state=State.DONE)
    newest: dict[int, MapCheck] = {}
    for check in done.select_related("model", "data_set").order_by("-pk")[:40]:
        newest.setdefault(check.model_id, check)
    return [MapPage(check) for check in sorted(newest.values(), key=lambda check: str(check.model))]


def card_section(request: HttpRequest, model: ModelRecord) -> dict[str, Any] | None:
    """The credibility of the maps as Markdown for the model's card: on real pictures, else as checked at admission."""
    found = latest(request.user, model)
    checks = [check for check in found if not check.drawn] or [check for check in found if check.at_admission]
    if not checks:
        return None
    return {"text": "\n".join(["## Credibility of the heat maps", "", *(_markdown(check) for check in checks)])}


def latest(user: Any, model: ModelRecord) -> list[MapCheck]:
    """The newest finished check of each data set; real pictures before drawn ones, that at admission last."""
    done = MapCheck.objects.visible_to(user).filter(model=model, state=State.DONE).select_related("data_set", "model")
    newest: dict[int | None, MapCheck] = {}
    for check in done.order_by(F("data_set__synthetic").asc(nulls_last=True), "-pk")[:20]:
        newest.setdefault(check.data_set_id, check)
    return list(newest.values())


def rows_of(document: Document) -> Iterator[tuple[str, ...]]:
    """Yield the table as plain text: the heading, figures with intervals, likeness to randomised networks."""
    yield HEADINGS
    for name, _found, cells in _figures(document):
        yield (TITLES[name][0], *cells)
    changes = document["changes"]
    if changes and changes["stability"]:
        yield ("Stability, mean Spearman", text_of(changes["stability"], 2), "", "", "")
    for row in document["randomised"]["shares"]:
        left_out = ", ".join(_left_out(row))
        yield (f"|Spearman|, {row['share']:.0%} of layers randomised", text_of(row["likeness"], 2), left_out, "", "")
    yield ("|Spearman|, maps of different images", text_of(document["randomised"]["other_pictures"], 2), "", "", "")


def _left_out(row: Document) -> list[str]:
    """How many maps of a share cannot be compared, and why; documents of old know constant ones only."""
    words = {"constant": "constant", "not_finite": "not finite"}
    return [f"{row[name]} of {row['maps']} maps {word}" for name, word in words.items() if row.get(name)]


def _figures(document: Document) -> Iterator[tuple[str, Document, list[str]]]:
    inside, changes = document["inside"] or {}, document["changes"] or {}
    for name, (_title, _hint, digits) in TITLES.items():
        if found := inside.get(name) or changes.get(name):
            kinds = ("map", "gaussian", "random")
            plain = [text_of(found[kind], digits) for kind in kinds]
            yield name, found, [*plain, text_of(found["minus_gaussian"], digits, signed=True)]


def text_of(number: Document, digits: int, *, signed: bool = False) -> str:
    """A value and its 95 % interval as plain text."""
    if number["value"] is None:
        return "–"
    shape = f"{'+' if signed else ''}.{digits}f"
    if number["low"] is None:
        return format(number["value"], shape)
    ends = f"{format(number['low'], shape)} to {format(number['high'], shape)}"
    return f"{format(number['value'], shape)} ({ends})"


def _parted(text: str) -> dict[str, str]:
    """A value and its interval, to be shown in different ink."""
    value, _, interval = text.replace("-", "−").partition(" (")
    return {"value": value, "interval": interval.removesuffix(")").replace(" to ", " … ")}


def _markdown(check: MapCheck) -> str:
    document = check.document
    name = " ".join(check.data_set.name.replace("|", "\\|").split()) if check.data_set else ""
    lines = [
        f"### On {name}" if name else "### At admission, on drawn pictures",
        "",
        f"Grad-CAM of the predicted class at `{document['layer']}`, {document['images']} images of "
        f"{document['lesions']} lesions; 95 % intervals by lesion bootstrap, seed {document['seed']}.",
        "",
        *(f"- {text}" for text in document["sentences"]),
        "",
    ]
    rows = ([cell.replace("|", "\\|") for cell in cells] for cells in rows_of(document))
    head, *rest = (f"| {' | '.join(cells)} |" for cells in rows)
    return "\n".join([*lines, head, "| --- | --- | --- | --- | --- |", *rest, ""])
