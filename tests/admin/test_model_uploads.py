"""A model file is sent once: kept, hashed while it comes, offered again, and forgotten if nobody registers it."""

import hashlib
import http.client
import json
import os
import re
import time
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from classifier.models import ModelRecord
from classifier.services.models import uploads
from tests.browser.conftest import LiveServer
from tests.factories.rows import make_model, make_user

pytestmark = pytest.mark.django_db
ADD = "admin:classifier_modelrecord_add"
UPLOAD = "admin:classifier_modelrecord_upload"
CONTENT = b"a model's bytes" * 1000


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.SKINSITE_DATA = tmp_path


def files() -> list[bytes]:
    return [path.read_bytes() for path in uploads.uploads_folder().iterdir()]


def token_in(page) -> str:
    return re.search(r'name="kept" value="([^"]*)"', page.content.decode())[1]


def sent_alone(client, content=CONTENT, name="best.h5"):
    return client.post(f"{reverse(UPLOAD)}?name={name}", content, content_type="application/octet-stream")


def test_after_an_error_the_file_is_offered_again_and_not_sent_twice(administrator):
    wrong = {"file": SimpleUploadedFile("best.h5", CONTENT), "manifest": "no JSON"}
    page = administrator.post(reverse(ADD), wrong)
    assert "best.h5" in page.content.decode()
    assert "need not be sent again" in page.content.decode()
    administrator.post(reverse(ADD), {"kept": token_in(page), "classes": "nv, mel", "name": "Second try"})
    record = ModelRecord.objects.get(name="Second try")
    assert record.upload_path.read_bytes() == CONTENT
    assert (record.upload_name, record.upload_sha256) == ("best.h5", hashlib.sha256(CONTENT).hexdigest())
    assert files() == [CONTENT]


def test_a_version_that_exists_keeps_the_file_too(administrator):
    make_model("New")
    page = administrator.post(reverse(ADD), {"file": SimpleUploadedFile("a.h5", CONTENT), "name": "New"})
    assert "another version" in page.content.decode()
    administrator.post(reverse(ADD), {"kept": token_in(page), "name": "New", "version": "2"})
    assert ModelRecord.objects.filter(name="New", version="2").exists()


def test_a_file_that_was_sent_alone_is_registered_by_its_token(administrator):
    answer = sent_alone(administrator).json()
    assert (answer["size"], answer["sha256"]) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    administrator.post(reverse(ADD), {"kept": answer["kept"]})
    record = ModelRecord.objects.get()
    assert (record.name, record.upload_name) == ("best", "best.h5")
    assert record.upload_path.stat().st_mode & 0o777 == 0o600


def test_a_token_registers_once_and_for_its_owner_only(administrator):
    token = sent_alone(administrator).json()["kept"]
    other = Client()
    other.force_login(make_user("other", is_staff=True, is_superuser=True))
    assert uploads.GONE in other.post(reverse(ADD), {"kept": token}).content.decode()
    administrator.post(reverse(ADD), {"kept": token})
    assert uploads.GONE in administrator.post(reverse(ADD), {"kept": token, "version": "2"}).content.decode()
    assert uploads.GONE in administrator.post(reverse(ADD), {"kept": "forged"}).content.decode()
    assert ModelRecord.objects.count() == 1


def test_a_form_without_a_file_asks_for_one(administrator):
    assert "Choose a model file" in administrator.post(reverse(ADD), {"name": "x"}).content.decode()


@pytest.mark.parametrize(("path", "problem"), [("alone", 413), ("form", 200)])
def test_above_the_limit_nothing_is_kept(administrator, settings, path, problem):
    settings.MODEL_FILE_BYTES = 1000
    if path == "alone":
        answer = sent_alone(administrator)
    else:
        answer = administrator.post(reverse(ADD), {"file": SimpleUploadedFile("a.h5", CONTENT)})
        assert "above the limit" in answer.content.decode()
    assert answer.status_code == problem
    assert files() == []


def test_only_an_administrator_sends_files(client):
    client.force_login(make_user())
    assert sent_alone(client)["Location"].startswith("/admin/login/")
    assert files() == []


def test_the_upload_wants_the_pages_token(administrator):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = administrator.cookies
    assert sent_alone(strict).status_code == 403


def test_what_nobody_registers_goes_after_a_day(administrator):
    sent_alone(administrator, b"abandoned")
    token = sent_alone(administrator, b"registered").json()["kept"]
    administrator.post(reverse(ADD), {"kept": token})
    yesterday = time.time() - 25 * 3600
    for path in uploads.uploads_folder().iterdir():
        os.utime(path, (yesterday, yesterday))
    sent_alone(administrator, b"new")
    assert sorted(files()) == [b"new", b"registered"]


def test_a_large_file_of_a_form_gets_a_second_name_and_no_second_copy(administrator, settings):
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1000
    settings.FILE_UPLOAD_TEMP_DIR = settings.SKINSITE_DATA
    administrator.post(reverse(ADD), {"file": SimpleUploadedFile("a.h5", CONTENT)})
    record = ModelRecord.objects.get()
    assert record.upload_path.read_bytes() == CONTENT
    assert record.upload_path.stat().st_nlink == 1
    assert record.upload_path.stat().st_mode & 0o777 == 0o600


@pytest.mark.django_db(transaction=True)
def test_a_file_of_many_chunks_comes_over_a_connection(tmp_path, administrator):
    """bench.limits says what memory the web process needs for a large one."""
    size = 3 * uploads.CHUNK_BYTES + 1
    sparse = tmp_path / "large.h5"
    with sparse.open("wb") as file:
        file.truncate(size)
    server = LiveServer()
    address = urlsplit(server.url)
    page = administrator.get(reverse(ADD))
    headers = {
        "Cookie": f"sessionid={administrator.cookies['sessionid'].value}; csrftoken={page.cookies['csrftoken'].value}",
        "X-CSRFToken": re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.content.decode())[1],
        "Content-Length": str(size),
        "Content-Type": "application/octet-stream",
    }
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=120)
    with sparse.open("rb") as body:
        connection.request("POST", f"{reverse(UPLOAD)}?name=large.h5", body, headers)
        answer = json.loads(connection.getresponse().read())
    connection.close()
    server.thread.terminate()
    assert answer["size"] == size
