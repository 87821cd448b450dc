"""What an evaluation and a comparison say, and what can be taken away."""

import csv
import io
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from evaluation.models import Comparison, DataSet, Evaluation, TrainingSet
from evaluation.services.comparisons.compare import run_comparison
from evaluation.services.comparisons.start import start_comparison
from evaluation.services.evaluations.capsule import capsule
from evaluation.services.evaluations.operating_points import report_operating_point
from evaluation.services.evaluations.start import start_evaluation
from evaluation.services.evaluations.tables import prediction_rows
from skinsite.jobs import State
from skinsite.refusal import Refusal
from tests.factories.data_sets import import_data_set, seven_labels
from tests.factories.evaluations import EIGHT, FakeNetwork, run_to_the_end, use
from tests.factories.rows import SEVEN, make_model

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_broker")]


def evaluated(monkeypatch, data_set, codes=SEVEN, name="Seven", seed=0, **fields) -> Evaluation:
    use(monkeypatch, FakeNetwork(tuple(codes), seed))
    model = make_model(name, classes=list(codes), **fields)
    done = run_to_the_end(start_evaluation(owner=data_set.owner, data_set=data_set, model=model))
    assert done.state == State.DONE, done.error
    return Evaluation.objects.select_related("model", "data_set", "owner").get(pk=done.pk)


def score_again(evaluation) -> None:
    again = {"state": State.QUEUED, "stage": "scoring", "finished_at": None, "document": {}}
    Evaluation.objects.filter(pk=evaluation.pk).update(**again)


def table(evaluation) -> list[dict[str, str]]:
    header, *rows = prediction_rows(evaluation)
    return [dict(zip(header, row, strict=True)) for row in rows]


def compared(evaluations, taxonomy="ham7") -> Comparison:
    row = start_comparison(owner=evaluations[0].owner, evaluations=evaluations, taxonomy_name=taxonomy)
    run_comparison(comparison_id=row.pk)
    return Comparison.objects.get(pk=row.pk)


