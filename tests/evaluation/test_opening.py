"""Images of a comparison opened as cases, with the maps of every compared model."""

import pytest
from django.test import Client

from classifier.models import Case, ModelRecord, Prediction
from classifier.models.model_record import ModelState
from evaluation.services.comparisons.open_as_cases import AT_ONCE, open_images, opened
from skinsite.jobs import State
from skinsite.refusal import Refusal
from tests.factories.data_sets import import_data_set, make_data_set
from tests.factories.evaluations import compared, make_eight, scored_evaluation
from tests.factories.rows import SEVEN, make_model, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet", "no_broker", "no_figures", "few_replicates")]


@pytest.fixture
def comparison(db):
    data_set = import_data_set([SEVEN[place % 7] for place in range(14)])
    first, second = scored_evaluation(data_set, make_model()), scored_evaluation(data_set, make_eight())
    return compared(first, second, taxonomy="ham7")


def test_the_first_disagreements_become_cases_of_the_reader(comparison):
    client = Client()
    client.force_login(comparison.owner)
    listed = [row["image"] for row in comparison.document["disagreements"]]
    answer = client.post(f"/comparisons/{comparison.pk}/maps/")
    assert answer.status_code == 302
    assert Case.objects.count() == min(len(listed), AT_ONCE)
    assert Prediction.objects.count() == 2 * Case.objects.count()
    image = comparison.data_set.images.get(pk=listed[0])
    case = Case.objects.order_by("pk").first()
    assert (case.reference, float(case.age), case.sex) == (image.label, image.age, image.sex)
    assert case.images.get().sha256 == image.sha256
    client.post(f"/comparisons/{comparison.pk}/maps/")
    assert Case.objects.count() == min(len(listed), AT_ONCE)
    assert "Maps are being drawn" in client.get(comparison.get_absolute_url()).content.decode()


def test_one_image_can_be_opened_and_what_others_opened_is_theirs(comparison):
    client, bob = Client(), make_user("bob")
    client.force_login(comparison.owner)
    wanted = comparison.document["disagreements"][1]["image"]
    client.post(f"/comparisons/{comparison.pk}/maps/", {"image": wanted})
    assert list(opened(user=comparison.owner, comparison=comparison)) == [wanted]
    assert opened(user=bob, comparison=comparison) == {}
    client.force_login(bob)
    assert client.post(f"/comparisons/{comparison.pk}/maps/").status_code == 404


def test_a_finished_map_lies_over_the_picture(comparison):
    image = comparison.data_set.images.get(pk=comparison.document["disagreements"][0]["image"])
    open_images(user=comparison.owner, comparison=comparison, images=[image])
    for row in Prediction.objects.all():
        codes = [entry["code"] for entry in row.model.classes]
        values = {"probabilities": dict.fromkeys(codes, 1 / len(codes)), "top_code": codes[0], "top_probability": 0.5}
        Prediction.objects.filter(pk=row.pk).update(state=State.DONE, finished_at=row.queued_at, **values)
    client = Client()
    client.force_login(comparison.owner)
    page = client.get(comparison.get_absolute_url()).content.decode()
    assert page.count('class="heat"') == 2


def test_retired_models_draw_nothing_and_it_is_said(comparison):
    ModelRecord.objects.update(state=ModelState.RETIRED)
    with pytest.raises(Refusal, match="None of the compared models is ready"):
        open_images(user=comparison.owner, comparison=comparison, images=list(comparison.data_set.images.all()[:1]))


def test_models_meet_at_the_same_sensitivity():
    data_set = make_data_set([SEVEN[place % 7] for place in range(70)])
    first, second = scored_evaluation(data_set, make_model()), scored_evaluation(data_set, make_eight())
    blocks = compared(first, second, taxonomy="ham7").document["same_sensitivity"]
    assert [block["definition"] for block in blocks] == ["malignant", "malignant_strict", "melanoma"]
    for aim in blocks[0]["targets"]:
        rows, (pair,) = aim["models"], aim["pairs"]
        assert all(row["sensitivity"]["value"] >= aim["target"] for row in rows)
        values = [row["specificity"]["value"] for row in rows]
        assert pair["specificity"]["value"] == pytest.approx(values[0] - values[1])
        assert pair["specificity"]["low"] <= pair["specificity"]["value"] <= pair["specificity"]["high"]
