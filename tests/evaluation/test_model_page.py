"""What evaluations and training lists add to a model's page and card."""

import pytest
import yaml
from django.urls import reverse

from evaluation.models import DataSet, TrainingSet
from evaluation.services.data_sets.seen import seen_images
from tests.evaluation.test_results import evaluated
from tests.factories.data_sets import import_data_set, seven_labels
from tests.factories.rows import make_model, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_broker", "no_figures", "few_replicates")]


@pytest.fixture
def evaluation(monkeypatch):
    return evaluated(monkeypatch, import_data_set(seven_labels(28), name="Real set"))


def test_a_models_page_shows_what_its_reader_may_see(client, evaluation):
    client.force_login(evaluation.owner)
    page = client.get(evaluation.model.get_absolute_url()).content.decode()
    assert evaluation.get_absolute_url() in page
    client.force_login(make_user("charlie"))
    assert "Real set" not in client.get(evaluation.model.get_absolute_url()).content.decode()


def test_the_card_has_a_model_index_with_intervals_of_real_pictures_only(client, evaluation):
    client.force_login(evaluation.owner)
    address = reverse("model_card", args=[evaluation.model.pk])
    front = yaml.safe_load(client.get(address).content.decode().split("---\n")[1])
    (result,) = front["model-index"][0]["results"]
    accuracy = next(metric for metric in result["metrics"] if metric["type"] == "accuracy")
    assert accuracy["value"] == pytest.approx(evaluation.document["textbook"]["accuracy"]["value"], abs=1e-4)
    assert "95 % interval" in accuracy["name"]
    assert result["dataset"]["name"] == "Real set"
    DataSet.objects.update(synthetic=True)
    assert "model-index" not in client.get(address).content.decode()


def test_a_list_may_name_images_by_the_hash_of_their_pixels():
    data_set = import_data_set(seven_labels(14))
    images = list(data_set.images.all())
    model = make_model()
    TrainingSet.objects.create(model=model, name="Hashes", identifiers=images[3].sha256.upper())
    found = seen_images(model, images).images
    assert found[images[3].pk] == "pixels"
    assert len([way for way in found.values() if way == "pixels"]) == 1


def test_training_lists_are_shown_and_administrators_are_led_to_edit_them(client):
    model = make_model()
    entry = TrainingSet.objects.create(model=model, name="HAM10000", identifiers="ISIC_1\nISIC_2")
    client.force_login(make_user())
    page = " ".join(client.get(model.get_absolute_url()).content.decode().split())
    assert "2 ids or hashes" in page
    assert "/admin/" not in page
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    page = " ".join(client.get(model.get_absolute_url()).content.decode().split())
    assert reverse("admin:evaluation_trainingset_change", args=[entry.pk]) in page
    assert f"{reverse('admin:evaluation_trainingset_add')}?model={model.pk}" in page
