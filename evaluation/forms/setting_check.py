"""The form that chooses the data set of a setting check."""

from typing import Any

from django import forms

from evaluation.models import DataSet
from skinsite.jobs import State
from skinsite.model_choices import choose_from


class SettingCheckForm(forms.Form):
    dataset = forms.ModelChoiceField(label="Data set", queryset=DataSet.objects.none(), empty_label=None)

    def __init__(self, *args: Any, user: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        choose_from(self, dataset=DataSet.objects.visible_to(user).filter(state=State.DONE))
