"""The pages of data sets, evaluations and comparisons: who sees them, and what they say in each state."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from evaluation.models import Comparison, DataSet, Evaluation
from evaluation.urls import urlpatterns
from skinsite.jobs import State
from tests.factories.data_sets import make_data_set
from tests.factories.evaluations import compared, make_eight, scored_evaluation
from tests.factories.rows import SEVEN, make_model, make_user
from tests.people import Person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet", "no_figures", "few_replicates")]
DISCLAIMER = "Research and teaching. Not a diagnosis."
SYNTHETIC = "Synthetic pictures, drawn by a program"
LISTS = ("datasets", "new_dataset", "evaluations", "new_evaluation", "comparisons", "new_comparison")
FAILED = {"state": State.FAILED, "error_code": "broken", "error_message": "It broke.", "error_hint": "Try again."}
ACTIONS = (
    *("dataset_cancel", "dataset_publish", "evaluation_cancel", "evaluation_retry", "evaluation_report"),
    "comparison_maps",
)
PAGES = [pattern.name for pattern in urlpatterns if "check" not in pattern.name]
"""Those of checks have tests of their own."""
FOR_ADMINISTRATORS = ("dataset_publish", "dataset_from_archive")


@pytest.fixture
def comparison(db) -> Comparison:
    data_set = make_data_set([SEVEN[place % 7] for place in range(21)], synthetic=True)
    first, second = scored_evaluation(data_set, make_model()), scored_evaluation(data_set, make_eight())
    return compared(first, second, taxonomy="ham7")


def url(name: str, comparison: Comparison) -> str:
    if name in LISTS or name == "dataset_from_archive":
        return reverse(name)
    if name == "labelled_image":
        return reverse(name, args=[comparison.data_set.images.first().pk, "thumbnail.webp"])
    if name == "evaluation_figure":
        return reverse(name, args=[comparison.order[0], "roc", "png"])
    kind = name.split("_")[0]
    return reverse(
        name, args=[{"dataset": comparison.data_set_id, "evaluation": comparison.order[0]}.get(kind, comparison.pk)]
    )


def test_every_page_wants_a_login_and_is_for_its_owner(comparison):
    charlie = Person("charlie")
    for name in PAGES:
        for method in ("get", "post"):
            answer = getattr(Client(), method)(url(name, comparison))
            assert answer.status_code == 302, name
            assert "/login" in answer["Location"], name
        if name not in LISTS:
            method = charlie.post if name in ACTIONS else charlie.get
            assert method(url(name, comparison)).status_code == (403 if name in FOR_ADMINISTRATORS else 404), name


def test_the_limit_that_is_met_halfway_says_which_evaluations_are_queued_and_which_are_not(alice, settings):
    settings.WAITING_EVALUATIONS_A_USER = 1
    data_set, models = make_data_set(["nv"] * 4), [make_model(f"Model {letter}") for letter in "ABC"]
    asked = {"dataset": data_set.pk, "models": [model.pk for model in models]}
    page = alice.post(reverse("new_evaluation"), asked, follow=True).content.decode()
    assert "Queued: Model A (version 1), Model B (version 1). Not queued: Model C (version 1)." in page
    assert "1 may wait" in page
    assert Evaluation.objects.count() == 2
    refused = alice.post(reverse("new_evaluation"), asked | {"models": [models[2].pk]})
    assert (refused.status_code, "1 may wait" in refused.content.decode()) == (422, True)


def test_the_list_of_evaluations_marks_those_on_images_of_the_training(alice, comparison):
    assert "seen in training" not in alice.get(reverse("evaluations")).content.decode()
    seen = {"images": 5, "how": "5 by ISIC id", "by": {"id": 5}, "notices": []}
    Evaluation.objects.filter(pk=comparison.order[0]).update(seen=seen)
    page = " ".join(alice.get(reverse("evaluations")).content.decode().split())
    assert page.count(">seen in training<") == 1
    assert "5 of its images were in the model" in page


def test_every_page_of_ones_own_is_there(alice, comparison):
    for name in PAGES:
        expected = 405 if name in ACTIONS else 404 if name in ("evaluation_figure", "labelled_image") else 200
        expected = 403 if name == "dataset_from_archive" else expected
        assert alice.get(url(name, comparison)).status_code == expected, name


def test_pages_without_anything_say_so(alice):
    for name in LISTS:
        answer = alice.get(reverse(name))
        assert answer.status_code == 200
        assert DISCLAIMER in answer.content.decode()


def test_done_pages_show_the_banner_of_synthetic_pictures_and_the_disclaimer(alice, comparison):
    for name in ("dataset", "evaluation", "comparison"):
        page = alice.get(url(name, comparison)).content.decode()
        assert SYNTHETIC in page
        assert page.count(DISCLAIMER) == 2
    page = alice.get(url("evaluation", comparison)).content.decode()
    assert "Balanced accuracy" in page
    assert "declares no training data" in page


@pytest.mark.parametrize(
    ("state", "sentences"),
    [
        ({}, ("Waiting for the import", "0 of 21", "")),
        ({"state": State.RUNNING}, ("Waiting for the import", "0 of 21", "")),
        (FAILED, ("It broke.", "It broke.", "It broke.")),
        ({"state": State.CANCELLED}, ("cancelled", "cancelled", "cancelled")),
    ],
)
def test_unfinished_pages_say_how_it_stands(alice, state, sentences):
    fields = dict(state)
    if state.get("state") == State.RUNNING:
        fields |= {"token": "0" * 32, "lease_until": timezone.now()}
    elif state:
        fields |= {"finished_at": timezone.now()}
    waiting = DataSet.objects.create(owner=make_user(), name="Clinic B", **fields)
    data_set = make_data_set(["nv"] * 21)
    common = {"owner": make_user(), "data_set": data_set} | fields
    evaluation = Evaluation.objects.create(model=make_model(), total=21, **common)
    comparison = Comparison.objects.create(taxonomy="ham7", **common)
    for row, sentence in zip((waiting, evaluation, comparison), sentences, strict=True):
        answer = alice.get(row.get_absolute_url())
        assert answer.status_code == 200
        assert sentence in answer.content.decode()
        assert DISCLAIMER in answer.content.decode()


def test_an_evaluation_without_any_answer_has_a_page(alice):
    evaluation = scored_evaluation(make_data_set([]), make_model())
    answer = alice.get(evaluation.get_absolute_url())
    assert answer.status_code == 200
    assert "no image" in answer.content.decode().lower()


def test_only_an_administrator_publishes(alice, comparison):
    address = url("dataset_publish", comparison)
    assert alice.post(address).status_code == 403
    DataSet.objects.update(owner=make_user("root", is_staff=True, is_superuser=True))
    root = Person("root")
    assert root.post(address).status_code == 302
    assert DataSet.objects.get().published
    charlie = Person("charlie")
    assert charlie.get(url("dataset", comparison)).status_code == 200
    assert charlie.get(url("dataset_delete", comparison)).status_code == 404


def test_the_page_does_not_grow_with_the_images(alice):
    """bench.limits says how quick and small it is for ten thousand."""
    sizes = []
    for images in (350, 1400):
        data_set = make_data_set([SEVEN[place % 7] for place in range(images)], pixels=str(images))
        evaluation = scored_evaluation(data_set, make_model(str(images)))
        sizes.append(len(alice.get(evaluation.get_absolute_url()).content))
    assert sizes[1] < 1.1 * sizes[0]


def test_a_models_page_and_the_first_page_show_evaluations(comparison):
    owner, model = comparison.owner, Evaluation.objects.first().model
    client = Client()
    client.force_login(owner)
    for path in (model.get_absolute_url(), "/"):
        page = client.get(path).content.decode()
        assert "Balanced accuracy" in page
        assert "Clinic A" in page
    stranger = Person("dora").get(model.get_absolute_url()).content.decode()
    assert "Clinic A" not in stranger


def test_lists_do_not_read_documents(comparison, django_assert_max_num_queries):
    client = Client()
    client.force_login(comparison.owner)
    with django_assert_max_num_queries(12) as asked:
        assert client.get("/evaluations/").status_code == 200
    assert not any('"document", "evaluation_evaluation"."seen"' in query["sql"] for query in asked.captured_queries)
