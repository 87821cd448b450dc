"""Forms that choose a data set and a model, or evaluations and a taxonomy."""

from typing import Any

from django import forms

from classifier.inference.engines import FAST, in_words
from classifier.models import ModelRecord
from evaluation.models import DataSet, Evaluation
from evaluation.models.comparison import TAXONOMY_CHOICES
from skinsite.jobs import State


class EvaluationForm(forms.Form):
    dataset = forms.ModelChoiceField(label="Data set", queryset=DataSet.objects.none(), empty_label=None)
    models = forms.ModelMultipleChoiceField(
        label="Models",
        queryset=ModelRecord.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one model."},
    )

    fast_lane = forms.BooleanField(label=f"In the fast lane: {in_words(FAST)}", required=False)

    def __init__(self, *args: Any, user: Any, **options: Any) -> None:
        """The fast lane is offered to administrators, where a model's admission measured it."""
        super().__init__(*args, **options)
        self.fields["dataset"].queryset = DataSet.objects.visible_to(user).filter(state=State.DONE)  # type: ignore[attr-defined]
        ready = ModelRecord.objects.ready().defer("card", "report")
        self.fields["models"].queryset = ready  # type: ignore[attr-defined]
        measured = [str(model) for model in ready if model.fast_lane] if user.is_administrator else []
        if measured:
            self.fields["fast_lane"].help_text = f"Measured for {', '.join(measured)}."
        else:
            del self.fields["fast_lane"]

    @property
    def engine(self) -> str:
        """The engine that was asked for; empty for each model's own."""
        return FAST if self.cleaned_data.get("fast_lane") else ""

    def clean_fast_lane(self) -> bool:
        chosen = bool(self.cleaned_data["fast_lane"])
        without = [str(model) for model in self.cleaned_data.get("models", ()) if chosen and not model.fast_lane]
        if without:
            message = f"Its fast lane was not measured at admission: {', '.join(without)}. Leave it out, or the lane."
            raise forms.ValidationError(message)
        return chosen


class ComparisonForm(forms.Form):
    evaluations = forms.ModelMultipleChoiceField(
        queryset=Evaluation.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose two to ten evaluations of one data set."},
    )
    taxonomy = forms.ChoiceField(choices=TAXONOMY_CHOICES, widget=forms.RadioSelect)

    def __init__(self, *args: Any, user: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        rows = Evaluation.objects.visible_to(user).filter(state=State.DONE).select_related("model", "data_set")
        self.fields["evaluations"].queryset = rows.defer("document")  # type: ignore[attr-defined]
