"""Registering a model, and checking a refused one again."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django import forms

from classifier.admission.refusal import RefusalCode
from classifier.forms.manifest import ManifestFields, split
from classifier.models import ModelRecord
from classifier.models.model_record import ModelState
from classifier.services.models.register import last_manifest, register_kept
from classifier.services.models.uploads import KeptUpload, keep, kept_upload
from skinsite.jobs import UNEXPECTED, WORKER_DIED
from skinsite.refusal import Refusal

TEXTS = ("name", "licence", "card")
WIDE = forms.TextInput(attrs={"class": "vTextField"})
MANIFEST_FIELDS = tuple(ManifestFields.base_fields)
FAILURES = (WORKER_DIED.code, UNEXPECTED.code)
"""An admission that ended without an answer."""


@dataclass(frozen=True)
class Remedy:
    """What mends a refusal: a `field` of the form, the same check `again`, or with neither another file."""

    field: str = ""
    again: bool = False


def remedy(record: ModelRecord) -> Remedy:
    """Without a refusal there is nothing to mend."""
    if record.state != ModelState.REFUSED:
        return Remedy()
    code = (record.error or {}).get("code", "")
    if code in FAILURES or code not in list(RefusalCode):
        return Remedy(again=code in FAILURES)
    known = RefusalCode(code)
    return Remedy(known.field, known.again)


class RegistrationForm(ManifestFields, forms.ModelForm):
    """A file and what it does not say itself. A file that came with a form that was wrong is kept and offered again."""

    file = forms.FileField(
        label="Model file",
        required=False,
        help_text="Keras .keras or .h5, PyTorch weights as .pth, .pt or .safetensors, at most 2 GB.",
    )
    kept = forms.CharField(widget=forms.HiddenInput, required=False)
    name = forms.CharField(max_length=100, required=False, widget=WIDE, help_text="Empty: the file's name.")
    version = forms.CharField(max_length=40, required=False, help_text="Empty: 1.")
    licence = forms.CharField(max_length=300, required=False, widget=WIDE)
    card = forms.CharField(
        label="Model card",
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "cols": 90}),
        help_text="Markdown, without HTML.",
    )

    user: Any = None
    registered: ModelRecord
    upload: KeptUpload | None = None

    class Meta:
        model = ModelRecord
        fields = ()

    def clean(self) -> dict[str, Any]:
        """Register here, so that a refusal stands beside its field."""
        cleaned = super().clean() or {}
        self.upload = self._kept(cleaned)
        if self.upload is None or self.errors:
            return cleaned
        texts = {name: cleaned[name] for name in ("name", "version", "licence", "card") if cleaned.get(name)}
        try:
            admission = register_kept(user=self.user, kept=self.upload, manifest=self.declared() | texts)
        except Refusal as refusal:
            for problem in refusal.problems:
                field = problem.field.removeprefix("manifest.")
                self.add_error(field if field in self.fields else "manifest", problem.message)
        else:
            self.registered = self.instance = ModelRecord.objects.get(pk=admission.record_id)
        return cleaned

    def _kept(self, cleaned: dict[str, Any]) -> KeptUpload | None:
        """Keep the file that came, or find the one that came before."""
        file = cleaned.get("file")
        try:
            if file:
                kept = keep(file, Path(file.name).name)
            elif cleaned.get("kept"):
                kept = kept_upload(cleaned["kept"], self.user)
            else:
                self.add_error("file", "Choose a model file.")
                return None
        except Refusal as refusal:
            self.add_error("file", str(refusal))
            self._offer("")
            return None
        self._offer(kept.token(self.user))
        return kept

    def _offer(self, token: str) -> None:
        """What the form carries when it is shown again."""
        self.data = {name: self.data[name] for name in self.data} | {"kept": token}

    def _post_clean(self) -> None:
        """The service has validated and written the record."""

    def save(self, commit: bool = True) -> ModelRecord:
        return self.registered

    def save_m2m(self) -> None:
        """There is nothing of the kind."""


class TextsForm(forms.ModelForm):
    """The texts of a model."""

    class Meta:
        model = ModelRecord
        fields = TEXTS

    def clean(self) -> dict[str, Any]:
        """The version has no field, and a name must be new together with it."""
        cleaned = super().clean() or {}
        same = ModelRecord.objects.filter(name=cleaned.get("name"), version=self.instance.version)
        if same.exclude(pk=self.instance.pk).exists():
            self.add_error("name", f"There is a {cleaned['name']} of version {self.instance.version} already.")
        return cleaned


class RecheckForm(ManifestFields, TextsForm):
    """The texts of a refused model, and what its file is checked with again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        last = last_manifest(self.instance)
        self.initial.update(split({name: value for name, value in last.items() if name not in (*TEXTS, "version")}))
        if waited_for := remedy(self.instance).field:
            self.fields[waited_for].widget.attrs |= {"autofocus": True, "aria-describedby": "refusal"}

    @property
    def asks_again(self) -> bool:
        return bool(set(self.changed_data) & set(MANIFEST_FIELDS))

    def declared(self) -> dict[str, Any]:
        record, texts = self.instance, {name: self.cleaned_data.get(name) for name in TEXTS}
        given = {name: value for name, value in texts.items() if value}
        return {**super().declared(), "name": record.name, "version": record.version, **given}
