"""Forms for data sets."""

from typing import Any

from django import forms

from evaluation.intake.table import COLUMNS, ColumnMapping
from evaluation.models import DataSet

KINDS = {
    "image": "Picture's name",
    "label": "Label",
    "lesion": "Lesion",
    "patient": "Patient",
    "age": "Age",
    "sex": "Sex",
    "site": "Anatomical site",
    "dx_type": "Confirmed by",
    "skin_type": "Skin type",
}


class DataSetForm(forms.Form):
    name = forms.CharField(max_length=200)
    archive = forms.FileField(label="Pictures (zip)", widget=forms.ClearableFileInput(attrs={"accept": ".zip"}))
    labels = forms.FileField(
        label="Label table (CSV), if it is not in the zip",
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt"}),
    )


class ArchiveForm(forms.Form):
    name = forms.CharField(max_length=200)
    query = forms.CharField(
        max_length=500,
        required=False,
        help_text='As in the archive\'s own search, for example diagnosis_3:"Nevus" AND image_type:dermoscopic. '
        "Empty takes all images.",
    )
    images = forms.IntegerField(label="At most so many images", min_value=1, max_value=5000, initial=500)


class MappingForm(forms.Form):
    """One choice for each kind of column, and one code for each label that is not understood."""

    def __init__(self, *args: Any, data_set: DataSet, **options: Any) -> None:
        super().__init__(*args, **options)
        self.data_set = data_set
        names = [(column["name"], column["name"]) for column in data_set.columns]
        self.before = ColumnMapping.model_validate(data_set.mapping)
        told = {**data_set.guess, **self.before.columns}
        for kind, title in KINDS.items():
            value = told.get(kind) if isinstance(told.get(kind), str) else ""
            self.fields[f"column_{kind}"] = forms.ChoiceField(
                label=title, choices=[("", "none"), *names], required=kind == "image", initial=value
            )
        self.words = [word for word, code in data_set.words.items() if code is None] or []
        for place, word in enumerate(self.words[:100]):
            self.fields[f"word_{place}"] = forms.CharField(
                label=word, max_length=40, required=False, initial=self.before.labels.get(word, "")
            )

    @property
    def mapping(self) -> ColumnMapping:
        """What the person chose, as the import reads it."""
        clean = self.cleaned_data
        columns = {kind: clean[f"column_{kind}"] for kind in COLUMNS if clean.get(f"column_{kind}")}
        told = {word: clean[f"word_{place}"] for place, word in enumerate(self.words[:100])}
        labels = self.before.labels | {word: code for word, code in told.items() if code}
        return ColumnMapping(columns=columns, labels=labels)

    def column_fields(self) -> list[Any]:
        return [field for field in self if field.name.startswith("column_")]

    def word_fields(self) -> list[Any]:
        return [field for field in self if field.name.startswith("word_")]
