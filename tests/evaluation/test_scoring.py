"""The numbers of evaluations and comparisons from stored answers: sheets, truths, seen images, capsules."""

import io
import json
import runpy
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from django.core.files.storage import default_storage
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, f1_score, log_loss, roc_auc_score

from evaluation.figures import FORMATS
from evaluation.models import TrainingSet
from evaluation.services.comparisons.start import start_comparison
from evaluation.services.data_sets.seen import UNDECLARED
from evaluation.services.evaluations import score
from evaluation.services.evaluations.capsule import capsule
from evaluation.services.evaluations.operating_points import report_operating_point
from evaluation.services.evaluations.tables import prediction_rows
from skinsite.jobs import State
from skinsite.refusal import Refusal
from tests.factories.data_sets import make_data_set
from tests.factories.evaluations import EIGHT, compared, make_eight, queued_scoring, scored_evaluation, skilled
from tests.factories.rows import SEVEN, make_model

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet")]
quickly = pytest.mark.usefixtures("no_figures", "few_replicates")
FIFTY = [SEVEN[place % 7] for place in range(50)]
MANIFEST = {"classes": list(SEVEN), "input": {"width": 254, "height": 254, "clinical": "none"}}


def declaring(*names: str, **fields):
    return make_model(manifest=MANIFEST | {"training_data": [{"name": name} for name in names]}, **fields)


@pytest.mark.usefixtures("no_figures")
def test_the_sheets_equal_scikit_learns():
    data_set, model = make_data_set(FIFTY), make_model()
    values = skilled(data_set, model, seed=3)
    sheet = scored_evaluation(data_set, model, values).document["textbook"]
    truth, said = np.array([SEVEN.index(label) for label in FIFTY]), values.argmax(1)
    expected = {
        "accuracy": (truth == said).mean(),
        "balanced_accuracy": balanced_accuracy_score(truth, said),
        "macro_f1": f1_score(truth, said, average="macro", zero_division=0),
        "macro_auc": roc_auc_score(truth, values, multi_class="ovr"),
        "log_loss": log_loss(truth, values),
    }
    for name, value in expected.items():
        assert sheet[name]["value"] == pytest.approx(value, abs=1e-12), name
        assert sheet[name]["low"] <= value <= sheet[name]["high"]
    assert sheet["confusion"] == {"classes": list(SEVEN), "counts": confusion_matrix(truth, said).tolist()}
    assert sheet["averaged_over"] == list(SEVEN)
    numbers = {"sensitivity", "specificity", "precision", "f1", "auc", "average_precision"}
    for row in sheet["per_class"].values():
        assert {"support", *numbers} <= set(row)
        assert all({"value", "low", "high"} <= set(row[name]) for name in numbers)


@quickly
def test_ak_and_scc_count_as_akiec_for_a_model_of_seven_classes():
    found = scored_evaluation(make_data_set([*FIFTY, "ak", "ak", "scc"]), make_model())
    assert found.document["mapped"] == {"ak": {"akiec": 2}, "scc": {"akiec": 1}}
    assert found.document["without_place"] == {}
    assert found.document["textbook"]["per_class"]["akiec"]["support"] == FIFTY.count("akiec") + 3
    assert found.document["isic"]["per_class"]["akiec"]["support"] == FIFTY.count("akiec") + 3


@quickly
def test_akiec_has_no_place_in_eight_classes_and_the_challenge_has_no_score():
    labels = [*EIGHT, *EIGHT, "akiec", "akiec"]
    document = scored_evaluation(make_data_set(labels), make_eight()).document
    assert document["without_place"] == {"akiec": 2}
    assert document["textbook"]["images"] == 16
    assert document["isic"] is None
    assert document["isic_reason"].startswith("The truths akiec have no place among the model's classes")


@quickly
def test_a_class_without_an_image_leaves_the_challenge_without_a_score():
    document = scored_evaluation(make_data_set(["mel", "nv"] * 8), make_model()).document
    assert document["isic"] is None
    assert "the challenge's scoring needs the same classes on both sides" in document["isic_reason"]
    assert document["textbook"]["averaged_over"] == ["mel", "nv"]


@quickly
def test_an_undeclared_model_is_said_to_be_one():
    found = scored_evaluation(make_data_set(FIFTY), make_model())
    assert found.seen["images"] == 0
    assert found.seen["notices"] == [UNDECLARED]
    assert found.seen["how"] == "the training data is not declared"


