"""What the page of a case shows: one image at a time, what each model says about it, and one map."""

from dataclasses import replace
from functools import cached_property

from classifier.consensus import Opinion, sentence
from classifier.inference.explain.explain import METHODS, ExplanationMethod
from classifier.models import Case, CaseImage, Explanation, ExplanationJob, Prediction
from classifier.models.case import case_state
from classifier.services.cases.prediction_panel import Answer, ClassMap
from classifier.services.maps.explain import asked
from classifier.services.maps.view import Maps, View
from skinsite.jobs import FINAL, OPEN, State

GRAD_CAM_VIEW = View()


class CasePage:
    """`image`, `shown` (PREDICTION.CODE) and the view come from the address; what they do not say is chosen."""

    def __init__(self, case: Case, *, image: str = "", shown: str = "", view: View = GRAD_CAM_VIEW) -> None:
        self.case = case
        self.images: list[CaseImage] = list(case.images.all())
        self.image = next((one for one in self.images if str(one.pk) == image), self.images[0])
        self.predictions: list[Prediction] = list(self.image.predictions.all())
        self.view = view if view.explanation_method.linear else replace(view, against="")
        self._wanted = shown
        for prediction in self.predictions:
            prediction.image = self.image
            self.image.case = case
        self.missing = asked(predictions=self.predictions, method=view.method)

    @property
    def method(self) -> ExplanationMethod:
        return self.view.explanation_method

    @property
    def methods(self) -> list[ExplanationMethod]:
        return list(METHODS.values())

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
    def strip(self) -> list[tuple[CaseImage, str]]:
        """The images of the case, each with its own state."""
        return [(image, case_state(row.state for row in image.predictions.all())) for image in self.images]

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
        """The map that lies over the picture, as PREDICTION.CODE, or nothing.

        It is the wanted prediction's, else the first one's that has maps. One whose maps are still to come is waited
        for: another that is ready sooner does not take its place.
        """
        wanted = self._wanted.partition(".")[0]
        for row in sorted(self.predictions, key=lambda row: str(row.pk) != wanted):
            if row.pk in self._maps:
                available = [f"{row.pk}.{code}" for code in self._codes(row)]
                return self._wanted if self._wanted in available else next(iter(available), "")
            if self._comes(row):
                break
        return ""

    def _comes(self, prediction: Prediction) -> bool:
        """Whether the maps of a prediction are being made."""
        job = self.missing.get(prediction.pk)
        return prediction.state in OPEN or (isinstance(job, ExplanationJob) and job.state in OPEN)

    def _codes(self, prediction: Prediction) -> list[str]:
        """The classes with a map, the most probable first."""
        codes = self._maps[prediction.pk].codes
        return [row.code for row in prediction.distribution if row.code in codes]

    @property
    def shown_map(self) -> ClassMap | None:
        """The map that is shown."""
        return next((row.map for answer in self.answers for row in answer.rows if row.shown), None)

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
        code=first.code,
        name=first.name,
        probability=first.probability,
        second_name=second.name,
        second_probability=second.probability,
    )
