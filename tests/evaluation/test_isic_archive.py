"""The visit to an archive, over real sockets, to a server that behaves and misbehaves."""

import csv
import ssl
import subprocess
import time
from itertools import islice

import pytest

from evaluation.isic_archive import client
from evaluation.isic_archive import fetch as fetching
from evaluation.isic_archive.types import ArchiveError
from tests.evaluation import archive_server
from tests.evaluation.archive_server import API, body, cut_short, drip, endless, listing, status

FIRST = f"{API}search/?limit=100&query=diagnosis_1%3ABenign"
SECOND = f"{API}search/?cursor=2&limit=100"
IDS = [f"ISIC_{number:07d}" for number in range(5)]
FILES = [f"/files/{isic_id}.jpg" for isic_id in IDS]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(client, "WAITS_S", (0,) * 6)


@pytest.fixture
def archive():
    with archive_server.running() as archive:
        yield archive


@pytest.fixture
def visit(archive, tmp_path):
    """Fetch from the archive into one folder, a few steps or to the end; return what each step told."""

    def visit(steps=None, **changes):
        usual = {
            "base": f"{archive.url}/api/v2",
            "query": "diagnosis_1:Benign",
            "into": tmp_path,
            "hosts": frozenset({"127.0.0.1"}),
            "images": 2000,
        }
        return list(islice(fetching.fetch(**usual | changes), steps))

    return visit


def images(folder):
    return sorted(path.name for path in (folder / "images").iterdir())


def rows(folder):
    with (folder / "metadata.csv").open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def refused(visit, code, **changes):
    with pytest.raises(ArchiveError) as refusal:
        visit(**changes)
    assert refusal.value.code == code
    return str(refusal.value)


def test_it_fetches_every_image_with_its_metadata_and_licence(archive, visit, tmp_path):
    told = visit()
    assert (told[0], told[-1]) == ((0, 5), (5, 5))
    assert images(tmp_path) == [f"{isic_id}.jpg" for isic_id in IDS]
    assert (tmp_path / "images" / "ISIC_0000003.jpg").read_bytes() == archive.file("ISIC_0000003")
    table = rows(tmp_path)
    assert [row["copyright_license"] for row in table] == ["CC-0", "CC-BY", "CC-BY-NC", "CC-0", "CC-BY"]
    assert list(table[0])[:4] == ["isic_id", "attribution", "copyright_license", "age_approx"]
    assert [(row["isic_id"], row["age_approx"], row["melanocytic"]) for row in table[:2]] == [
        ("ISIC_0000000", "40", "True"),
        ("ISIC_0000001", "41", "True"),
    ]
    assert table[0]["attribution"] == "'=Hospital, with a comma"


def test_it_introduces_itself_and_asks_for_pages_of_a_hundred(archive, visit):
    visit(query="")
    assert archive.asked[0] == f"{API}?limit=100"
    assert {headers["User-Agent"] for headers in archive.headers} == {"Skinsite (research portal)"}
    assert {headers["Host"] for headers in archive.headers} == {archive.url.removeprefix("http://")}
    assert not {"Cookie", "Authorization", "Referer"} & {name for headers in archive.headers for name in headers}


def test_it_uses_no_proxy_of_the_environment(visit, monkeypatch, tmp_path):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    visit()
    assert len(images(tmp_path)) == 5


