"""What an engine left that is no longer offered: bundles load as before, and its answers keep the reason for no map."""

import json
from importlib import import_module

import pytest
from django.apps import apps

from classifier.inference.bundle import DESCRIPTION
from classifier.models import Explanation, ExplanationJob, ModelRecord, Prediction
from classifier.services.maps.explain import ask
from skinsite.refusal import Refusal
from tests.factories.bundles import small_model
from tests.factories.rows import make_user
from tests.queue.test_explanations import predicted

migration = import_module("classifier.migrations.0007_one_precision")
pytestmark = pytest.mark.django_db
MEASURED = {"differs": 0.012, "changed": 1, "pictures": 12, "one_ms": 2.0, "eight_ms": 9.0, "exact_eight_ms": 20.0}


@pytest.fixture
def old() -> Prediction:
    """An answer of the retired engine, which drew no maps."""
    row = predicted(small_model())
    Prediction.objects.update(engine="retired")
    Explanation.objects.update(error={"code": migration.ERROR, "message": "Choose another."}, maps=b"", layer="")
    migration.say_why(apps, None)
    return Prediction.objects.get(pk=row.pk)


def test_a_bundle_with_its_measurements_answers_as_before():
    model = small_model()
    path = model.bundle_path / DESCRIPTION
    description = json.loads(path.read_bytes())
    description["graph"]["fast"] = MEASURED
    path.write_text(json.dumps(description))
    row = predicted(model)
    assert (row.engine, row.explanations.get().error) == ("onnxruntime", None)


def test_a_model_forgets_what_was_measured_and_keeps_the_rest_of_its_report():
    model, kept = small_model(), {"check": "engine", "passed": True, "detail": "the same"}
    measured = {"graph": {"differs": 1e-6, "fast": MEASURED}, "predict_ms": 2.0}
    ModelRecord.objects.update(report=[kept, kept | {"check": migration.CHECK}], measured=measured)
    other = small_model("Other")
    migration.forget_measurements(apps, None)
    model.refresh_from_db()
    assert (model.report, model.measured) == ([kept], {"graph": {"differs": 1e-6}, "predict_ms": 2.0})
    other.refresh_from_db()
    assert (other.report, other.measured) == ([], {})


@pytest.mark.parametrize("method", ["grad-cam++", "occlusion"])
def test_no_other_engine_explains_its_answers(old, method):
    with pytest.raises(Refusal, match=rf"^{migration.RETIRED['code']}: This answer .* no longer offered"):
        ask(prediction=old, method=method)
    assert not ExplanationJob.objects.exists()


@pytest.mark.parametrize("method", ["grad-cam", "hirescam", "occlusion"])
def test_the_page_of_the_case_names_the_engine_and_offers_no_other_map(old, client, method):
    client.force_login(make_user())
    page = client.get(f"/cases/{old.image.case_id}/?method={method}").content.decode()
    assert "· retired" in page
    assert "map: This answer was computed" in page
    assert "Show occlusion" not in page
