"""What a person says about a new API token."""

from datetime import timedelta

from django import forms

DAYS = {30: "30 days", 90: "90 days", 365: "one year"}


class ApiTokenForm(forms.Form):
    name = forms.CharField(max_length=100, help_text="Where you will use it, for example “notebook on the cluster”.")
    days = forms.TypedChoiceField(label="Expires after", choices=list(DAYS.items()), coerce=int, initial=365)

    @property
    def lifetime(self) -> timedelta:
        return timedelta(days=self.cleaned_data["days"])