def test_it_sends_no_cookie_and_no_password_of_the_environment(archive, visit, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    archive.instead[FILES[0]].append(status(503, Set_Cookie="visitor=1"))
    archive.instead[FILES[1]].append(status(302, Location=FILES[1], Set_Cookie="visitor=1"))
    visit()
    assert len(archive.headers) == 10
    assert not {"Cookie", "Authorization", "Referer"} & {name for headers in archive.headers for name in headers}


def test_it_leaves_time_between_requests(archive, visit, monkeypatch):
    monkeypatch.setattr(client, "WAITS_S", (0.05,))
    start = time.monotonic()
    visit()
    assert time.monotonic() - start >= 0.05 * len(archive.asked)


def test_it_fetches_only_what_is_missing_after_the_server_broke(archive, visit, tmp_path):
    for path in FILES[2:]:
        archive.instead[path].extend([cut_short] * 6)
    refused(visit, "unreachable")
    assert images(tmp_path) == ["ISIC_0000000.jpg", "ISIC_0000001.jpg"]
    archive.asked.clear()
    assert visit() == [(3, 5), (4, 5), (5, 5)]
    assert archive.asked == FILES[2:]
    assert len(rows(tmp_path)) == 5


def test_it_goes_on_at_the_page_where_it_stopped(archive, visit):
    archive.instead[SECOND].extend([status(500)] * 6)
    refused(visit, "unreachable")
    archive.asked.clear()
    visit()
    assert archive.asked[0] == SECOND


def test_a_second_visit_fetches_nothing(archive, visit, tmp_path):
    visit()
    archive.asked.clear()
    assert (visit(), archive.asked, len(rows(tmp_path))) == ([], [], 5)


def test_an_image_that_is_here_already_is_not_fetched_again(archive, visit, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "ISIC_0000000.jpg").write_bytes(archive.file(IDS[0]))
    (tmp_path / "images" / "ISIC_0000001.jpg.part").write_bytes(b"half")
    visit()
    assert archive.files_asked() == IDS[1:]
    assert images(tmp_path) == [f"{isic_id}.jpg" for isic_id in IDS]


def test_a_folder_serves_one_query(visit):
    visit()
    refused(visit, "another-query", query="diagnosis_1:Malignant")


def test_images_that_could_not_be_had_get_another_chance(archive, visit, tmp_path):
    archive.instead[FILES[1]].append(status(404))
    archive.instead[FILES[3]].append(body(b"<html>Not now</html>"))
    assert visit()[-1] == (5, 5)
    assert images(tmp_path) == [f"{IDS[place]}.jpg" for place in (0, 2, 4)]
    assert len(rows(tmp_path)) == 5
    visit()
    assert len(images(tmp_path)) == 5


def test_a_file_that_is_cut_short_is_fetched_again(archive, visit, tmp_path):
    archive.instead[FILES[0]].append(cut_short)
    visit()
    assert (tmp_path / "images" / "ISIC_0000000.jpg").read_bytes() == archive.file("ISIC_0000000")


def test_it_follows_redirects_between_listed_hosts(archive, visit, tmp_path):
    archive.instead[FILES[0]].append(status(302, Location=f"http://localhost:{archive.server_port}/files/x"))
    visit(hosts=frozenset({"127.0.0.1", "localhost"}))
    assert len(images(tmp_path)) == 5


@pytest.mark.parametrize(
    "location",
    ["http://localhost/x", "//localhost/x", "http://127.0.0.1@localhost/x", "file:///etc/passwd", "gopher:",
     "file://127.0.0.1/etc/passwd", "http://localhost\\@127.0.0.1/x", "http://127.0.0.1\\@localhost/x",
     "http://169.254.169.254/x"],
)  # fmt: skip
def test_a_redirect_to_anywhere_else_is_refused(archive, visit, tmp_path, location):
    archive.instead[FILES[0]].append(status(302, Location=location))
    visit()
    assert images(tmp_path) == [f"{isic_id}.jpg" for isic_id in IDS[1:]]


def test_the_sixth_redirect_is_refused(archive, visit, tmp_path):
    archive.instead[FILES[0]].extend([status(302, Location=FILES[0])] * 6)
    archive.instead[FILES[1]].extend([status(302, Location=FILES[1])] * 5)
    visit()
    assert images(tmp_path) == [f"{isic_id}.jpg" for isic_id in IDS[1:]]
    assert archive.files_asked().count(IDS[0]) == 6


def test_a_next_page_at_another_host_is_refused(archive, visit):
    page = archive.page({}) | {"next": f"http://localhost:{archive.server_port}{SECOND}"}
    archive.instead[FIRST].append(listing(page))
    assert "localhost" in refused(visit, "not-listed")


def test_a_file_at_another_host_is_refused(archive, visit, tmp_path):
    archive.results[4]["files"]["full"]["url"] = f"http://localhost:{archive.server_port}/files/x.jpg"
    visit()
    assert images(tmp_path) == [f"{isic_id}.jpg" for isic_id in IDS[:4]]


@pytest.mark.parametrize(
    "base",
    ["http://archive.test", "https://archive.test:8443", "https://me:secret@archive.test", "ftp://archive.test",
     "https://archive.test\\@127.0.0.1", "https://archive.test/ x", "https://archive.test:x", "archive.test",
     "https://127.0.0.1"],
)  # fmt: skip
def test_a_bad_address_is_refused(archive, visit, base):
    assert "secret" not in refused(visit, "not-listed", base=base, hosts=frozenset({"archive.test"}))
    assert archive.asked == []


def test_an_answer_from_https_may_not_lead_to_http(archive):
    assert not client.Client("https://archive.test", frozenset({"archive.test"}))._allowed("http://archive.test/x")


@pytest.fixture
def certificate(tmp_path_factory):
    """A certificate of localhost, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", folder / "key.pem"]
    subprocess.run(["openssl", "req", "-x509", *key, "-out", folder / "cert.pem", *subject], check=True, stderr=-3)
    return folder / "cert.pem", folder / "key.pem"


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_the_server_must_prove_its_name(visit, monkeypatch, certificate, tmp_path, name):
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with archive_server.running(tls=tls) as archive:
        archive.url = f"https://{name}:{archive.server_port}"
        archive.results = [archive.result(number) for number in range(5)]
        there = {"base": f"{archive.url}/api/v2", "hosts": frozenset({name})}
        if name == "localhost":
            visit(**there)
            assert len(images(tmp_path)) == 5
        else:
            assert "CERTIFICATE_VERIFY_FAILED" in refused(visit, "unreachable", **there)


def test_an_endless_image_is_refused_although_its_header_says_ten_bytes(archive, visit, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "IMAGE_BYTES", 100_000)
    archive.instead[FILES[0]].append(endless)
    visit()
    assert images(tmp_path) == [f"{isic_id}.jpg" for isic_id in IDS[1:]]


def test_an_endless_page_is_refused(archive, visit, monkeypatch):
    monkeypatch.setattr(fetching, "PAGE_BYTES", 100_000)
    archive.instead[FIRST].append(endless)
    assert "100,000 bytes" in refused(visit, "too-large")


def test_a_listing_without_end_ends(archive, visit, tmp_path):
    archive.instead[SECOND].extend([listing(archive.page({}) | {"next": f"{archive.url}{SECOND}"})] * 9)
    visit()
    assert archive.asked[:3] == [FIRST, SECOND, FILES[0]]
    assert len(rows(tmp_path)) == 2


def test_it_waits_as_long_as_the_archive_asks(archive, visit, tmp_path):
    archive.instead[FIRST].append(status(429, Retry_After="1"))
    archive.instead[FILES[0]].append(status(503, Retry_After="soon"))
    start = time.monotonic()
    visit()
    assert len(images(tmp_path)) == 5
    assert time.monotonic() - start >= 1


def test_it_comes_back_another_day_when_the_archive_asks_for_long(archive, visit):
    archive.instead[FILES[1]].append(status(429, Retry_After="3600"))
    assert "3600 s" in refused(visit, "busy")
    assert visit() == [(2, 5), (3, 5), (4, 5), (5, 5)]


def test_the_sixth_refusal_in_a_row_is_the_last(archive, visit):
    archive.instead[FIRST].extend([status(429)] * 9)
    refused(visit, "unreachable")
    assert archive.asked == [FIRST] * 6


def test_a_query_that_the_archive_refuses(archive, visit):
    archive.instead[FIRST].append(status(400))
    assert "Correct the query" in refused(visit, "answered-400")


@pytest.mark.parametrize(
    "answer",
    [b"{", b"<html>", b"\xff", b"[]", b"{}", b'{"count": 1, "next": null}', pytest.param(b"[" * 100_000, id="deep")],
)
def test_a_malformed_page_is_refused(archive, visit, answer):
    archive.instead[FIRST].append(body(answer))
    refused(visit, "unexpected-answer")


@pytest.mark.parametrize(
    "change",
    [
        {"isic_id": "../../x"},
        {"isic_id": "ISIC_0000001\n"},
        {"isic_id": "ISIC_٠٠٠٠٠٠١"},
        {"isic_id": 1},
        {"attribution": None},
        {"attribution": "x" * 10_001},
        {"copyright_license": ["CC-0"]},
        {"files": {"full": "x"}},
        {"files": {"full": {"url": None}}},
        {"metadata": {"clinical": []}},
    ],
)
def test_a_malformed_image_is_refused(archive, visit, tmp_path, change):
    archive.results[0] |= change
    refused(visit, "unexpected-answer")
    assert images(tmp_path) == []
    assert [path.name for path in tmp_path.iterdir()] == ["images"]


def test_odd_metadata_does_no_harm(archive, visit, tmp_path):
    odd = {"sex": "\ud800", "isic_id": "ISIC_9999999", "=evil": 1, "nested": {"a": 1}, "lesion_id": "IL_1"}
    archive.results[0]["metadata"]["clinical"] = odd
    visit()
    row = rows(tmp_path)[0]
    assert (row["isic_id"], row["sex"], row["lesion_id"]) == (IDS[0], "?", "IL_1")
    assert not {"=evil", "nested"} & set(row)


def test_it_stops_at_the_limit_of_images_and_goes_on_with_a_higher_one(archive, visit, tmp_path):
    assert visit(images=3)[-1] == (3, 3)
    assert visit(images=3) == []
    assert visit(images=4) == [(4, 4)]
    assert len(rows(tmp_path)) == len(images(tmp_path)) == 4


def test_it_stops_at_the_limit_of_bytes_over_all_runs(archive, visit, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "TOTAL_BYTES", 2 * len(archive.file(IDS[0])) + 5)
    for _ in range(2):
        assert "Narrow the query" in refused(visit, "too-many-bytes")
    assert len(images(tmp_path)) == 3


def test_an_answer_that_takes_too_long_is_given_up(archive, visit, monkeypatch):
    monkeypatch.setattr(client, "LONGEST_ANSWER_S", 0.1)
    archive.instead[FIRST].extend([drip] * 6)
    assert "took more than 0.1 s" in refused(visit, "unreachable")


@pytest.mark.parametrize("steps", [1, 6])
def test_it_goes_on_where_its_caller_stopped(archive, visit, tmp_path, steps):
    visit(steps)
    assert len(images(tmp_path)) == max(0, steps - 3)  # three pages come first
    visit()
    assert len(images(tmp_path)) == len(archive.files_asked()) == 5
