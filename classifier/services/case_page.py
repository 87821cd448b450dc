"""What the page of a case shows: one image at a time, what each model says about it, and one map."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from classifier.agreement import Opinion, same, sentence
from classifier.models import Case, CaseImage, Prediction
from classifier.models.case import case_state
from classifier.services import heat, waiting
from skinsite.jobs import FINAL, State

FEW_CLASSES = 5
SMALL = 0.005


@dataclass(frozen=True)
class Answer:
    """One prediction as the page shows it."""

    prediction: Prediction
    reference: str
    shown_code: str
    peaks: dict[str, float]

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The classes, most probable first, with what their maps need and whether they are the reference."""
        return [
            row
            | {
                "reference": bool(self.reference) and same(row["code"], self.reference),
                "has_map": row["code"] in self.peaks,
                "shown": row["code"] == self.shown_code,
                "peak": self.peaks.get(row["code"], 0.0),
                "peak_of_all": self.peaks.get("", 0.0),
            }
            for row in self.prediction.distribution
        ]

    @property
    def first_rows(self) -> list[dict[str, Any]]:
        """The classes that are shown at once: the probable ones, and the reference."""
        return [row for place, row in enumerate(self.rows) if self._matters(place, row)]

    @property
    def other_rows(self) -> list[dict[str, Any]]:
        return [row for place, row in enumerate(self.rows) if not self._matters(place, row)]

    def _matters(self, place: int, row: dict[str, Any]) -> bool:
        return place == 0 or row["reference"] or (place < FEW_CLASSES and row["probability"] >= SMALL)

    @property
    def explanation_error(self) -> dict[str, str] | None:
        for explanation in self.prediction.explanations.all():
            return explanation.error
        return None

    @property
    def layer(self) -> str:
        return next((explanation.layer for explanation in self.prediction.explanations.all()), "")

    @property
    def position(self) -> int:
        return waiting.queue_position(self.prediction)

    @property
    def wait_seconds(self) -> float:
        return waiting.seconds_to_wait(self.prediction, self.position)

    @property
    def running_seconds(self) -> float:
        return waiting.seconds_running(self.prediction)


class CasePage:
    """`image` and `shown` (PREDICTION.CODE) come from the address; what they do not say is chosen."""

    def __init__(self, case: Case, *, image: str = "", shown: str = "") -> None:
        self.case = case
        self.images: list[CaseImage] = list(case.images.all())
        self.image = next((one for one in self.images if str(one.pk) == image), self.images[0])
        self.predictions: list[Prediction] = list(self.image.predictions.all())
        self._wanted = shown
        for prediction in self.predictions:
            prediction.image = self.image

    @property
    def is_final(self) -> bool:
        return all(row.state in FINAL for image in self.images for row in image.predictions.all())

    @property
    def state(self) -> str:
        return case_state(row.state for image in self.images for row in image.predictions.all())

    @property
    def strip(self) -> list[dict[str, Any]]:
        """The images of the case, each with its own state."""
        states = ((image, case_state(row.state for row in image.predictions.all())) for image in self.images)
        return [{"image": image, "state": state, "current": image == self.image} for image, state in states]

    @cached_property
    def answers(self) -> list[Answer]:
        shown_pk, _, code = self.shown.partition(".")
        return [
            Answer(row, self.case.reference, code if str(row.pk) == shown_pk else "", self._peaks.get(row.pk, {}))
            for row in self.predictions
        ]

    @cached_property
    def _peaks(self) -> dict[int, dict[str, float]]:
        """The maxima of the maps of each prediction of this image."""
        found = {}
        for row in self.predictions:
            if row.state == State.DONE and (explanation := heat.explanation_of(row)):
                found[row.pk] = heat.peaks(explanation)
        return found

    @cached_property
    def shown(self) -> str:
        """The map that lies over the picture, as PREDICTION.CODE, or nothing."""
        available = [f"{row.pk}.{code}" for row in self.predictions for code in self._peaks.get(row.pk, {}) if code]
        if self._wanted in available:
            return self._wanted
        return next((f"{row.pk}.{row.top_code}" for row in self.predictions if row.pk in self._peaks), "")

    @property
    def shown_map(self) -> dict[str, Any] | None:
        """What the viewer needs for the map that is shown."""
        for answer in self.answers:
            for row in answer.rows:
                if row["shown"]:
                    return row | {"prediction": answer.prediction}
        return None

    @property
    def sentence(self) -> str:
        done = [answer for answer in self.answers if answer.prediction.state == State.DONE]
        return sentence([_opinion(answer) for answer in done], self.case.reference)

    @property
    def clinical_use(self) -> str:
        """What a model that takes age, sex and site was told of them."""
        told = {"age": self.case.age is not None, "sex": bool(self.case.sex), "site": bool(self.case.site)}
        given = [name for name, known in told.items() if known]
        missing = [name for name, known in told.items() if not known]
        if not given:
            return "would use age, sex and site; none was given"
        return f"used {', '.join(given)}" + (f"; {', '.join(missing)} unknown" if missing else "")


def _opinion(answer: Answer) -> Opinion:
    first, second = answer.rows[0], answer.rows[1]
    return Opinion(
        model=answer.prediction.model.name,
        code=first["code"],
        name=first["name"],
        probability=first["probability"],
        second_name=second["name"],
        second_probability=second["probability"],
    )
