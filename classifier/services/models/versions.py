"""The versions of one model, and what changed from one to another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from classifier.models import ModelRecord

TEXTS = ("name", "version", "card")
NOTHING = "–"
NUMBERS_THAT_VARY = ("speed", "memory", "load")
"""Checks whose sentences hold times and sizes of one run."""


@dataclass(frozen=True)
class Change:
    """`what` is a field's path or a check's name; before and after as text."""

    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Changes:
    facts: tuple[Change, ...]
    manifest: tuple[Change, ...]
    report: tuple[Change, ...]

    @property
    def none(self) -> bool:
        return not (self.facts or self.manifest or self.report)


def version_before(record: ModelRecord, versions: Iterable[ModelRecord]) -> ModelRecord | None:
    """The one that was registered last before this."""
    return max((other for other in versions if other.pk < record.pk), key=lambda other: other.pk, default=None)


def changes(before: ModelRecord, after: ModelRecord) -> Changes:
    """Compare what decides about answers first, then the manifests, then what the admissions found."""
    rows = (
        ("weights sha256", before.sha256, after.sha256),
        ("original sha256", before.upload_sha256, after.upload_sha256),
        ("framework", before.framework, after.framework),
        ("architecture", before.architecture, after.architecture),
        ("parameters", before.parameters, after.parameters),
        ("layer of the maps", before.layer, after.layer),
        ("licence", before.licence, after.licence),
        ("model card", _size(before.card), _size(after.card)),
    )
    return Changes(
        facts=tuple(Change(what, _text(old), _text(new)) for what, old, new in rows if old != new),
        manifest=tuple(_between(_flat(before.manifest), _flat(after.manifest))),
        report=tuple(_between(_findings(before), _findings(after))),
    )


def _between(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[Change]:
    for what in dict.fromkeys((*old, *new)):
        if old.get(what) != new.get(what):
            yield Change(what, _text(old.get(what)), _text(new.get(what)))


def _flat(manifest: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a manifest's fields by path, such as `input.width`; lists stay whole."""
    fields: dict[str, Any] = {}
    for name, value in manifest.items():
        if isinstance(value, Mapping):
            fields |= _flat(value, f"{prefix}{name}.")
        elif prefix or name not in (*TEXTS, "licence"):
            fields[prefix + name] = value
    return fields


def _findings(record: ModelRecord) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for row in record.report:
        if row["check"] not in NUMBERS_THAT_VARY:
            found.setdefault(row["check"], []).append(f"{'' if row['passed'] else 'not passed: '}{row['detail']}")
    return {check: "; ".join(details) for check, details in found.items()}


def _size(card: str) -> str:
    return f"{len(card.splitlines())} lines, {len(card):,} characters" if card else ""


def _text(value: Any) -> str:
    if value in (None, "", [], {}):
        return NOTHING
    if isinstance(value, list):
        return ", ".join(_text(entry) for entry in value)
    if isinstance(value, Mapping):
        return str(value.get("code") or value.get("name") or dict(value))
    return str(value)
