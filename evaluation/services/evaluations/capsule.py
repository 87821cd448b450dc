"""What one takes away: metrics.json, and a zip with everything that the headline numbers can be checked with."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage
from django.utils import timezone

from classifier.inference.input.preprocess import PREPROCESSING_VERSION
from classifier.services.predictions import software
from evaluation.documents.evaluation_result import EvaluationResult
from evaluation.models import Evaluation
from evaluation.services.evaluations import stored_predictions
from evaluation.services.evaluations.sentences import methods_paragraph
from evaluation.services.evaluations.tables import prediction_rows, submission_rows
from skinsite.disclaimer import DISCLAIMER
from skinsite.spreadsheet import plain_lines

SCRIPT = Path(__file__).with_name("recompute.py")
README = f"""Evaluation capsule of Skinsite. {DISCLAIMER}

predictions.csv   every image with truth and probabilities
submission.csv    the same in the form of the ISIC challenges
metrics.json      all numbers, intervals, settings, hashes and versions
methods.txt       a paragraph for the paper
figures/          PNG (300 dpi), SVG and PDF
recompute.py      recomputes the headline numbers from predictions.csv with scikit-learn: python recompute.py
"""


def metrics_document(evaluation: Evaluation) -> dict[str, Any]:
    """Return the numbers with all that they depend on; `schema` counts its shape."""
    document = {key: value for key, value in evaluation.document.items() if key != "figures"}
    model, data_set = evaluation.model, evaluation.data_set
    return {
        "schema": document.pop("schema"),
        "notice": DISCLAIMER,
        "made": timezone.now().isoformat(),
        "model": {
            "name": model.name,
            "version": model.version,
            "sha256": model.sha256,
            "manifest": model.manifest,
        },
        "data_set": {
            "name": data_set.name,
            "synthetic": data_set.synthetic,
            "images": data_set.result.images,
            "licences": data_set.result.licences,
            "attributions": data_set.result.attributions,
        },
        "engine": evaluation.engine,
        "recipe": stored_predictions.recipe(model, evaluation.engine),
        "preprocessing": PREPROCESSING_VERSION,
        "software": software.versions(),
        "seen": evaluation.seen,
        "failed_images": evaluation.failed_images.count(),
        **document,
    }


def capsule(evaluation: Evaluation, result: EvaluationResult) -> bytes:
    """Return the zip."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README)
        archive.writestr("predictions.csv", b"".join(plain_lines(prediction_rows(evaluation))))
        archive.writestr("submission.csv", b"".join(plain_lines(submission_rows(evaluation))))
        archive.writestr("metrics.json", json.dumps(metrics_document(evaluation), indent=1))
        archive.writestr("methods.txt", methods_paragraph(evaluation, result) + "\n")
        archive.writestr("recompute.py", SCRIPT.read_text())
        archive.writestr("images.csv", b"".join(plain_lines(_hashes(evaluation))))
        for kind, files in result.figures.items():
            for form, name in files.items():
                with default_storage.open(name, "rb") as figure:
                    archive.writestr(f"figures/{kind}.{form}", figure.read())
    return file.getvalue()


def _hashes(evaluation: Evaluation) -> Any:
    """The alias of each image with the file that the owner submitted and the hash of its decoded pixels."""
    yield ["image", "file", "sha256_of_pixels", "attribution", "licence"]
    rows = evaluation.data_set.images.values_list("name", "file_name", "sha256", "attribution", "licence")
    yield from rows.order_by("pk").iterator(chunk_size=2000)