@quickly
def test_images_of_ham10000_are_seen_by_their_ids():
    names = [f"ISIC_{24304 + place:07}" for place in range(50)]  # the first two are older than HAM10000
    found = scored_evaluation(make_data_set(FIFTY, names=names), declaring("HAM10000"))
    assert (found.seen["images"], found.seen["by"]) == (48, {"id": 48})
    assert found.document["seen"]["images"] == 48
    assert found.document["unseen"]["images"] == 2


@quickly
def test_of_an_unknown_training_set_the_notice_names_it():
    found = scored_evaluation(make_data_set(FIFTY), declaring("Clinic B"))
    assert found.seen["notices"] == ["Of Clinic B no list of ids is known here: it is not checked."]


@quickly
@pytest.mark.parametrize("images", [["IMAGE-00000 ", "l7"], "image-00000\nl7\n"])
def test_the_ids_that_the_manifest_itself_lists_count_as_seen(images):
    data_set = make_data_set(FIFTY, lesions=[f"L{place // 2}" for place in range(50)])
    model = make_model(manifest=MANIFEST | {"training_data": [{"name": "HAM10000", "images": images}]})
    found = scored_evaluation(data_set, model)
    assert (found.seen["by"], found.seen["notices"]) == ({"id": 1, "lesion": 3}, [])


CASES = [("HAM10000", "all of HAM10000 counts as seen"), ("Clinic B", "it is not checked")]


@quickly
@pytest.mark.parametrize(("name", "words"), CASES)
def test_a_list_that_is_only_named_is_said_to_be_missing(name, words):
    model = make_model(manifest=MANIFEST | {"training_data": [{"name": name, "images": "ids.txt"}]})
    (notice,) = scored_evaluation(make_data_set(FIFTY), model).seen["notices"]
    assert "“ids.txt” did not come with the manifest" in notice
    assert words in notice


@quickly
def test_images_are_seen_by_listed_ids_and_their_lesions_siblings():
    data_set = make_data_set(FIFTY, lesions=[f"L{place // 2}" for place in range(50)])
    model = declaring("Clinic B")
    TrainingSet.objects.create(model=model, name="Clinic B", identifiers="image-00000\nl7\n")
    found = scored_evaluation(data_set, model)
    assert found.seen["by"] == {"id": 1, "lesion": 3}
    assert found.seen["notices"] == []


@quickly
def test_images_are_seen_by_identical_pixels_with_a_training_set_of_the_portal():
    trained = make_data_set(FIFTY[:10], name="Training")
    model = make_model()
    TrainingSet.objects.create(model=model, name="Training", data_set=trained)
    found = scored_evaluation(make_data_set(FIFTY), model)
    assert (found.seen["images"], found.seen["by"]) == (10, {"pixels": 10})


@quickly
def test_predictions_hold_truth_place_answer_and_a_column_for_each_class():
    data_set, model = make_data_set(["ak", "cat", "mel"], lesions=["a", "", "b"]), make_model()
    values = skilled(data_set, model)
    header, *rows = prediction_rows(queued_scoring(data_set, model, values))
    assert header == ["image", "lesion_id", "truth", "truth_mapped", "predicted", *SEVEN]
    best = [SEVEN[place] for place in values.argmax(1)]
    assert rows[0] == ["image-00000", "a", "ak", "akiec", best[0], *values[0]]
    assert [row[3] for row in rows] == ["akiec", "", "mel"]


