"""What the page of a case shows: one image at a time, what each model says about it, and one map."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, get_args

from classifier.agreement import Opinion, same, sentence
from classifier.inference.explaining import WAYS, Way
from classifier.models import Case, CaseImage, Explanation, ExplanationJob, Prediction
from classifier.models.case import case_state
from classifier.services import waiting
from classifier.services.explanations import FINAL_REASONS, asked
from classifier.services.heat import Maps, Side, View, scale_end, words
from skinsite.jobs import FINAL, OPEN, State
from skinsite.refusal import Refusal

GRAD_CAM_VIEW = View()
SIDES: tuple[Side, ...] = get_args(Side)
FEW_CLASSES = 5
SMALL = 0.005


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
    def rows(self) -> list[dict[str, Any]]:
        """The classes, most probable first, with what their maps need and whether they are the reference."""
        return [
            row
            | {
                "reference": bool(self.reference) and same(row["code"], self.reference),
                "shown": row["code"] == self.shown_code,
                "map": self._map(row["code"]),
            }
            for row in self.prediction.distribution
        ]

    def _map(self, code: str) -> dict[str, str] | None:
        """What the viewer needs of one class's map: where it is, and words and the end of the scale for each side."""
        maps = self.maps
        if maps is None or code not in maps.codes:
            return None
        raises, lowers = (replace(self.view, code=code, against=maps.against, side=side) for side in SIDES)
        plain = replace(raises, scale="relative", grid="smooth")
        peaks = {view.side: maps.peak(code, view.side) for view in (raises, lowers)}
        shown = replace(plain, side=self.view.side, scale=self.view.scale, grid=self.view.grid)
        found = {
            "query": plain.query,
            "shown_query": shown.query,
            "words": words(self.prediction, raises, peaks["raises"]),
            "words_lowers": words(self.prediction, lowers, peaks["lowers"]),
            "peak": f"{peaks['raises']:.3g}",
            "peak_lowers": f"{peaks['lowers']:.3g}",
            "peak_of_all": f"{maps.peak_of_all:.3g}",
        }
        return found | {
            "shown_words": found["words" if shown.side == "raises" else "words_lowers"],
            "shown_peak": f"{scale_end(maps, shown, code):.3g}",
        }

    @property
    def first_rows(self) -> list[dict[str, Any]]:
        """The classes that are shown at once: the probable ones, and the reference."""
        return [row for place, row in enumerate(self.rows) if self._matters(place, row)]

    @property
    def other_rows(self) -> list[dict[str, Any]]:
        return [row for place, row in enumerate(self.rows) if not self._matters(place, row)]

    def _matters(self, place: int, row: dict[str, Any]) -> bool:
        return place == 0 or row["reference"] or (place < FEW_CLASSES and row["probability"] >= SMALL)

    @cached_property
    def explanation(self) -> Explanation | None:
        stored = self.prediction.explanations.all()
        return next((row for row in stored if row.method == self.view.method), None)

    @property
    def job(self) -> ExplanationJob | None:
        return self.missing if isinstance(self.missing, ExplanationJob) else None

    @property
    def no_map(self) -> dict[str, Any] | None:
        """Why there is no map by the chosen method, whether another try may help, and whether occlusion would."""
        if self.job is not None and self.job.state in (State.FAILED, State.CANCELLED):
            error = self.job.error or {"code": "cancelled", "message": "This map was cancelled.", "hint": ""}
            code, message = error["code"], f"{error['message']} {error['hint']}".strip()
        elif isinstance(self.missing, Refusal):
            code, message = "refused", str(self.missing).removeprefix("no-spatial-layer: ")
        elif self.explanation is not None and self.explanation.error:
            code, message = self.explanation.error["code"], self.explanation.error["message"]
        else:
            return None
        instead = self.view.way.needs_layer
        again = self.job is not None and code not in FINAL_REASONS
        return {"message": message, "again": again, "instead": instead and not again}

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


class CasePage:
    """`image`, `shown` (PREDICTION.CODE) and the view come from the address; what they do not say is chosen."""

    def __init__(self, case: Case, *, image: str = "", shown: str = "", view: View = GRAD_CAM_VIEW) -> None:
        self.case = case
        self.images: list[CaseImage] = list(case.images.all())
        self.image = next((one for one in self.images if str(one.pk) == image), self.images[0])
        self.predictions: list[Prediction] = list(self.image.predictions.all())
        self.view = view if view.way.linear else replace(view, against="")
        self._wanted = shown
        for prediction in self.predictions:
            prediction.image = self.image
            self.image.case = case
        self.missing = asked(predictions=self.predictions, method=view.method)

    @property
    def ways(self) -> list[Way]:
        return list(WAYS.values())

    @property
    def classes(self) -> dict[str, str]:
        """All classes of the image's models, {code: name}, for contrasts."""
        return {code: name for row in self.predictions for code, name in row.model.class_names.items()}

    @property
    def query(self) -> str:
        """What the panel asks for when it refreshes itself."""
        view = f"&{self.view.query}" if self.view.query else ""
        return f"image={self.image.pk}{view}"

    @property
    def refreshes(self) -> bool:
        """Something on the page is still to come."""
        jobs = [job for job in self.missing.values() if isinstance(job, ExplanationJob)]
        return not self.is_final or any(job.state in OPEN for job in jobs)

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
            Answer(
                row,
                self.case.reference,
                code if str(row.pk) == shown_pk else "",
                self.view,
                self._maps.get(row.pk),
                self.missing.get(row.pk),
            )
            for row in self.predictions
        ]

    @cached_property
    def _maps(self) -> dict[int, Maps]:
        """The maps of each prediction of this image; a class that a model does not have is no contrast for it."""
        owners = {row.pk: row for row in self.predictions if row.state == State.DONE}
        found = {}
        for stored in Explanation.objects.filter(prediction__in=owners, method=self.view.method, error__isnull=True):
            stored.prediction = owners[stored.prediction_id]
            known = self.view.against in stored.prediction.model.class_names
            found[stored.prediction_id] = Maps(stored, self.view.against if known else "")
        return found

    @cached_property
    def shown(self) -> str:
        """The map that lies over the picture, as PREDICTION.CODE, or nothing."""
        available = [
            f"{row.pk}.{code}" for row in self.predictions if row.pk in self._maps for code in self._codes(row)
        ]
        return self._wanted if self._wanted in available else next(iter(available), "")

    def _codes(self, prediction: Prediction) -> list[str]:
        """The classes with a map, the most probable first."""
        codes = self._maps[prediction.pk].codes
        return [row["code"] for row in prediction.distribution if row["code"] in codes]

    @property
    def shown_map(self) -> dict[str, Any] | None:
        """What the viewer needs for the map that is shown."""
        for answer in self.answers:
            for row in answer.rows:
                if row["shown"]:
                    found: dict[str, Any] = row["map"]
                    return found | {"prediction": answer.prediction}
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
