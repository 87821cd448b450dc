"""A model's card as a Hugging Face repository has it: README.md, YAML front matter, then Markdown."""

from collections.abc import Iterable
from typing import Any

import yaml
from django.http import HttpRequest

from classifier import extension_points
from classifier.models import ModelRecord
from skinsite.diagnoses import MALIGNANT_DEFINITION
from skinsite.disclaimer import DISCLAIMER

LIBRARIES = {"keras": "keras", "torch": "pytorch"}
LICENCES = ("mit", "apache-2.0", "cc-by-4.0", "cc-by-nc-4.0", "cc0-1.0", "bsd-3-clause", "gpl-3.0", "agpl-3.0")
"""Identifiers of the Hub that a licence's own words may begin with."""


def readme(record: ModelRecord, request: HttpRequest) -> str:
    """Return the whole file, with what other apps tell at the points `card-results` and `card-sections`."""
    results = [result for told in extension_points.facts("card-results", request, model=record) for result in told]
    sections = extension_points.facts("card-sections", request, model=record)
    front = yaml.safe_dump(_front(record, results), sort_keys=False, allow_unicode=True, width=100)
    return "\n".join((f"---\n{front}---\n", *_body(record, sections)))


def _front(record: ModelRecord, results: list[dict[str, Any]]) -> dict[str, Any]:
    names = [entry["name"] for entry in record.manifest.get("training_data") or [] if entry.get("name")]
    front: dict[str, Any] = {
        **_licence(record.licence),
        "library_name": LIBRARIES.get(record.framework, record.framework),
        "pipeline_tag": "image-classification",
        "tags": ["dermatology", "dermoscopy", "skin-lesion", "skinsite"],
    }
    if results:
        front["metrics"] = sorted({metric["type"] for result in results for metric in result["metrics"]})
        front["model-index"] = [{"name": record.name, "results": results}]
    if names:
        front["training_data"] = names
    return front


def _licence(words: str) -> dict[str, str]:
    plain = words.lower().replace(" ", "-")
    known = next((name for name in LICENCES if plain == name or plain.startswith((f"{name}-", f"{name},"))), None)
    if known:
        return {"license": known}
    return {"license": "other", "license_name": words} if words else {"license": "unknown"}


def _body(record: ModelRecord, sections: Iterable[str]) -> Iterable[str]:
    yield f"# {record.name}, version {record.version}\n"
    yield f"{DISCLAIMER}\n"
    if record.card:
        yield f"{record.card.strip()}\n"
    yield "## Classes, in the order of the outputs\n"
    yield "| code | name | malignant |\n| --- | --- | --- |"
    for entry in record.classes:
        yield f"| {_cell(entry['code'])} | {_cell(entry['name'])} | {_yes(entry['malignant'])} |"
    yield f"\n{MALIGNANT_DEFINITION}\n"
    yield "## Input\n"
    for name, value in record.manifest.get("input", {}).items():
        yield f"- {name}: {_cell(', '.join(map(str, value)) if isinstance(value, list) else str(value))}"
    yield f"- output: {_cell(str(record.manifest.get('output', '')))}\n"
    yield from sections
    yield "## Provenance\n"
    yield f"- architecture: {_cell(record.architecture)}, {record.parameters or 0:,} parameters"
    yield f"- original: {_cell(record.upload_name)}, SHA-256 `{record.upload_sha256}`"
    yield f"- weights: SHA-256 `{record.sha256}`\n"
    yield "## Admission report\n"
    for row in record.report:
        yield f"- {'passed' if row['passed'] else '**not passed**'} · {_cell(row['check'])}: {_cell(row['detail'])}"
    yield ""


def _yes(malignant: bool | None) -> str:
    return {True: "yes", False: "no", None: "unknown"}[malignant]


def _cell(text: str) -> str:
    """Text that breaks no table and no list."""
    return " ".join(text.replace("|", "\\|").split())