@pytest.mark.usefixtures("few_replicates")
def test_the_capsule_recomputes_its_own_numbers_and_notices_a_changed_one(tmp_path, monkeypatch, capsys):
    every = score.chart_data
    monkeypatch.setattr(score, "chart_data", lambda document: {"reliability": every(document)["reliability"]})
    evaluation = scored_evaluation(make_data_set(FIFTY, synthetic=True), make_model())
    stored = evaluation.document["figures"]
    assert all(default_storage.exists(name) for files in stored.values() for name in files.values())
    with zipfile.ZipFile(io.BytesIO(capsule(evaluation, evaluation.result))) as archive:
        archive.extractall(tmp_path)
    assert {"README.txt", "predictions.csv", "submission.csv", "metrics.json", "methods.txt", "figures"} <= {
        path.name for path in tmp_path.iterdir()
    }
    assert {f"{kind}.{form}" for kind in stored for form in ("png", "svg", "pdf")} == {
        path.name for path in (tmp_path / "figures").iterdir()
    }
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert (metrics["schema"], metrics["data_set"]["synthetic"]) == (1, True)
    assert metrics["model"]["sha256"] == evaluation.model.sha256
    script = tmp_path / "recompute.py"
    agrees = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert agrees.returncode == 0, agrees.stdout + agrees.stderr
    header, *rows = (tmp_path / "predictions.csv").read_text().splitlines()
    first, second = rows[0].split(","), rows[1].split(",")
    wrong = next(code for code in SEVEN if code not in first[3:5])
    other = second[3] if second[4] != second[3] else next(code for code in SEVEN if code != second[3])
    changed = {
        "probabilities": [[*first[:5], first[6], first[5], *first[7:]], second],
        "answers": [[*first[:4], wrong, *first[5:]], [*second[:4], other, *second[5:]]],
    }
    monkeypatch.setattr(sys, "argv", [str(script)])
    for what, lines in changed.items():
        table = [header, *(",".join(line) for line in lines), *rows[2:]]
        (tmp_path / "predictions.csv").write_text("\n".join(table))
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(script), run_name="__main__")
        assert ended.value.code == 1, what
        assert "DIFFERS" in capsys.readouterr().out


@pytest.mark.usefixtures("few_replicates")
def test_every_figure_that_the_numbers_give_is_drawn(monkeypatch):
    monkeypatch.setattr("evaluation.figures.sheet.FORMATS", {"svg": FORMATS["svg"]})
    evaluation = scored_evaluation(make_data_set(FIFTY), make_model())
    kinds = set(score.chart_data(evaluation.result))
    assert len(kinds) >= 6
    assert {kind: set(files) for kind, files in evaluation.document["figures"].items()} == {
        kind: {"svg"} for kind in kinds
    }


