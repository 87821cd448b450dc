"""The form that chooses the data set of a setting check."""

from typing import Any

from django import forms

from evaluation.models import DataSet
from skinsite.jobs import State


class SettingCheckForm(forms.Form):
    dataset = forms.ModelChoiceField(label="Data set", queryset=DataSet.objects.none(), empty_label=None)

    def __init__(self, *args: Any, user: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["dataset"].queryset = DataSet.objects.visible_to(user).filter(state=State.DONE)  # type: ignore[attr-defined]
