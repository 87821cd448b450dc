"""The manifest as a form: a field for each thing that a file does not say, and a JSON object for all the rest."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from classifier.inference.input.clinical import encoding_names
from classifier.inference.input.manifest import COLORS, INTERPOLATIONS, LARGEST_SIDE, OUTPUTS, RESIZES, SMALLEST_SIDE
from skinsite.strict_json import strict_json

FROM_THE_FILE = "as in the file"
PROPOSED = "as proposed"
ANTIALIAS = (("", PROPOSED), ("true", "yes: Pillow, torchvision"), ("false", "no: tf.image.resize, OpenCV"))
IN_INPUT = ("width", "height", "resize", "interpolation", "antialias", "color", "range", "mean", "std", "clinical")
TOP = ("classes", "output", "unnamed", "architecture", "training_data")


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
        return _told(manifest)


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


def _told(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in manifest.items() if value not in ("", [], {}, None)}


def _choices(empty: str, words: Iterable[str]) -> list[tuple[str, str]]:
    return [("", empty), *((word, word) for word in words)]


class ManifestFields(forms.Form):
    """Fields win over the JSON object; what is in neither is proposed from the file."""

    classes = ClassesField(
        required=False,
        help_text="Codes in the order of the outputs, such as akiec, bcc, bkl, df, mel, nv, vasc; one sigmoid names "
        "two, no and yes. Nothing in a file tells this order.",
    )
    unnamed = forms.BooleanField(
        required=False, label="More outputs than names", help_text="Call those without a name other_1, other_2 …"
    )
    output = forms.ChoiceField(
        required=False,
        choices=_choices(FROM_THE_FILE, OUTPUTS),
        label="Ends with",
        help_text="What the file's own last step makes of its numbers.",
    )
    clinical = forms.ChoiceField(
        required=False,
        choices=_choices("nothing", encoding_names()),
        label="Takes beside the image",
        help_text="A named encoding of age, sex and site.",
    )
    architecture = ManifestField(
        required=False,
        rows=3,
        help_text='Only for PyTorch weights that do not tell it: {"family": "timm", "name": "efficientnet_b2"}.',
    )
    width = forms.IntegerField(required=False, min_value=SMALLEST_SIDE, max_value=LARGEST_SIDE, label="Width (px)")
    height = forms.IntegerField(required=False, min_value=SMALLEST_SIDE, max_value=LARGEST_SIDE, label="Height (px)")
    resize = forms.ChoiceField(required=False, choices=_choices(PROPOSED, RESIZES))
    interpolation = forms.ChoiceField(required=False, choices=_choices(PROPOSED, INTERPOLATIONS))
    antialias = forms.ChoiceField(required=False, choices=ANTIALIAS)
    color = forms.ChoiceField(required=False, choices=_choices(PROPOSED, COLORS), label="Channels")
    range = NumbersField(required=False, length=2, help_text="The values of black and of white: 0, 1.")
    mean = NumbersField(required=False, length=3, help_text="Subtracted from each channel.")
    std = NumbersField(required=False, length=3, help_text="What each channel is then divided by.")
    training_data = LinesField(
        required=False, label="Trained on", help_text="Names of data sets, one a line: for the seen-image check."
    )
    manifest = ManifestField(
        required=False,
        label="Manifest as JSON",
        help_text="Paste a whole manifest here in place of the fields, or what has no field. Fields above win.",
    )

    def told(self) -> dict[str, Any]:
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


def split(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The initial values of ManifestFields for a manifest: what no field can show as it is stays in the JSON object."""
    rest = _told(manifest)
    initial = {name: rest.pop(name) for name in TOP if name in rest and _fits(name, rest[name])}
    if isinstance(given := rest.get("input"), dict):
        shown = {name: value for name, value in given.items() if name in IN_INPUT and _fits(name, value)}
        rest["input"] = {name: value for name, value in given.items() if name not in shown and value is not None}
        if "antialias" in shown:
            shown["antialias"] = str(shown["antialias"]).lower()
        initial |= shown
    return initial | {"manifest": _told(rest) or None}


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
