"""The form for a new case."""

from typing import Any

from django import forms
from django.conf import settings

from classifier.inference.input.clinical import SITES
from classifier.models import ModelRecord
from classifier.models.case import REFERENCE_CHOICES, Sex
from classifier.services.cases.create import CaseDetails, Upload
from skinsite.model_choices import choose_from

PICTURES = "image/jpeg,image/png,image/webp,image/tiff,image/bmp,image/gif"

DETAILS = ("title", "age", "sex", "site", "reference", "note")


class PicturesInput(forms.ClearableFileInput):
    allow_multiple_selected = True
    template_name = "django/forms/widgets/file.html"


class PicturesField(forms.FileField):
    """Several files; empty ones pass, since the service names them."""

    widget = PicturesInput(attrs={"multiple": True, "accept": PICTURES})

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        files = data if isinstance(data, list | tuple) else [data] if data else []
        if not files:
            raise forms.ValidationError("Choose at least one picture.", code="required")
        return list(files)


class ModelsField(forms.ModelMultipleChoiceField):
    default_error_messages = {"required": "Choose at least one model.", "invalid_choice": "There is no such model."}


class CaseForm(forms.Form):
    images = PicturesField(label="Pictures")
    models = ModelsField(queryset=ModelRecord.objects.none(), widget=forms.CheckboxSelectMultiple)
    title = forms.CharField(max_length=200, required=False)
    age = forms.DecimalField(
        label="Age in years", min_value=0, max_value=120, max_digits=4, decimal_places=1, required=False
    )
    sex = forms.ChoiceField(choices=[("", "not given"), *Sex.choices], required=False)
    site = forms.ChoiceField(
        label="Anatomical site", choices=[("", "not given"), *((site, site) for site in SITES)], required=False
    )
    reference = forms.ChoiceField(
        label="Reference diagnosis", choices=[("", "not known"), *REFERENCE_CHOICES], required=False
    )
    note = forms.CharField(max_length=5000, required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ready = ModelRecord.objects.ready()
        self.records = list(ready)
        choose_from(self, models=ready)
        self.fields["models"].initial = [model.pk for model in self.records if model.is_default]
        self.most_images = settings.IMAGES_A_CASE

    @property
    def chosen(self) -> set[str]:
        """The ids of the models that are ticked when the form is shown."""
        return {str(value) for value in self["models"].value() or []}

    @property
    def uploads(self) -> list[Upload]:
        return [Upload(file.name, file) for file in self.cleaned_data["images"]]

    @property
    def details(self) -> CaseDetails:
        return CaseDetails(**{name: self.cleaned_data[name] for name in DETAILS})

    @property
    def has_details(self) -> bool:
        """Whether the optional fields hold anything, or were refused."""
        return any(self[name].value() or self[name].errors for name in DETAILS)


class AgainForm(forms.Form):
    """More models for a case that exists."""

    models = ModelsField(queryset=ModelRecord.objects.none(), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose_from(self, models=ModelRecord.objects.ready())
