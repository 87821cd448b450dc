"""The form that chooses a model and a data set for a check of maps."""

from typing import Any

from django import forms

from classifier.models import ModelRecord
from evaluation.models import DataSet
from skinsite.jobs import State
from skinsite.model_choices import choose_from


class MapCheckForm(forms.Form):
    model = forms.ModelChoiceField(label="Model", queryset=ModelRecord.objects.none(), empty_label=None)
    dataset = forms.ModelChoiceField(label="Data set", queryset=DataSet.objects.none(), empty_label=None)

    def __init__(self, *args: Any, user: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        imported = DataSet.objects.visible_to(user).filter(state=State.DONE)
        choose_from(self, dataset=imported, model=ModelRecord.objects.ready().defer("card", "report"))
