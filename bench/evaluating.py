"""`python -m bench.evaluating`: whole evaluations against the loop that a researcher would write, same pictures.

On 96 validation pictures of ISIC 2018 where `SKINSITE_SHARED` has them, else on phantoms. The script opens files,
resizes them as the manifest says and calls the network for batches of 32, in PyTorch behind a DataLoader; the portal's
side is everything from the queued row to the last stored answer, the scores beside it. Both in one process, in turn.
The last line on stdout is JSON.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROUNDS = 7
BATCH = 32
PICTURES = 96


def main(bundles_of: Path) -> dict[str, Any]:
    """Import the pictures into a copy of a portal's data, and measure both frameworks."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data")
        shutil.copytree(bundles_of, data, ignore=shutil.ignore_patterns("run", "log"), symlinks=True)
        images, table = _pictures(Path(folder))
        environment = os.environ | {"SKINSITE_DATA": str(data)}
        command = ["import_dataset", "Bench", "--images", str(images), "--labels", str(table)]
        subprocess.run([sys.executable, "manage.py", *command], check=True, env=environment, stdout=subprocess.DEVNULL)
        found: dict[str, Any] = {}
        for framework in ("torch", "keras"):
            run = subprocess.run(
                [sys.executable, "-m", "bench.evaluating", framework, str(images)],
                check=True,
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
            )
            found |= json.loads(run.stdout.splitlines()[-1])
        return found


def _pictures(folder: Path) -> tuple[Path, Path]:
    """Return a folder of pictures and their label table."""
    import csv

    images, table = folder / "images", folder / "labels.csv"
    images.mkdir()
    shared = Path(os.environ.get("SKINSITE_SHARED", "../shared"), "data")
    columns = ("image", "diagnosis", "lesion_id", "age", "sex", "site")
    rows: list[tuple[Any, ...]] = []
    if (shared / "labels.csv").exists():
        with (shared / "labels.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                if row["split"] == "val" and len(rows) < PICTURES:
                    shutil.copy(shared / row["file"], images)
                    rows.append(tuple(row[name] for name in columns))
    else:
        from PIL import Image

        from evaluation.phantoms import draw

        for phantom in draw():
            Image.fromarray(phantom.pixels).save(images / f"{phantom.name}.png")
            rows.append((phantom.name, phantom.code, phantom.lesion, phantom.age, phantom.sex, phantom.site))
    table.write_text("\n".join(",".join(map(str, row)) for row in (columns, *rows)))
    return images, table


def measure(framework: str, images: Path) -> dict[str, Any]:
    """Evaluate with the portal's services and with a script, `ROUNDS` times in turn."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skinsite.settings")
    django.setup()
    import numpy as np

    from classifier.inference import bundle
    from classifier.models import ModelRecord
    from evaluation.models import DataSet, Evaluation, Inference
    from evaluation.models.evaluation import Stage
    from evaluation.services.evaluations import run as evaluation_run
    from evaluation.services.evaluations import score, stored_predictions
    from skinsite.jobs import send

    send.publish = lambda *_: None
    data_set = DataSet.objects.get(name="Bench")
    model = ModelRecord.objects.ready().filter(framework=framework, is_default=True).get()
    rows = list(data_set.images.order_by("pk"))
    script = _script(framework, bundle.read(model.bundle_path, native=True), model, images, rows)
    script()
    ours, theirs, scores, difference = [], [], [], 0.0
    for _ in range(ROUNDS):
        Inference.objects.all().delete()
        began = time.perf_counter()
        row = evaluation_run.start_evaluation(owner=data_set.owner, data_set=data_set, model=model)
        while Evaluation.objects.get(pk=row.pk).stage == Stage.PREDICTING:
            evaluation_run.run_evaluation(evaluation_id=row.pk, alone=True)
        ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        score.run_scoring(evaluation_id=row.pk)
        scores.append(time.perf_counter() - began)
        began = time.perf_counter()
        said = script()
        theirs.append(time.perf_counter() - began)
        answers = stored_predictions.answers_of(Evaluation.objects.get(pk=row.pk))
        difference = max(difference, float(np.abs(said - np.stack([answers[image.pk] for image in rows])).max()))
    mine, plain = statistics.median(ours), statistics.median(theirs)
    return {
        f"evaluate_vs_script_{framework}": round(plain / mine, 2),
        f"images_per_second_{framework}": round(len(rows) / mine, 1),
        f"script_images_per_second_{framework}": round(len(rows) / plain, 1),
        f"scores_seconds_{framework}": round(statistics.median(scores), 2),
        f"largest_difference_{framework}": difference,
    }


def _script(framework: str, found: Any, model: Any, images: Path, rows: list[Any]) -> Callable[[], Any]:
    """The plain loop over batches; returns probabilities (n, C)."""
    import numpy as np
    from PIL import Image

    from bench.inference import NATIVE
    from classifier.inference.input.clinical import encode
    from classifier.inference.outputs import to_probabilities
    from evaluation.services.data_sets.read_image import clinical_of

    network, spec = NATIVE[framework](found), model.manifest["input"]
    size = (spec["width"], spec["height"])
    low, high = spec["range"]

    def prepared(row: Any) -> Any:
        with Image.open(images / row.file_name) as opened:
            picture = opened.convert("RGB")
        if framework == "torch":
            picture = picture.resize(size, getattr(Image.Resampling, spec["interpolation"].upper()))
            values = np.asarray(picture, np.float32) / 255
        else:
            import tensorflow as tf

            values = tf.image.resize(np.asarray(picture), size[::-1], spec["interpolation"]).numpy() / 255
        values = (values * (high - low) + low - np.float32(spec["mean"])) / np.float32(spec["std"])
        vector = None if spec["clinical"] == "none" else encode(spec["clinical"], clinical_of(row))
        return values.astype(np.float32), vector

    def once() -> Any:
        said = []
        for pictures, vectors in _batches(framework, rows, prepared):
            logits = np.asarray(network(pictures, vectors))
            said.append(to_probabilities(logits, "softmax") if framework == "torch" else logits)
        return np.concatenate(said)

    return once


def _batches(framework: str, rows: list[Any], prepared: Callable[[Any], Any]) -> Iterator[tuple[Any, Any]]:
    """Yield prepared pictures (n, height, width, 3) and vectors; for PyTorch by a DataLoader, a worker a core."""
    import numpy as np

    def stacked(items: list[Any]) -> tuple[Any, Any]:
        pictures, vectors = zip(*items, strict=True)
        return np.stack(pictures), None if vectors[0] is None else np.stack(vectors)

    if framework == "torch":
        from torch.utils.data import DataLoader

        class Prepared:
            def __len__(self) -> int:
                return len(rows)

            def __getitem__(self, place: int) -> Any:
                return prepared(rows[place])

        yield from DataLoader(Prepared(), batch_size=BATCH, num_workers=os.cpu_count() or 1, collate_fn=stacked)
    else:
        for first in range(0, len(rows), BATCH):
            yield stacked([prepared(row) for row in rows[first : first + BATCH]])


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(sys.argv[1], Path(sys.argv[2]))))
    else:
        print(json.dumps(main(Path(sys.argv[1]) if len(sys.argv) == 2 else Path("data"))))
