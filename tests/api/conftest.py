"""Programs with tokens: Alice's, Charlie's and the administrator's."""

import io
import json
from typing import Any

import pytest
from django.test import Client

from classifier.models import Case
from classifier.services.cases.create import Upload, create_case
from skinsite.accounts.models import ApiToken
from skinsite.api import api
from tests.factories import make_model, make_user
from tests.pictures import picture


class Program:
    """Calls the API with one person's token."""

    def __init__(self, username: str, **fields: Any) -> None:
        _, self.secret = ApiToken.objects.issue(owner=make_user(username, **fields), name="test")
        self.client = Client(headers={"Authorization": f"Bearer {self.secret}"})

    def call(self, method: str, path: str, data: Any = None, **options: Any) -> Any:
        function = getattr(self.client, method.lower())
        if isinstance(data, dict) and method == "POST" and not options:
            return function(f"/api/v1{path}", data)
        return function(f"/api/v1{path}", data, **options)

    def post_json(self, path: str, body: Any) -> Any:
        return self.client.post(f"/api/v1{path}", json.dumps(body), content_type="application/json")


@pytest.fixture
def alice(db) -> Program:
    return Program("alice")


@pytest.fixture
def charlie(db) -> Program:
    return Program("charlie")


@pytest.fixture
def administrator(db) -> Program:
    return Program("root", is_staff=True, is_superuser=True)


@pytest.fixture
def model(db):
    return make_model("Xception", is_default=True)


@pytest.fixture
def case(model) -> Case:
    uploads = [Upload("lesion.jpg", io.BytesIO(picture(0, (320, 240))))]
    return create_case(owner=make_user("alice"), uploads=uploads, models=[model])


@pytest.fixture(autouse=True)
def forget_requests() -> None:
    """Requests are counted in the process's memory: each test begins with none."""
    for pace in api.throttle:
        pace._times.clear()
