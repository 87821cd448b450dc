"""The cast of the tests, with what they own; loaded by tests/conftest.py, when Django is ready."""

import io
import json
import sys
from functools import cached_property
from typing import Any

import pytest
from django.test import Client

from classifier.models import Case, ModelRecord
from classifier.services.cases.create import CaseDetails, Upload, create_case
from skinsite.accounts.models import ApiToken
from tests.factories.rows import make_model, make_user
from tests.pictures import picture


class Person(Client):
    """Somebody who is logged in as in a browser; `call` and `program` ask the API with a token of theirs."""

    def __init__(self, username: str, **fields: Any) -> None:
        super().__init__()
        self.user = make_user(username, **fields)
        self.force_login(self.user)

    @cached_property
    def secret(self) -> str:
        _, secret = ApiToken.objects.issue(owner=self.user, name="test")
        return secret

    @cached_property
    def program(self) -> Client:
        return Client(headers={"Authorization": f"Bearer {self.secret}"})

    def call(self, method: str, path: str, data: Any = None, **options: Any) -> Any:
        function = getattr(self.program, method.lower())
        if isinstance(data, dict) and method == "POST" and not options:
            return function(f"/api/v1{path}", data)
        return function(f"/api/v1{path}", data, **options)

    def post_json(self, path: str, body: Any) -> Any:
        return self.program.post(f"/api/v1{path}", json.dumps(body), content_type="application/json")


@pytest.fixture
def alice(db: None) -> Person:
    """She owns what a test is about."""
    return Person("alice")


@pytest.fixture
def charlie(db: None) -> Person:
    """He must see nothing of it."""
    return Person("charlie")


@pytest.fixture
def administrator(db: None) -> Person:
    """They run the place."""
    return Person("root", is_staff=True, is_superuser=True)


@pytest.fixture
def model(db: None) -> ModelRecord:
    return make_model("Xception", is_default=True)


@pytest.fixture
def case(model: ModelRecord) -> Case:
    """A case of Alice's with one real picture and a queued prediction."""
    uploads = [Upload("lesion.jpg", io.BytesIO(picture(0, (320, 240))))]
    return create_case(owner=make_user("alice"), uploads=uploads, models=[model], details=CaseDetails(title="Left arm"))


@pytest.fixture(autouse=True)
def forget_requests() -> None:
    """Requests are counted in the process's memory: each test begins with none."""
    if api := sys.modules.get("skinsite.api"):
        for pace in api.api.throttle:
            pace._times.clear()
