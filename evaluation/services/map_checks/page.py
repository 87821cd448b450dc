"""What pages and the model's card show of a map check, from its stored document."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.http import HttpRequest

from classifier.models import ModelRecord
from classifier.models.model_record import ModelState
from evaluation.documents.map_check import MapResult, RandomisedShare
from evaluation.metrics.maps.rules import CREDIBLE_BELOW, Against
from evaluation.metrics.number import Number
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


class Shown:
    """A value and its interval, to be shown in different ink."""

    def __init__(self, text: str) -> None:
        self.value, _, interval = text.replace("-", "−").partition(" (")
        self.interval = interval.removesuffix(")").replace(" to ", " … ")


@dataclass(frozen=True)
class Figure:
    """A figure of the map, of its baselines, and the difference, as plain text; `verdict` against the Gaussian."""

    title: str
    hint: str
    verdict: str
    texts: list[str]

    @property
    def cells(self) -> list[Shown]:
        return list(map(Shown, self.texts))

    @property
    def text(self) -> Shown:
        """Of the map."""
        return self.cells[0]


class Step:
    """Likeness where a share of the layers is randomised, with its places on a scale of 0 to 100."""

    def __init__(self, row: RandomisedShare) -> None:
        self.percent, self.likeness = round(100 * row.share), row.likeness
        self.text, self.left_out = Shown(text_of(row.likeness, 2)), _left_out(row)
        ends = (row.likeness.value, row.likeness.low, row.likeness.high)
        self.width, self.low, self.high = (f"{100 * (end or 0):.1f}" for end in ends)


class MapPage:
    """A finished check, made ready for its templates."""

    def __init__(self, check: MapCheck) -> None:
        self.check, self.document = check, check.result
        self.figures = figures_of(self.document)
        self.headings = HEADINGS
        self.titles = [title for title, _hint, _digits in TITLES.values()]
        self.notice = NOTICE if finds_the_lesion(self.document) is False else ""
        self.sentences = [text for text in self.document.sentences if text != NOTICE]
        self.threshold = CREDIBLE_BELOW

    @property
    def in_short(self) -> list[Figure | None]:
        """Each figure in the order of the titles; None where it is not measured."""
        return [self.figures.get(name) for name in TITLES]

    @property
    def at_full(self) -> Shown:
        """Likeness to networks of which all layers are randomised."""
        return Shown(text_of(self.document.randomised.shares[-1].likeness, 2))

    @property
    def cascade(self) -> list[Step]:
        return list(map(Step, self.document.randomised.shares))

    @property
    def other_pictures(self) -> str:
        return text_of(self.document.randomised.other_pictures, 2)

    @property
    def stability(self) -> dict[str, Shown]:
        """Likeness to the map of the changed picture, by the name of the change."""
        changes = self.document.changes
        found = changes.stability_by_change if changes else {}
        return {name: Shown(text_of(number, 2)) for name, number in found.items()}


def checks_of_maps(request: HttpRequest, model: ModelRecord) -> dict[str, object] | None:
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


def card_section(request: HttpRequest, model: ModelRecord) -> str | None:
    """The credibility of the maps as Markdown for the model's card: on real pictures, else as checked at admission."""
    found = latest(request.user, model)
    checks = [check for check in found if not check.drawn] or [check for check in found if check.at_admission]
    if not checks:
        return None
    return "\n".join(["## Credibility of the heat maps", "", *map(_markdown, checks)])


def latest(user: Any, model: ModelRecord) -> list[MapCheck]:
    """The newest finished check of each data set; real pictures before drawn ones, that at admission last."""
    done = MapCheck.objects.visible_to(user).filter(model=model, state=State.DONE).select_related("data_set", "model")
    newest: dict[int | None, MapCheck] = {}
    for check in done.order_by(F("data_set__synthetic").asc(nulls_last=True), "-pk")[:20]:
        newest.setdefault(check.data_set_id, check)
    return list(newest.values())


def rows_of(document: MapResult) -> Iterator[tuple[str, ...]]:
    """Yield the table as plain text: the heading, figures with intervals, likeness to randomised networks."""
    yield HEADINGS
    for figure in figures_of(document).values():
        yield (figure.title, *figure.texts)
    if document.changes and document.changes.stability:
        yield ("Stability, mean Spearman", text_of(document.changes.stability, 2), "", "", "")
    for row in document.randomised.shares:
        yield (f"|Spearman|, {row.share:.0%} of layers randomised", text_of(row.likeness, 2), _left_out(row), "", "")
    yield ("|Spearman|, maps of different images", text_of(document.randomised.other_pictures, 2), "", "", "")


def _left_out(row: RandomisedShare) -> str:
    """How many maps of a share cannot be compared, and why."""
    counts = {"constant": row.constant, "not finite": row.not_finite}
    return ", ".join(f"{count} of {row.maps} maps {word}" for word, count in counts.items() if count)


def figures_of(document: MapResult) -> dict[str, Figure]:
    """The figures that were measured, by their names in TITLES."""
    parts = (document.inside, document.changes)
    return {name: _figure(name, getattr(part, name)) for part in parts for name in TITLES if hasattr(part, name)}


def _figure(name: str, found: Against) -> Figure:
    title, hint, digits = TITLES[name]
    texts = [text_of(number, digits) for number in (found.map, found.gaussian, found.random)]
    return Figure(title, hint, verdict(name, found), [*texts, text_of(found.minus_gaussian, digits, signed=True)])


def text_of(number: Number, digits: int, *, signed: bool = False) -> str:
    """A value and its 95 % interval as plain text."""
    if number.value is None:
        return "–"
    shape = f"{'+' if signed else ''}.{digits}f"
    if number.low is None or number.high is None:
        return format(number.value, shape)
    return f"{format(number.value, shape)} ({format(number.low, shape)} to {format(number.high, shape)})"


def _markdown(check: MapCheck) -> str:
    document = check.result
    name = " ".join(check.data_set.name.replace("|", "\\|").split()) if check.data_set else ""
    lines = [
        f"### On {name}" if name else "### At admission, on drawn pictures",
        "",
        f"Grad-CAM of the predicted class at `{document.layer}`, {document.images} images of "
        f"{document.lesions} lesions; 95 % intervals by lesion bootstrap, seed {document.seed}.",
        "",
        *(f"- {text}" for text in document.sentences),
        "",
    ]
    rows = ([cell.replace("|", "\\|") for cell in cells] for cells in rows_of(document))
    head, *rest = (f"| {' | '.join(cells)} |" for cells in rows)
    return "\n".join([*lines, head, "| --- | --- | --- | --- | --- |", *rest, ""])
