"""What the page of a setting check shows, from its stored document."""

from typing import Any

from evaluation.documents.setting_check import ClassFinding, Finding, Said, Tried
from evaluation.models import LabelledImage, SettingCheck
from evaluation.setting.titles import TITLES, UNDETERMINED

PARTS = {name: title for name, title in TITLES.items() if name != "output"}


class SettingPage:
    def __init__(self, check: SettingCheck) -> None:
        self.check, self.document = check, check.result
        self.titles = list(PARTS.values())

    @property
    def tried(self) -> list[tuple[Tried, list[str]]]:
        """The settings, best first, each with its parts in the order of the titles."""
        return [(row, [getattr(row, name) for name in PARTS]) for row in self.document.tried]

    @property
    def findings(self) -> list[tuple[str, Finding]]:
        parts = [(TITLES[part.name], part) for part in self.document.parts]
        return [("Class order", self.document.order), *parts]

    @property
    def classes(self) -> list[tuple[str, ClassFinding]]:
        """Each class with its name."""
        names = self.check.model.class_names
        return [(names.get(row.code, row.code), row) for row in self.document.classes]

    @property
    def candidates(self) -> list[str]:
        """The two best candidates in words: what they share is left out of the second."""
        rows = self.document.candidates
        return [f"order {row.order}, {row.color.upper()}, {row.scaling}, {row.resize}" for row in rows]

    @property
    def samples(self) -> list[tuple[LabelledImage, str, list[Said]]]:
        """Pictures with their truth and what is said of them; one whose row is gone is left out."""
        found = LabelledImage.objects.in_bulk([row.image for row in self.document.samples])
        return [(found[row.image], row.truth, row.answers) for row in self.document.samples if row.image in found]

    @property
    def changes(self) -> list[str]:
        """What filling in would change, as it stands in the manifest."""
        fills, now = self.document.fills, self.check.model.manifest
        changes = []
        if "classes" in fills:
            order = [entry if isinstance(entry, str) else entry["code"] for entry in fills["classes"]]
            open_ones = {row.code for row in self.document.classes if row.state == UNDETERMINED}
            shown = [f"{code} (undetermined)" if code in open_ones else code for code in order]
            changes.append(f"classes: {', '.join(shown)}")
        for name, value in fills.get("input", {}).items():
            if value != now.get("input", {}).get(name):
                changes.append(f"input.{name}: {_shown(value)}")
        if "output" in fills:
            changes.append(f"output: {fills['output']}")
        return changes


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(f"{number:g}" for number in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
