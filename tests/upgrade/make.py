"""Make a small data folder as an earlier commit writes it, with what that commit answers from it.

    git worktree add /tmp/old e6c3e4e && cd /tmp/old
    PYTHON REPOSITORY/tests/upgrade/make.py REPOSITORY/tests/upgrade/e6c3e4e.tar.xz

With 59e5670 it is the same; that commit knows no evaluations yet. All is made by the old commit's own services, whose
names are those of then: bundles of two small networks, admitted by it, pictures drawn below, cases with predictions,
maps by other methods, and where it has them a data set with masks, evaluations with their figures, comparisons and
checks. `answers.json` in the archive is what it answered with 200: {who: {address: text of JSON or CSV}}.
"""

import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

HERE = Path(__file__).parent
SEVEN = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
SIDE = 16
LAYERS = [
    {"type": "conv2d", "name": "conv1", "out": 4, "kernel": 3, "stride": 1, "padding": 1},
    {"type": "relu"},
    {"type": "maxpool2d", "kernel": 2},
    {"type": "flatten"},
    {"type": "linear", "name": "fc1", "out": len(SEVEN)},
]
TORCH = {
    "name": "Tiny",
    "version": "1",
    "architecture": {"family": "layers", "layers": LAYERS},
    "classes": list(SEVEN),
    "input": {"width": SIDE, "height": SIDE},
    "output": "logits",
    "training_data": [{"name": "Nothing", "images": None}],
    "licence": "CC0-1.0",
    "card": "Random weights: for tests.",
}
KERAS = {"name": "Tiny Keras", "version": "1", "classes": ["mel", "nv", "bkl"], "input": {"range": [-1, 1]}}
LANE = {"differs": 0.01, "changed": 1, "pictures": 12, "one_ms": 2.0, "eight_ms": 9.0, "exact_eight_ms": 20.0}
NOT_KEPT = ("static", "uploads", "log", "run", "secret-key", "models/uploads", "datasets/staging")
PICTURES = 72
PEOPLE = ("alice", "root")
NOW = "2026-12-01T12:00:00+00:00"


