"""One cast: Alice owns, Charlie must see nothing, the administrator runs the place."""

import io

import pytest
from django.test import Client

from classifier.models import Case
from classifier.services.cases.create import CaseDetails, Upload, create_case
from tests.factories import make_model, make_user
from tests.pictures import picture


def logged_in(username: str, **fields) -> Client:
    client = Client()
    client.force_login(make_user(username, **fields))
    return client


@pytest.fixture
def alice(db) -> Client:
    return logged_in("alice")


@pytest.fixture
def charlie(db) -> Client:
    return logged_in("charlie")


@pytest.fixture
def administrator(db) -> Client:
    return logged_in("root", is_staff=True, is_superuser=True)


@pytest.fixture
def model(db):
    return make_model("Xception", is_default=True)


@pytest.fixture
def case(model) -> Case:
    """A case of Alice's with one real picture and a queued prediction."""
    uploads = [Upload("lesion.jpg", io.BytesIO(picture(0, (320, 240))))]
    return create_case(owner=make_user("alice"), uploads=uploads, models=[model], details=CaseDetails(title="Left arm"))
