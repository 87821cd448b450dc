"""Register a model file from the server's own disk, wait for its check, and print the report."""

import json
import sys
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from classifier.models import ModelRecord
from classifier.models.model_record import ModelState
from classifier.services.models.register import register_model, run_admission
from classifier.services.models.report import AdmissionReport, report_of
from classifier.services.predictions.documents import model_document
from classifier.training_ids import with_files
from skinsite.refusal import Refusal
from skinsite.sandbox.ask import plain
from skinsite.strict_json import strict_json

REFUSED = 1
MARKS = {"passed": "ok", "assumed": "?", "note": "!", "refused": "NO"}


class Command(BaseCommand):
    help = "Register a model file: check it in confined processes, print the report, end with 1 if it is refused."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("file", type=Path, help="a .keras, .h5, .pth, .pt or .safetensors file")
        parser.add_argument(
            "--manifest", type=Path, help="a JSON file: what the model file does not say (docs/manifest.md)"
        )
        parser.add_argument("--json", action="store_true", help="print the model as the API shows it")

    def handle(self, *args: Any, file: Path, manifest: Path | None, **options: Any) -> None:
        began = time.monotonic()
        try:
            with file.open("rb") as opened:
                admission = register_model(
                    user=None, file=opened, file_name=file.name, manifest=_declared(manifest), send=False
                )
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except Refusal as refusal:
            raise CommandError(f"{file.name} is not registered: {refusal}") from refusal
        kept_s = time.monotonic() - began
        run_admission(admission_id=admission.pk)
        record = _decided(admission.record_id)
        if options["json"]:
            self.stdout.write(json.dumps(model_document(record), indent=2, ensure_ascii=False))
        else:
            self._print(record, report_of(record), kept_s, time.monotonic() - began)
        if record.state != ModelState.READY:
            sys.exit(REFUSED)

    def _print(self, record: ModelRecord, report: AdmissionReport, kept_s: float, seconds: float) -> None:
        self.stdout.write(f"{record}: {record.state}\n")
        for label, value in report.facts:
            self.stdout.write(f"  {label + ':':26}{plain(value)}")
        for group in report.groups:
            self.stdout.write(f"\n{group.title}")
            for line in group.lines:
                self.stdout.write(f"  {MARKS[line.verdict]:3}{line.label + ':':26}{plain(line.detail)}")
        for title, rows in (
            (
                "Sensitivity to plumbing: the largest move of a probability",
                [_move(row) for row in report.sensitivities],
            ),
            ("From file to answer", [*_times(report, kept_s, seconds)]),
        ):
            self.stdout.write(f"\n{title}" if rows else "")
            for row in rows:
                self.stdout.write(f"  {row}")
        if record.error:
            self.stdout.write(f"\nRefused: {record.error.get('message', '')}\n{record.error.get('hint', '')}")
            for candidate in record.error.get("candidates") or []:
                self.stdout.write(
                    f"  candidate: {json.dumps(candidate['architecture'])}  {candidate.get('differs', '')}"
                )


def _declared(manifest: Path | None) -> dict[str, Any]:
    """Read the manifest, and the lists of ids that it names and that lie beside it. Raises CommandError."""
    if manifest is None:
        return {}
    try:
        declared = strict_json(manifest.read_bytes())
        if not isinstance(declared, dict):
            raise CommandError(f"{manifest} must hold a JSON object, in braces.")
        return with_files(declared, manifest.parent)
    except OSError as error:
        raise CommandError(f"{error.filename} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CommandError(f"{manifest}, or a list that it names, cannot be read: {error}") from error


def _decided(pk: int) -> ModelRecord:
    """A portal that runs beside may have taken the check in hand: then that one is waited for."""
    while (record := ModelRecord.objects.get(pk=pk)).state == ModelState.CHECKING:
        time.sleep(0.5)
    return record


def _move(row: dict[str, Any]) -> str:
    turned = f", another class wins in {row['changed']} of {row['pictures']} views" if row["changed"] else ""
    return f"{row['largest']:.3f}  {row['what']}{turned}"


def _times(report: AdmissionReport, kept_s: float, seconds: float) -> list[str]:
    rows = [("Keep and hash the file", kept_s), *report.stages, ("Together", seconds)]
    return [f"{value:6.1f} s  {stage}" for stage, value in rows]
