"""The manifest as a field: a JSON object in a text area."""

import json
from typing import Any

from django import forms

SKELETON: dict[str, Any] = {"name": "", "version": "1", "classes": [], "input": {}, "licence": "", "card": ""}


class ManifestField(forms.JSONField):
    """What is left empty in it counts as not given."""

    widget = forms.Textarea(attrs={"rows": 18, "cols": 90, "spellcheck": "false", "class": "vLargeTextField"})

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return json.dumps(value, indent=2, ensure_ascii=False)
        return super().prepare_value(value)

    def clean(self, value: Any) -> Any:
        manifest = super().clean(value) or {}
        if not isinstance(manifest, dict):
            raise forms.ValidationError("The manifest must be a JSON object, in braces.", code="no_object")
        return {name: value for name, value in manifest.items() if value not in ("", [], {}, None)}