def test_the_sheet_agrees_with_scikit_learn_and_the_capsule_recomputes_it(monkeypatch, tmp_path):
    evaluation = evaluated(monkeypatch, import_data_set(seven_labels(56)))
    rows, sheet = table(evaluation), evaluation.document["textbook"]
    truth, said = [row["truth_mapped"] for row in rows], [row["predicted"] for row in rows]
    assert sheet["accuracy"]["value"] == pytest.approx(accuracy_score(truth, said))
    assert sheet["balanced_accuracy"]["value"] == pytest.approx(balanced_accuracy_score(truth, said))
    assert list(rows[0])[:5] == ["image", "lesion_id", "truth", "truth_mapped", "predicted"]
    with zipfile.ZipFile(io.BytesIO(capsule(evaluation, evaluation.result))) as archive:
        archive.extractall(tmp_path)
    assert {path.suffix for path in (tmp_path / "figures").iterdir()} == {".png", ".svg", ".pdf"}
    assert json.loads((tmp_path / "metrics.json").read_text())["schema"] == 1
    again = subprocess.run([sys.executable, tmp_path / "recompute.py"], capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stdout + again.stderr
    lines = list(csv.reader((tmp_path / "predictions.csv").read_text().splitlines()))
    lines[1][4] = next(code for code in SEVEN if code not in lines[1][3:5])
    lines[2][4] = lines[2][3] if lines[2][4] != lines[2][3] else next(c for c in SEVEN if c != lines[2][3])
    (tmp_path / "predictions.csv").write_text("\n".join(",".join(line) for line in lines))
    assert subprocess.run([sys.executable, tmp_path / "recompute.py"], capture_output=True, check=False).returncode == 1


@pytest.mark.usefixtures("no_figures")
class TestTruths:
    def test_ak_and_scc_count_as_akiec_for_seven_classes(self, monkeypatch):
        labels = [code for code in ("ak", "scc", "nv", "mel", "bcc", "bkl", "df", "vasc") for _ in range(4)]
        evaluation = evaluated(monkeypatch, import_data_set(labels))
        assert evaluation.document["mapped"] == {"ak": {"akiec": 4}, "scc": {"akiec": 4}}
        assert evaluation.document["without_place"] == {}
        assert evaluation.document["isic"]["per_class"]["akiec"]["support"] == 8

    def test_akiec_has_no_place_among_eight_classes_and_is_counted(self, monkeypatch):
        evaluation = evaluated(monkeypatch, import_data_set(seven_labels(28)), EIGHT, "Eight")
        assert evaluation.document["without_place"] == {"akiec": 4}
        assert evaluation.document["textbook"]["images"] == 24
        assert evaluation.document["isic"] is None
        assert "akiec" in evaluation.document["isic_reason"]

    def test_a_set_of_another_field_needs_no_code(self, monkeypatch):
        data_set = import_data_set(["cat", "cat", "dog", "dog"] * 6)
        rows = [evaluated(monkeypatch, data_set, ("cat", "dog"), f"Pets {seed}", seed) for seed in (0, 5)]
        assert rows[0].document["textbook"]["averaged_over"] == ["cat", "dog"]
        found = compared(rows, "native")
        assert (found.state, found.document["images"]) == (State.DONE, 24)


@pytest.mark.usefixtures("no_figures")
class TestSeen:
    TRAINED = {"classes": list(SEVEN), "input": {"clinical": "none"}, "training_data": [{"name": "HAM10000"}]}

    def test_ham10000_is_known_by_its_numbers(self, monkeypatch):
        data_set = import_data_set(seven_labels(28), names="ISIC_00343{:02d}", per_lesion=1)
        evaluation = evaluated(monkeypatch, data_set, manifest=self.TRAINED)
        assert evaluation.seen["by"] == {"id": 21}
        assert evaluation.document["unseen"]["images"] == 7

    def test_nothing_declared_is_said(self, monkeypatch):
        assert "not declared" in evaluated(monkeypatch, import_data_set(seven_labels(14))).seen["how"]

    def test_lists_and_sets_of_the_portal_are_compared(self, monkeypatch):
        training = import_data_set(seven_labels(6), name="Training", names="other_{:03d}", seed=1000)
        data_set = import_data_set(seven_labels(28))
        evaluation = evaluated(monkeypatch, data_set)
        TrainingSet.objects.create(model=evaluation.model, name="Ours", identifiers="img_020", data_set=training)
        score_again(evaluation)
        seen = run_to_the_end(evaluation).seen["by"]
        assert (seen["id"], "pixels" in seen) == (1, False)
        assert seen["lesion"] >= 7  # the drawn blots are alike, too, and bring their siblings along

    def test_the_same_pixels_are_seen_whatever_they_are_called(self, monkeypatch):
        training = import_data_set(["nv"] * 3, name="Training", names="other_{:03d}", per_lesion=100)
        data_set = import_data_set(["mel"] * 12, per_lesion=1)
        evaluation = evaluated(monkeypatch, data_set)
        TrainingSet.objects.create(model=evaluation.model, name="Ours", data_set=training)
        score_again(evaluation)
        assert run_to_the_end(evaluation).seen["by"]["pixels"] == 3


@pytest.mark.usefixtures("no_figures")
class TestComparison:
    def test_seven_and_eight_classes_meet_in_ham7(self, monkeypatch):
        labels = [code for code in (*SEVEN, "scc_inv") for _ in range(6)]
        data_set = import_data_set(labels)
        rows = [evaluated(monkeypatch, data_set), evaluated(monkeypatch, data_set, EIGHT, "Eight", 3)]
        found = compared(rows).document
        assert found["images"] == 42
        assert found["excluded"] == [{"reason": "with the truth scc_inv, which has no place in ham7", "images": 6}]
        keys = {"a", "b", "metric", "difference", "low", "high", "p", "p_holm", "test"}
        assert all(keys <= row.keys() for row in found["pairs"])
        assert [row["metric"] for row in found["pairs"] if row["p_holm"] is not None] == ["balanced_accuracy"]
        sheets = [row["sheet"] for row in found["models"]]
        difference = sheets[0]["balanced_accuracy"]["value"] - sheets[1]["balanced_accuracy"]["value"]
        assert found["pairs"][0]["difference"] == pytest.approx(difference)
        assert found["groups"]
        assert found["smallest_difference"] > 0

    def test_a_model_against_itself_does_not_differ(self, monkeypatch):
        data_set = import_data_set(seven_labels(28))
        rows = [evaluated(monkeypatch, data_set, name=name) for name in ("One", "Same")]
        for row in compared(rows).document["pairs"]:
            assert (row["difference"], row["p"]) == (0, 1)

    def test_what_does_not_go_together_is_refused_with_a_sentence(self, monkeypatch):
        first, second = import_data_set(seven_labels(14)), import_data_set(seven_labels(14), name="Other")
        rows = [evaluated(monkeypatch, first), evaluated(monkeypatch, second, name="Two")]
        with pytest.raises(Refusal, match="different data sets"):
            compared(rows)
        with pytest.raises(Refusal, match="two to 10"):
            compared(rows[:1])
        same = [rows[0], evaluated(monkeypatch, first, name="Three")]
        with pytest.raises(Refusal, match="cannot be scored as isic8"):
            compared(same, "isic8")
        with pytest.raises(Refusal, match="not known"):
            compared(same, "nonsense")


@pytest.mark.usefixtures("no_figures")
def test_a_reported_threshold_comes_from_other_lesions(monkeypatch):
    evaluation = evaluated(monkeypatch, import_data_set(seven_labels(84)))
    point = report_operating_point(evaluation=evaluation, definition="malignant", target=0.8, source=None)
    assert 0 < point.result["images"] < 84
    with pytest.raises(Refusal, match="same model on another data set"):
        report_operating_point(evaluation=evaluation, definition="malignant", target=0.8, source=evaluation)
    assert np.isfinite(point.threshold)
    assert DataSet.objects.count() == 1
