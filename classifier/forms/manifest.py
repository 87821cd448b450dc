"""The manifest as a form: a field for each thing that a file does not say, and a JSON object for all the rest."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from django import forms

from classifier.admission.manifest import describe
from classifier.inference.input.manifest import LARGEST_SIDE, SMALLEST_SIDE, Json, PartialInput
from skinsite.strict_json import strict_json

FROM_THE_FILE = "as in the file"
PROPOSED = "as proposed"
ANTIALIAS = (("", PROPOSED), ("true", "yes: Pillow, torchvision"), ("false", "no: tf.image.resize, OpenCV"))
IN_INPUT = tuple(PartialInput.model_fields)
TOP = ("classes", "output", "unnamed", "architecture", "training_data")
FIELDS = describe.fields()


class WrittenField(forms.CharField):
    """A list or an object written as text; an empty text is no change to what was never given."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool((initial or None) != (self.to_python(data) or None))
        except forms.ValidationError:
            return True


class ManifestField(WrittenField):
    """A JSON object; what is left empty in it counts as not given."""

    def __init__(self, *, rows: int = 8, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.Textarea(attrs={"rows": rows, "cols": 90, "spellcheck": "false"}))
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        return json.dumps(value, indent=2, ensure_ascii=False) if isinstance(value, dict) else value

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        manifest = _read_json(text) if text else {}
        if not isinstance(manifest, dict):
            raise forms.ValidationError("This must be a JSON object, in braces.", code="no_object")
        return _filled(manifest)


class ClassesField(WrittenField):
    """Codes in the order of the outputs, by comma, space or line; or the manifest's own JSON list."""

    widget = forms.Textarea(attrs={"rows": 3, "cols": 60, "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list):
            plain = all(isinstance(entry, str) and re.fullmatch(r"[\w.-]+", entry) for entry in value)
            return ", ".join(value) if plain else json.dumps(value, ensure_ascii=False)
        return value

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        return _read_json(text) if text.startswith("[") else text.replace(",", " ").split()


class SideField(forms.IntegerField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=SMALLEST_SIDE, max_value=LARGEST_SIDE, **kwargs)


class NumbersField(WrittenField):
    """So many numbers, by comma or space."""

    def __init__(self, *, length: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.length = length

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        words = (super().to_python(value) or "").replace(",", " ").split()
        try:
            numbers = [float(word) for word in words]
        except ValueError:
            numbers = [math.nan]
        if words and not (len(numbers) == self.length and all(map(math.isfinite, numbers))):
            raise forms.ValidationError(f"Give {self.length} numbers, such as 0.5, or leave it empty.", code="numbers")
        return numbers


class LinesField(WrittenField):
    """Names, one a line, as the manifest's `training_data`."""

    widget = forms.Textarea(attrs={"rows": 2, "cols": 60})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(str(entry.get("name", "")) for entry in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        lines = (super().to_python(value) or "").splitlines()
        return [{"name": line.strip(), "images": None} for line in lines if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.to_python(self.prepare_value(initial)), data)


def _read_json(text: str) -> Any:
    try:
        return strict_json(text)
    except ValueError as error:
        raise forms.ValidationError(f"This is not valid JSON: {error}", code="no_json") from error


def _filled(manifest: Mapping[str, Any]) -> Json:
    return {name: value for name, value in manifest.items() if value not in ("", [], {}, None)}


def _about(path: str, more: str = "") -> Json:
    """What every field of the form has: it may stay empty, and tells what the manifest's field is."""
    return {"required": False, "help_text": f"{FIELDS[path].plain} {more}".strip()}


def _choice(path: str, empty: str) -> Json:
    words = [word for word in FIELDS[path].words if word != "none"]
    return _about(path) | {"choices": [("", empty), *zip(words, words, strict=True)]}


class ManifestFields(forms.Form):
    """Fields win over the JSON object; what is in neither is inferred from the file."""

    classes = ClassesField(**_about("classes"))
    unnamed = forms.BooleanField(label="More outputs than names", **_about("unnamed"))
    output = forms.ChoiceField(label="Ends with", **_choice("output", FROM_THE_FILE))
    clinical = forms.ChoiceField(label="Takes beside the image", **_choice("input.clinical", "nothing"))
    architecture = ManifestField(rows=3, **_about("architecture"))
    width = SideField(label="Width (px)", **_about("input.width"))
    height = SideField(label="Height (px)", **_about("input.height"))
    resize = forms.ChoiceField(**_choice("input.resize", PROPOSED))
    interpolation = forms.ChoiceField(**_choice("input.interpolation", PROPOSED))
    antialias = forms.ChoiceField(choices=ANTIALIAS, **_about("input.antialias"))
    color = forms.ChoiceField(label="Channels", **_choice("input.color", PROPOSED))
    range = NumbersField(length=2, **_about("input.range"))
    mean = NumbersField(length=3, **_about("input.mean"))
    std = NumbersField(length=3, **_about("input.std"))
    training_data = LinesField(label="Trained on", **_about("training_data", "One name a line."))
    manifest = ManifestField(
        required=False,
        label="Manifest as JSON",
        help_text="Paste a whole manifest here in place of the fields, or what has no field. Fields above win.",
    )

    def declared(self) -> Json:
        """The manifest as given."""
        cleaned = self.cleaned_data
        manifest = dict(cleaned.get("manifest") or {})
        manifest |= {name: cleaned[name] for name in TOP if cleaned.get(name)}
        if cleaned.get("unnamed"):
            manifest["unnamed"] = "other"
        given = {name: cleaned[name] for name in IN_INPUT if cleaned.get(name) not in (None, "", [])}
        if "antialias" in given:
            given["antialias"] = given["antialias"] == "true"
        base = manifest.get("input")
        if given and isinstance(base or {}, dict):
            manifest["input"] = {**(base or {}), **given}
        return manifest


def split(manifest: Mapping[str, Any]) -> Json:
    """The initial values of ManifestFields for a manifest: what no field can show as it is stays in the JSON object."""
    rest = _filled(manifest)
    initial = {name: rest.pop(name) for name in TOP if name in rest and _fits(name, rest[name])}
    if isinstance(given := rest.get("input"), dict):
        shown = {name: value for name, value in given.items() if name in IN_INPUT and _fits(name, value)}
        rest["input"] = {name: value for name, value in given.items() if name not in shown and value is not None}
        if "antialias" in shown:
            shown["antialias"] = str(shown["antialias"]).lower()
        initial |= shown
    return initial | {"manifest": _filled(rest) or None}


def _fits(name: str, value: Any) -> bool:
    """Whether the field of this name shows the value, and gives it back unchanged."""
    field = ManifestFields.base_fields[name]
    if isinstance(field, NumbersField):
        return isinstance(value, list) and len(value) == field.length and all(type(n) in (int, float) for n in value)
    if isinstance(field, forms.IntegerField):
        return type(value) is int
    if isinstance(field, LinesField):
        return isinstance(value, list) and all(map(_is_line, value))
    if name in ("antialias", "unnamed"):
        return isinstance(value, bool) if name == "antialias" else bool(value == "other")
    if isinstance(field, forms.ChoiceField):
        return isinstance(value, str) and field.valid_value(value)
    return isinstance(value, dict if isinstance(field, ManifestField) else list)


def _is_line(entry: Any) -> bool:
    """Whether an entry of `training_data` says nothing but a name."""
    if not isinstance(entry, dict) or set(entry) - {"name", "images"} or entry.get("images") is not None:
        return False
    name = entry.get("name")
    return isinstance(name, str) and [name] == [line.strip() for line in name.splitlines()]
