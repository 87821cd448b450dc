"""Who gets in, and what every answer carries."""

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from classifier.models import CaseImage, Prediction
from classifier.urls import urlpatterns

PUBLIC = {"start", "about", "healthz"}
ARGUMENTS = {"pk": 1, "case_pk": 1, "rendition": "pixels.png"}


def address(pattern) -> str:
    return reverse(pattern.name, kwargs={name: ARGUMENTS[name] for name in pattern.pattern.converters})


@pytest.mark.parametrize("pattern", urlpatterns, ids=lambda pattern: pattern.name)
def test_everything_but_the_public_pages_wants_a_login(db, pattern):
    answer = Client().get(address(pattern))
    if pattern.name in PUBLIC:
        assert answer.status_code == 200
    else:
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/cases/", "/nowhere/", "/cases/99/", "/api/v1/models"])
def test_every_answer_carries_the_security_headers(alice, path):
    answer = alice.get(path)
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"


def test_somebody_elses_things_do_not_exist(charlie, case):
    image, prediction = CaseImage.objects.get(), Prediction.objects.get()
    paths = [
        f"/cases/{case.pk}/",
        f"/cases/{case.pk}/panel/",
        f"/cases/{case.pk}/export.json",
        f"/cases/{case.pk}/export.csv",
        f"/cases/{case.pk}/images/{image.pk}/pixels.png",
        f"/predictions/{prediction.pk}/heat.png",
        f"/cases/delete/?id={case.pk}",
    ]
    assert [charlie.get(path).status_code for path in paths] == [404] * len(paths)
    actions = [f"/cases/{case.pk}/again/", f"/cases/{case.pk}/cancel/", f"/predictions/{prediction.pk}/cancel/"]
    assert [charlie.post(path).status_code for path in actions] == [404] * len(actions)
    assert "Left arm" not in charlie.get("/cases/").content.decode()
    charlie.post("/cases/delete/", {"id": case.pk, "really": "yes"})
    assert CaseImage.objects.exists()


def test_an_administrator_sees_nobodys_cases_either(administrator, case):
    assert administrator.get(f"/cases/{case.pk}/").status_code == 404


def test_actions_cannot_be_done_by_a_link(alice, case):
    assert alice.get(f"/cases/{case.pk}/again/").status_code == 405
    assert alice.get(f"/predictions/{Prediction.objects.get().pk}/cancel/").status_code == 405


def test_a_huge_number_is_just_not_found(alice):
    assert alice.get(f"/cases/{10**30}/").status_code == 404


def test_every_page_of_the_contract_has_an_address():
    known = {str(pattern.pattern) for pattern in get_resolver().url_patterns} | {str(p.pattern) for p in urlpatterns}
    assert {"cases/", "cases/new/", "cases/<int:pk>/", "models/", "models/<int:pk>/", "about/", "admin/"} <= known