@quickly
def test_a_reported_threshold_comes_from_the_other_half_of_the_lesions():
    lesions = [f"L{place // 2}" for place in range(200)]
    labels = [("mel" if place // 2 % 2 else "nv") for place in range(200)]
    evaluation = scored_evaluation(make_data_set(labels, lesions=lesions), make_model())
    point = report_operating_point(evaluation=evaluation, definition="malignant", target=0.8, source=None)
    assert point.source is None
    assert 0 < point.threshold < 1
    assert 60 < point.result["images"] < 140
    assert point.result["images"] % 2 == 0  # no lesion is cut in two


@quickly
def test_a_threshold_from_another_data_set_is_shown_for_all_images():
    model = make_model()
    here, there = (scored_evaluation(make_data_set(["mel", "nv"] * 20, pixels=word), model) for word in "ab")
    point = report_operating_point(evaluation=here, definition="melanoma", target=0.9, source=there)
    assert (point.source, point.result["images"]) == (there, 40)
    for source in (here, scored_evaluation(there.data_set, make_model("Other"))):
        with pytest.raises(Refusal, match="the same model on another data set"):
            report_operating_point(evaluation=here, definition="melanoma", target=0.9, source=source)


@quickly
def test_a_comparison_of_seven_and_eight_classes_has_the_contracts_form():
    data_set = make_data_set([*FIFTY, "ak", "scc", "cat", "cat"], names=[f"ISIC_{34318 + n:07}" for n in range(54)])
    seven, eight = declaring("HAM10000"), make_eight()
    first = scored_evaluation(data_set, seven, skilled(data_set, seven, 1))
    second = scored_evaluation(data_set, eight, skilled(data_set, eight, 2, skill=0.5))
    document = compared(first, second, taxonomy="ham7").document
    assert document["images"] == 49
    assert {row["reason"]: row["images"] for row in document["excluded"]} == {
        "with the truth cat, which has no place in ham7": 2,
        f"seen in training by {seven}": 3,
    }
    assert [row["evaluation"] for row in document["models"]] == [str(first.pk), str(second.pk)]
    assert all(row["sheet"]["confusion"]["classes"] == list(SEVEN) for row in document["models"])
    keys = {"a", "b", "metric", "difference", "low", "high", "p", "p_holm", "test"}
    assert document["pairs"]
    assert all(keys <= set(row) for row in document["pairs"])
    assert {(row["a"], row["b"]) for row in document["pairs"]} == {(str(first.pk), str(second.pk))}
    assert {key for group in document["groups"] for key in group} == {str(first.pk), str(second.pk)}
    assert [row["metric"] for row in document["pairs"] if row["p_holm"] is not None] == ["balanced_accuracy"]
    one, other = (row["sheet"]["balanced_accuracy"]["value"] for row in document["models"])
    assert document["pairs"][0]["difference"] == pytest.approx(one - other)
    assert document["groups"]
    assert document["smallest_difference"] > 0
    assert document["without_squamous"]["images"] == 48


@quickly
def test_a_taxonomy_that_a_model_cannot_reach_is_refused_with_a_sentence():
    data_set, seven = make_data_set([*EIGHT] * 3), make_model("Seven")
    first, second = scored_evaluation(data_set, seven), scored_evaluation(data_set, make_eight())
    with pytest.raises(Refusal) as refused:
        start_comparison(owner=data_set.owner, evaluations=[first, second], taxonomy_name="isic8")
    assert refused.value.problems[0].field == "taxonomy"
    assert str(seven) in str(refused.value)
    with pytest.raises(Refusal, match="do not share all their classes"):
        start_comparison(owner=data_set.owner, evaluations=[first, second], taxonomy_name="native")
    with pytest.raises(Refusal, match="needs two to 10 different evaluations"):
        start_comparison(owner=data_set.owner, evaluations=[first, first], taxonomy_name="ham7")
    with pytest.raises(Refusal, match="needs two to 10 different evaluations"):
        start_comparison(owner=data_set.owner, evaluations=[first], taxonomy_name="ham7")
    with pytest.raises(Refusal, match="not known"):
        start_comparison(owner=data_set.owner, evaluations=[first, second], taxonomy_name="nonsense")
    elsewhere = scored_evaluation(make_data_set([*EIGHT] * 3, name="Other", pixels="other"), seven)
    with pytest.raises(Refusal, match="different data sets"):
        start_comparison(owner=data_set.owner, evaluations=[first, elsewhere], taxonomy_name="ham7")


@quickly
def test_a_comparison_without_any_image_fails_with_the_reasons():
    data_set = make_data_set(FIFTY, names=[f"ISIC_{24306 + place:07}" for place in range(50)])
    first, second = (scored_evaluation(data_set, declaring("HAM10000", name=name)) for name in ("one", "two"))
    found = compared(first, second, taxonomy="ham7")
    assert (found.state, found.error_code) == (State.FAILED, "no-images")
    assert "50 seen in training by" in found.error_message


@pytest.mark.usefixtures("no_figures")
def test_cats_and_dogs_are_evaluated_and_compared_in_their_own_classes():
    classes = [{"code": code, "name": code.title(), "malignant": None} for code in ("cats", "dogs")]
    data_set = make_data_set(["cats", "dogs"] * 15)
    models = [make_model(name, classes=order) for name, order in (("one", classes), ("two", classes[::-1]))]
    first, second = (scored_evaluation(data_set, model, skilled(data_set, model)) for model in models)
    assert first.document["without_place"] == {}
    assert first.document["textbook"]["averaged_over"] == ["cats", "dogs"]
    assert first.document["names"] == {"cats": "Cats", "dogs": "Dogs"}
    document = compared(first, second, taxonomy="native").document
    assert document["classes"] == ["cats", "dogs"]
    assert document["images"] == 30
    sheets = [row["sheet"]["accuracy"]["value"] for row in document["models"]]
    assert sheets == [row.document["textbook"]["accuracy"]["value"] for row in (first, second)]


@quickly
def test_a_document_is_stored_as_its_class_writes_it_and_an_older_one_is_read(client):
    data_set, model = make_data_set(FIFTY), make_model()
    first, second = scored_evaluation(data_set, model), scored_evaluation(data_set, make_model("Other"))
    comparison = compared(first, second, taxonomy="ham7")
    for row in (first, comparison):
        assert row.result.to_json() == row.document
        del row.document["schema"]
    del first.document["textbook"]["ece_if_perfect"], first.document["isic"]["confusion"], first.document["figures"]
    for group in first.document["subgroups"]:
        del group["malignant"]
    del comparison.document["same_sensitivity"]
    client.force_login(data_set.owner)
    for row in (first, comparison):
        row.save()
        assert row.result.version == 1
        assert client.get(row.get_absolute_url()).status_code == 200
