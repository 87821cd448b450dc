"""Forms that choose a data set and a model, or evaluations and a taxonomy."""

from typing import Any

from django import forms

from classifier.models import ModelRecord
from evaluation.models import DataSet, Evaluation
from evaluation.models.comparison import TAXONOMY_CHOICES
from skinsite.jobs import State
from skinsite.model_choices import choose_from


class EvaluationForm(forms.Form):
    dataset = forms.ModelChoiceField(label="Data set", queryset=DataSet.objects.none(), empty_label=None)
    models = forms.ModelMultipleChoiceField(
        label="Models",
        queryset=ModelRecord.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one model."},
    )

    def __init__(self, *args: Any, user: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        imported = DataSet.objects.visible_to(user).filter(state=State.DONE)
        choose_from(self, dataset=imported, models=ModelRecord.objects.ready().defer("card", "report"))


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
        choose_from(self, evaluations=rows.defer("document"))
