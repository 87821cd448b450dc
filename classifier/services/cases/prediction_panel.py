"""What the page of a case shows of one prediction: its classes, their maps, and why a map is missing."""

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import get_args

from classifier.consensus import same
from classifier.models import Explanation, ExplanationJob, Prediction
from classifier.models.prediction import ClassProbability
from classifier.services.maps.explain import FINAL_REASONS
from classifier.services.maps.view import Maps, Side, View, scale_end, words
from classifier.services.predictions import waiting
from skinsite.jobs import State
from skinsite.refusal import Refusal

FEW_CLASSES = 5
SMALL = 0.005
REASON = re.compile(r"^no-[a-z0-9-]+: ")  # the code before a sentence
SIDES: tuple[Side, ...] = get_args(Side)


@dataclass(frozen=True)
class ClassMap:
    """What the viewer needs of one class's map: where it is, and words and the end of the scale for each side."""

    prediction: Prediction
    shown_query: str
    shown_words: str
    shown_peak: str
    words: str
    words_lowers: str
    peak: str
    peak_lowers: str


@dataclass(frozen=True)
class Row(ClassProbability):
    """Is the class the reference, does its map lie over the picture, and which one is it?"""

    reference: bool
    shown: bool
    map: ClassMap | None


@dataclass(frozen=True)
class MissingMap:
    """Why there is no map by the chosen method, whether another try may help, and whether occlusion would."""

    message: str
    again: bool
    instead: bool


@dataclass(frozen=True)
class Answer:
    """One prediction as the page shows it; `missing` says why the chosen method has no maps of it (yet)."""

    prediction: Prediction
    reference: str
    shown_code: str
    view: View
    maps: Maps | None
    missing: ExplanationJob | Refusal | None

    @cached_property
    def rows(self) -> list[Row]:
        """The classes, most probable first."""
        return [
            Row(
                **vars(row),
                reference=bool(self.reference) and same(row.code, self.reference),
                shown=row.code == self.shown_code,
                map=self._map(row.code),
            )
            for row in self.prediction.distribution
        ]

    def _map(self, code: str) -> ClassMap | None:
        maps = self.maps
        if maps is None or code not in maps.codes:
            return None
        raises, lowers = (replace(self.view, code=code, against=maps.against, side=side) for side in SIDES)
        peaks = {view.side: maps.peak(code, view.side) for view in (raises, lowers)}
        shown = replace(raises, side=self.view.side)
        return ClassMap(
            self.prediction,
            shown_query=shown.query,
            shown_words=words(self.prediction, shown, peaks[shown.side]),
            shown_peak=f"{scale_end(maps, shown, code):.3g}",
            words=words(self.prediction, raises, peaks["raises"]),
            words_lowers=words(self.prediction, lowers, peaks["lowers"]),
            peak=f"{peaks['raises']:.3g}",
            peak_lowers=f"{peaks['lowers']:.3g}",
        )

    @property
    def peak_of_all(self) -> str:
        """The end of the absolute scale."""
        return f"{self.maps.peak_of_all:.3g}" if self.maps else ""

    @property
    def first_rows(self) -> list[Row]:
        """The classes that are shown at once: the probable ones, and the reference."""
        return [row for place, row in enumerate(self.rows) if self._matters(place, row)]

    @property
    def other_rows(self) -> list[Row]:
        return [row for place, row in enumerate(self.rows) if not self._matters(place, row)]

    def _matters(self, place: int, row: Row) -> bool:
        return place == 0 or row.reference or (place < FEW_CLASSES and row.probability >= SMALL)

    @cached_property
    def explanation(self) -> Explanation | None:
        stored = self.prediction.explanations.all()
        return next((row for row in stored if row.method == self.view.method), None)

    @property
    def job(self) -> ExplanationJob | None:
        return self.missing if isinstance(self.missing, ExplanationJob) else None

    @property
    def no_map(self) -> MissingMap | None:
        if self.job is not None and self.job.state in (State.FAILED, State.CANCELLED):
            error = self.job.error or {"code": "cancelled", "message": "This map was cancelled.", "hint": ""}
            code, message = error["code"], f"{error['message']} {error['hint']}".strip()
        elif isinstance(self.missing, Refusal):
            code, message = "refused", REASON.sub("", str(self.missing))
        elif self.explanation is not None and self.explanation.error:
            code, message = self.explanation.error["code"], self.explanation.error["message"]
        else:
            return None
        instead = self.view.explanation_method.needs_layer and self.prediction.engine == self.prediction.model.engine
        again = self.job is not None and code not in FINAL_REASONS
        return MissingMap(message, again, instead and not again)

    @property
    def job_seconds(self) -> float:
        return waiting.seconds_running(self.job) if self.job else 0.0

    @property
    def layer(self) -> str:
        return self.explanation.layer if self.explanation else ""

    @property
    def position(self) -> int:
        return waiting.queue_position(self.prediction)

    @property
    def wait_seconds(self) -> float:
        return waiting.seconds_to_wait(self.prediction, self.position)

    @property
    def running_seconds(self) -> float:
        return waiting.seconds_running(self.prediction)
