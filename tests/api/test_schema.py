"""schemathesis reads the OpenAPI document and calls everything: no 500, no answer outside of the schema."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import skinsite.urls  # noqa: F401  (it joins the routers)
from skinsite.api import api
from tests.factories.rows import make_model, make_prediction

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300), pytest.mark.filterwarnings("ignore")]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 20


def operations() -> dict[str, Any]:
    schema = schemathesis.openapi.from_dict(dict(api.get_openapi_schema()))
    return {found.ok().label: found.ok() for found in schema.get_all_operations()}


OPERATIONS = operations()


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_the_api_is_as_it_is_described(name, administrator, live_server, unhurried):
    """Whatever fits the description of a call, and much that does not."""
    make_prediction(model=make_model("Xception"))
    headers = {"Authorization": f"Bearer {administrator.secret}"}

    @given(case=OPERATIONS[name].as_strategy())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    def call(case: Any) -> None:
        case.call_and_validate(base_url=live_server.url, headers=headers, checks=CHECKS)

    call()


@pytest.fixture
def unhurried(settings):
    settings.REQUESTS_A_SECOND = 100_000
