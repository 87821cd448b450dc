"""Attempts are counted in the process's memory: each test begins with none."""

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def forget_attempts() -> None:
    cache.clear()
