"""Form fields whose choices are rows, which ones is known when the form is made: they may depend on the person."""

from typing import Any, cast

from django import forms
from django.db.models import QuerySet


def choose_from(form: forms.Form, **rows: QuerySet[Any]) -> None:
    """Let each named field offer these rows."""
    for name, offered in rows.items():
        cast(forms.ModelChoiceField, form.fields[name]).queryset = offered
