"""A real worker and a database that restarts between two tasks; test_on_postgresql.py starts the database for it."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import IO

import pytest
from django.db import connection

from classifier.models import ModelRecord, Prediction
from classifier.services.cases.create import Upload, create_case
from skinsite.jobs import State
from tests.factories.bundles import small_model
from tests.factories.rows import make_user
from tests.pictures import picture
from tests.queue.conftest import broker  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def log(broker) -> Iterator[IO[str]]:  # noqa: F811
    """What a worker of the queue torch writes; its process is a child that Celery spawns."""
    address = os.environ["DATABASE_URL"].replace("/postgres?", f"/{connection.settings_dict['NAME']}?")
    program = [sys.executable, "-m", "celery", "--app", "skinsite.celery", "worker", "--queues", "torch"]
    options = ["--concurrency", "1", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    worker = subprocess.Popen(
        [*program, *options],
        env=os.environ | {"DATABASE_URL": address},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert worker.stdout
    yield worker.stdout
    worker.terminate()
    worker.communicate()


def answered(log: IO[str], model: ModelRecord) -> None:
    """Send one prediction and read on until the worker has said what became of its task."""
    case = create_case(owner=make_user(), uploads=[Upload("a.jpg", io.BytesIO(picture()))], models=[model])
    read = []
    for line in log:
        read.append(line)
        if " succeeded in " in line or " raised " in line:
            break
    row = Prediction.objects.get(image__case=case)
    assert row.state == State.DONE, "".join(read)


def test_a_worker_goes_on_after_a_restart_of_the_database(log):
    model = small_model()
    answered(log, model)
    with connection.cursor() as cursor:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        cursor.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
        assert [ended for (ended,) in cursor.fetchall()] == [True], "the worker has one connection, kept between tasks"
    answered(log, model)