def picture(number: int, *, mask: bool = False) -> bytes:
    """A disc on skin, or where it lies; flat, so that many of them take little room."""
    rng = np.random.default_rng(number)
    skin, disc = (0, 255) if mask else ((225, 180, 160), tuple(map(int, rng.integers(30, 200, 3))))
    image = Image.new("L" if mask else "RGB", (40, 32), skin)
    left, top, size = (int(value) for value in rng.integers((4, 4, 8), (20, 14, 16)))
    ImageDraw.Draw(image).ellipse((left, top, left + size, top + size), fill=disc)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def weights(*, broken: bool = False) -> bytes:
    from safetensors.numpy import save

    rng = np.random.default_rng(7)
    shapes = {"conv1.weight": (4, 3, 3, 3), "conv1.bias": (4,), "fc1.weight": (7, 4 * SIDE**2 // 4), "fc1.bias": (7,)}
    tensors = {name: rng.normal(0, 0.2, shape).astype(np.float32) for name, shape in shapes.items()}
    if broken:
        tensors["fc1.bias"][0] = np.nan
    return bytes(save(tensors))


def in_a_process(*commands: str) -> None:
    """Run commands of the old checkout in a process that loads one framework."""
    subprocess.run([sys.executable, "manage.py", "shell", "--command", "; ".join(commands)], check=True)


def make_models(owner: Any) -> dict[str, Any]:
    """Admit both networks; a third is refused."""
    from classifier.models import ModelRecord
    from classifier.services import admissions

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "tiny.keras")
        save = "from tests.admission.uploads import save_keras; from pathlib import Path"
        in_a_process(save, f"save_keras(Path({str(file)!r}))")
        keras = file.read_bytes()
    uploads = (
        ("tiny.safetensors", weights(), TORCH),
        ("tiny.keras", keras, KERAS),
        ("nan.safetensors", weights(broken=True), TORCH | {"name": "No numbers"}),
    )
    for name, content, manifest in uploads:
        row = admissions.register_model(user=owner, file=io.BytesIO(content), file_name=name, manifest=manifest)
        admissions.run_admission(admission_id=row.pk)
    models = {model.name: model for model in ModelRecord.objects.all()}
    states = {name: model.state for name, model in models.items()}
    assert states == {"Tiny": "ready", "Tiny Keras": "ready", "No numbers": "refused"}, states
    return models


def make_cases(owner: Any, models: dict[str, Any]) -> None:
    """Two cases, one of two pictures and a broken one beside them; a prediction failed, another was cancelled."""
    from classifier.models import Prediction
    from classifier.services.cases import CaseDetails, Upload, create_case
    from skinsite.jobs import Failure

    ready = [models["Tiny"], models["Tiny Keras"]]
    details = CaseDetails(title="Left arm <b>", age=61, sex="female", site="back", reference="mel", note="A note.")
    files = [Upload(f"{number}.png", io.BytesIO(picture(number))) for number in (1, 2)]
    broken = Upload("broken.jpg", io.BytesIO(b"no picture"))
    create_case(owner=owner, uploads=[*files, broken], models=ready, details=details)
    create_case(owner=owner, uploads=[Upload("3.png", io.BytesIO(picture(3)))], models=ready)
    *asked, failed, cancelled = Prediction.objects.order_by("pk")
    for model in ready:
        run = "from classifier.services.predictions import run_prediction"
        in_a_process(run, *(f"run_prediction(prediction_id={row.pk})" for row in asked if row.model_id == model.pk))
    token = Prediction.objects.claim(failed.pk, in_hand=True)
    Prediction.objects.fail(failed.pk, token, Failure("too-large", "It is too large.", "Make it smaller."))
    Prediction.objects.filter(pk=cancelled.pk).cancel()
    assert set(Prediction.objects.values_list("state", flat=True)) == {"done", "failed", "cancelled"}


def make_explanations() -> None:
    from classifier.services.explanations import ask

    from classifier.models import ExplanationJob, Prediction

    first = Prediction.objects.filter(state="done", model__name="Tiny").first()
    for method in ("hirescam", "occlusion"):
        ask(prediction=first, method=method)
    pks = ExplanationJob.objects.values_list("pk", flat=True)
    run = "from classifier.services.explanations import run_explanation"
    in_a_process(run, *(f"run_explanation(job_id={pk})" for pk in pks))


def archive(numbers: Sequence[int], header: Sequence[str], *, masks: bool) -> io.BytesIO:
    """A zip of pictures with their table, one lesion for two of them."""
    file, table = io.BytesIO(), io.StringIO()
    rows = csv.writer(table)  # noqa: TID251
    rows.writerow(header)
    with zipfile.ZipFile(file, "w") as packed:
        for number in numbers:
            packed.writestr(f"images/p{number}.png", picture(number))
            if masks:
                packed.writestr(f"masks/p{number}.png", picture(number, mask=True))
            rows.writerow([f"p{number}", SEVEN[number // 2 % 7], f"l{number // 2}", 20 + number % 60, "female"])
        rows.writerow(["lost", "nv", "l0", 30, "male"])
        packed.writestr("labels.csv", table.getvalue())
    return io.BytesIO(file.getvalue())


def make_evaluations(owner: Any, administrator: Any, models: dict[str, Any]) -> None:
    """Everything of the second app: data sets, evaluations, comparisons, checks; the fast lane as if it were here."""
    from functools import partial

    from classifier.inference import bundle, engines, openvino_network
    from classifier.models import ModelRecord
    from evaluation.models import Comparison, DataSet, Evaluation, MapCheck
    from evaluation.services import (
        comparing,
        comparisons,
        evaluations,
        intake,
        map_checks,
        map_measuring,
        opening,
        scoring,
        setting_checks,
        setting_search,
        thresholds,
    )

    def imported(name: str, header: Sequence[str], numbers: Sequence[int], *, masks: bool) -> DataSet:
        row = intake.create_data_set(owner=owner, name=name, archive=archive(numbers, header, masks=masks))
        intake.run_import(data_set_id=row.pk)
        return DataSet.objects.get(pk=row.pk)

    def evaluated(model: ModelRecord, by: Any, engine: str = "") -> Evaluation:
        row = evaluations.start_evaluation(owner=by, data_set=data_set, model=model, engine=engine)
        while Evaluation.objects.get(pk=row.pk).stage == "predicting":
            evaluations.run_evaluation(evaluation_id=row.pk, gives_way=False)
        scoring.run_scoring(evaluation_id=row.pk)
        return Evaluation.objects.select_related("model", "data_set").get(pk=row.pk)

    known = ("image", "diagnosis", "lesion_id", "age", "sex")
    data_set = imported("Clinic", known, range(PICTURES), masks=True)
    mapped = imported("To be mapped", ("a", "b", "c", "d", "e"), range(100, 104), masks=False)
    assert (data_set.state, mapped.state) == ("done", "failed"), (data_set.error, mapped.error)
    DataSet.objects.filter(pk=data_set.pk).update(published=True)
    tiny, keras = models["Tiny"], models["Tiny Keras"]
    rows = [evaluated(tiny, owner), evaluated(keras, owner)]
    assert all(row.state == "done" for row in rows), [row.error for row in rows]
    for taxonomy in ("melanoma", "malignant"):
        made = comparisons.start_comparison(owner=owner, evaluations=rows, taxonomy_name=taxonomy)
        comparing.run_comparison(comparison_id=made.pk)
        compared = Comparison.objects.get(pk=made.pk)
    listed = [row["image"] for row in compared.document["disagreements"]][:1]
    opening.open_images(user=owner, comparison=compared, images=data_set.images.filter(pk__in=listed))
    thresholds.report_operating_point(evaluation=rows[0], definition="malignant", target=0.5, source=None)
    check = map_checks.start_map_check(owner=owner, data_set=data_set, model=tiny, seed=1)
    at_admission = MapCheck.objects.create(model=tiny, seed=2)
    for row in (check, at_admission):
        map_measuring.run_map_check(check_id=row.pk, gives_way=False)
    found = setting_checks.start_setting_check(owner=administrator, data_set=data_set, model=tiny, seed=1)
    setting_search.run_setting_check(check_id=found.pk, gives_way=False)
    bundle.add_lane(tiny.bundle_path, LANE)
    ModelRecord.objects.filter(pk=tiny.pk).update(measured=tiny.measured | {"graph": {"fast": LANE}})
    engines.has_bf16 = lambda: True
    openvino_network.OpenVinoClassifier = partial(openvino_network.OpenVinoClassifier, precision="f32")
    fast = evaluated(ModelRecord.objects.get(pk=tiny.pk), administrator, engines.FAST)
    assert (check.refresh_from_db(), check.state, fast.state) == (None, "done", "done"), (check.error, fast.error)


def answers(checkout: Path, data: Path) -> dict[str, dict[str, str]]:
    """What the old commit answers from the folder with 200, as text where it is JSON or CSV.

    A query that it answers as if there were none is left out: it may not have known it.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy, out = Path(folder, "data"), Path(folder, "out")
        shutil.copytree(data, copy)
        walk = [sys.executable, str(HERE / "walk.py"), str(out), "--now", NOW, "--people", *PEOPLE]
        subprocess.run(walk, cwd=checkout, env=os.environ | {"SKINSITE_DATA": str(copy)}, check=True)
        rows = [json.loads(line) for line in (out / "answers.jsonl").read_text().splitlines()]
        bodies = {(row["who"], row["address"]): row["body"] for row in rows}
        found: dict[str, dict[str, str]] = {}
        for row in rows:
            path, _, query = row["address"].partition("?")
            understood = not query or row["body"] != bodies[row["who"], path]
            is_text = row["headers"].get("Content-Type", "").startswith(("application/json", "text/csv"))
            if row["status"] == 200 and understood:
                kept = is_text and "openapi" not in path
                body = (out / "bodies" / row["body"]).read_text() if kept else ""
                found.setdefault(row["who"], {})[row["address"]] = body
    return found


def main(out: Path) -> None:
    checkout = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data")
        os.environ |= {"SKINSITE_DATA": str(data), "DJANGO_SETTINGS_MODULE": "skinsite.settings"}
        sys.path[0] = str(checkout)
        import django

        django.setup()
        from django.contrib.auth import get_user_model
        from django.core.management import call_command
        from django.db import connection

        from classifier.services import queueing

        call_command("migrate", verbosity=0)
        queueing._send = lambda *_: None
        with_evaluations = (checkout / "evaluation").exists()
        if with_evaluations:
            from evaluation.services import queueing as others

            others._send = lambda *_: None
        people = get_user_model().objects
        owner = people.create_user(PEOPLE[0], email="alice@example.org")
        administrator = people.create_superuser(PEOPLE[1], email="root@example.org")
        models = make_models(administrator)
        make_cases(owner, models)
        if with_evaluations:
            make_explanations()
            make_evaluations(owner, administrator, models)
        connection.close()
        for name in NOT_KEPT:
            shutil.rmtree(data / name) if (data / name).is_dir() else (data / name).unlink(missing_ok=True)
        for path in (data / "media" / "evaluations").glob("*/*.png"):
            with Image.open(path) as figure:
                figure.resize((figure.width // 10, figure.height // 10)).save(path)
        with sqlite3.connect(data / "db.sqlite3") as database:
            database.execute("PRAGMA journal_mode=DELETE")
            database.execute("VACUUM")
        told = answers(checkout, data)
        with tarfile.open(out, "w:xz") as packed:
            packed.add(data, "data")
            entry = tarfile.TarInfo("answers.json")
            content = json.dumps(told).encode()
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))
    sys.stdout.write(f"{out}: {out.stat().st_size:,} bytes, {sum(map(len, told.values()))} answers\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
