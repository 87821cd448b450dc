"""The visit to an archive, over real sockets, to a server that behaves and misbehaves."""

import csv
import ipaddress
import socket
import ssl
import subprocess
import time
from collections import Counter

import pytest

from evaluation.isic_archive.addresses import is_public
from evaluation.isic_archive.fetch import ArchiveError, Limits, Manners, Progress, fetch
from tests.evaluation import archive_server
from tests.evaluation.archive_server import API, body, cut_short, drip, endless, listing, status

FIRST = f"{API}search/?limit=100&query=diagnosis_1%3ABenign"
SECOND = f"{API}search/?cursor=2&limit=100"
IDS = [f"ISIC_{number:07d}" for number in range(5)]
FILES = [f"/files/{isic_id}.jpg" for isic_id in IDS]
QUICK = Manners(gap_s=0, backoff_s=0.001)


@pytest.fixture
def archive():
    with archive_server.running() as archive:
        yield archive


@pytest.fixture
def visit(archive, tmp_path):
    """Fetch from the archive into one folder; arguments of fetch may be given."""

    def visit(**changes):
        usual = {
            "base": f"{archive.url}/api/v2",
            "query": "diagnosis_1:Benign",
            "into": tmp_path,
            "hosts": frozenset({"127.0.0.1"}),
            "allow_private": True,
            "manners": QUICK,
        }
        return fetch(**usual | changes)

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
    told = []
    result = visit(on_progress=lambda progress: told.append(progress) or True)
    assert (result.fetched, result.skipped, result.failed, result.cancelled) == (5, 0, {}, False)
    assert result.licences == Counter({"CC-0": 2, "CC-BY": 2, "CC-BY-NC": 1})
    assert images(tmp_path) == [f"{isic_id}.jpg" for isic_id in IDS]
    assert (tmp_path / "images" / "ISIC_0000003.jpg").read_bytes() == archive.file("ISIC_0000003")
    table = rows(tmp_path)
    assert list(table[0])[:4] == ["isic_id", "attribution", "copyright_license", "age_approx"]
    assert [(row["isic_id"], row["age_approx"], row["melanocytic"]) for row in table[:2]] == [
        ("ISIC_0000000", "40", "True"),
        ("ISIC_0000001", "41", "True"),
    ]
    assert table[0]["attribution"] == "'=Hospital, with a comma"
    assert told[0] == Progress(0, 5, 0)
    assert told[-1] == Progress(5, 5, 5 * len(archive.file(IDS[0])))


def test_it_introduces_itself_and_asks_for_pages_of_a_hundred(archive, visit):
    visit(query="")
    assert archive.asked[0] == f"{API}?limit=100"
    assert {headers["User-Agent"] for headers in archive.headers} == {"Skinsite (research portal)"}
    assert {headers["Host"] for headers in archive.headers} == {archive.url.removeprefix("http://")}
    assert not {"Cookie", "Authorization", "Referer"} & {name for headers in archive.headers for name in headers}


def test_it_uses_no_proxy_of_the_environment(visit, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert visit().fetched == 5


def test_it_leaves_time_between_requests(archive, visit):
    start = time.monotonic()
    visit(manners=Manners(gap_s=0.05))
    assert time.monotonic() - start >= 0.05 * (len(archive.asked) - 1)


def test_it_fetches_only_what_is_missing_after_the_server_broke(archive, visit, tmp_path):
    for path in FILES[2:]:
        archive.instead[path].extend([cut_short] * 6)
    refused(visit, "unreachable")
    assert images(tmp_path) == ["ISIC_0000000.jpg", "ISIC_0000001.jpg"]
    assert len(rows(tmp_path)) == 2
    archive.asked.clear()
    result = visit()
    assert (result.fetched, result.skipped, result.failed) == (3, 2, {})
    assert archive.files_asked() == IDS[2:]
    assert len(rows(tmp_path)) == 5


def test_it_goes_on_at_the_page_where_it_stopped(archive, visit):
    archive.instead[SECOND].extend([status(500)] * 6)
    refused(visit, "unreachable")
    archive.asked.clear()
    told = []
    result = visit(on_progress=lambda progress: told.append(progress) or True)
    assert archive.asked[0] == SECOND
    assert (result.fetched, result.skipped) == (3, 2)
    assert told[0].total == 5


def test_a_second_visit_lists_again_and_fetches_nothing(archive, visit):
    visit()
    archive.asked.clear()
    result = visit()
    assert (result.fetched, result.skipped) == (0, 5)
    assert archive.asked[0] == FIRST
    assert archive.files_asked() == []


def test_an_image_without_its_row_is_not_fetched_again(archive, visit, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "ISIC_0000000.jpg").write_bytes(archive.file(IDS[0]))
    (tmp_path / "images" / "ISIC_0000001.part").write_bytes(b"half")
    assert (visit().skipped, archive.files_asked()) == (1, IDS[1:])
    assert len(rows(tmp_path)) == 5


def test_a_folder_serves_one_query(visit):
    visit()
    refused(visit, "another-query", query="diagnosis_1:Malignant")


def test_one_failed_image_is_told_and_gets_another_chance(archive, visit, tmp_path):
    archive.instead[FILES[1]].append(status(404))
    archive.instead[FILES[3]].append(body(b"<html>Not now</html>"))
    result = visit()
    assert result.fetched == 3
    assert {isic_id: reason.split(".")[0] for isic_id, reason in result.failed.items()} == {
        "ISIC_0000001": "The archive answered 404",
        "ISIC_0000003": "The file is no JPEG image",
    }
    assert [row["isic_id"] for row in rows(tmp_path)] == [IDS[0], IDS[2], IDS[4]]
    assert (visit().fetched, len(rows(tmp_path))) == (2, 5)


def test_a_file_that_is_cut_short_is_fetched_again(archive, visit, tmp_path):
    archive.instead[FILES[0]].append(cut_short)
    assert visit().fetched == 5
    assert (tmp_path / "images" / "ISIC_0000000.jpg").read_bytes() == archive.file(IDS[0])


def test_it_follows_redirects_between_listed_hosts(archive, visit):
    archive.instead[FILES[0]].append(status(302, Location=f"http://localhost:{archive.server_port}/files/x"))
    assert visit(hosts=frozenset({"127.0.0.1", "localhost"})).fetched == 5


@pytest.mark.parametrize(
    "location", ["http://localhost/x", "//localhost/x", "http://127.0.0.1@localhost/x", "file:///etc/passwd", "gopher:"]
)
def test_a_redirect_to_anywhere_else_is_refused(archive, visit, location):
    archive.instead[FILES[0]].append(status(302, Location=location))
    assert list(visit().failed) == IDS[:1]


def test_the_sixth_redirect_is_refused(archive, visit):
    archive.instead[FILES[0]].extend([status(302, Location=FILES[0])] * 6)
    archive.instead[FILES[1]].extend([status(302, Location=FILES[1])] * 5)
    assert list(visit().failed) == IDS[:1]
    assert archive.files_asked().count(IDS[0]) == 6


def test_a_next_page_at_another_host_is_refused(archive, visit, tmp_path):
    page = archive.page({}) | {"next": f"http://localhost:{archive.server_port}{SECOND}"}
    archive.instead[FIRST].append(listing(page))
    assert "localhost" in refused(visit, "host-not-listed")
    assert len(rows(tmp_path)) == 2


def test_a_file_at_another_host_is_refused(archive, visit):
    archive.results[4]["files"]["full"]["url"] = f"http://localhost:{archive.server_port}/files/x.jpg"
    assert "localhost" in visit().failed["ISIC_0000004"]


@pytest.mark.parametrize(
    "base",
    ["http://archive.test", "https://archive.test:8443", "https://me:secret@archive.test", "ftp://archive.test",
     "https://archive.test\\@127.0.0.1", "https://archive.test/ x", "https://archive.test:x", "archive.test"],
)  # fmt: skip
def test_a_bad_address_is_refused(visit, base):
    refused(visit, "bad-address", base=base, hosts=frozenset({"archive.test"}), allow_private=False)


def resolved(monkeypatch, *addresses):
    """Let every name resolve to these addresses; return the names that were asked."""
    names = []

    def getaddrinfo(name, port, *arguments, **options):
        names.append(name)
        return [
            (socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses
        ]

    monkeypatch.setattr("evaluation.isic_archive.addresses.socket.getaddrinfo", getaddrinfo)
    return names


def test_a_private_address_is_refused(archive, visit):
    url = {"base": "https://127.0.0.1/api/v2", "hosts": frozenset({"127.0.0.1"})}
    refused(visit, "address-not-public", allow_private=False, **url)
    assert archive.asked == []


def test_one_private_address_among_public_ones_is_refused(visit, monkeypatch):
    resolved(monkeypatch, "8.8.8.8", "10.0.0.1")
    hosts = frozenset({"archive.test"})
    refused(visit, "address-not-public", base="https://archive.test", hosts=hosts, allow_private=False)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700:4700::1111", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("0.0.0.0", False),
        ("::1", False),
        ("fe80::1", False),
        ("fec0::1", False),
        ("fd00::1", False),
        ("ff0e::1", False),
        ("::ffff:8.8.8.8", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_public_addresses(address, public):
    assert is_public(ipaddress.ip_address(address)) is public


@pytest.fixture
def certificate(tmp_path_factory):
    """A certificate of archive.test, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    subject = ["-subj", "/CN=archive.test", "-addext", "subjectAltName=DNS:archive.test"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", folder / "key.pem"]
    subprocess.run(["openssl", "req", "-x509", *key, "-out", folder / "cert.pem", *subject], check=True, stderr=-3)
    return folder / "cert.pem", folder / "key.pem"


@pytest.mark.parametrize("name", ["archive.test", "other.test"])
def test_it_connects_to_the_resolved_address_and_proves_the_name(visit, monkeypatch, certificate, name):
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with archive_server.running(tls=tls) as archive:
        names = resolved(monkeypatch, "127.0.0.1")
        archive.url = f"https://{name}:{archive.server_port}"
        archive.results = [archive.result(number) for number in range(5)]
        there = {"base": f"{archive.url}/api/v2", "hosts": frozenset({name})}
        if name == "other.test":
            assert "CERTIFICATE_VERIFY_FAILED" in refused(visit, "unreachable", **there)
        else:
            assert visit(**there).fetched == 5
            assert archive.headers[0]["Host"] == f"archive.test:{archive.server_port}"
            assert names.count(name) == len(archive.asked)


def test_an_endless_image_is_refused_although_its_header_says_ten_bytes(archive, visit, tmp_path):
    archive.instead[FILES[0]].append(endless)
    result = visit(limits=Limits(image_bytes=100_000))
    assert "above the limit of 100,000 bytes" in result.failed[IDS[0]]
    assert images(tmp_path) == [f"{isic_id}.jpg" for isic_id in IDS[1:]]


def test_an_endless_page_is_refused(archive, visit):
    archive.instead[FIRST].append(endless)
    refused(visit, "too-large", limits=Limits(page_bytes=100_000))


def test_it_waits_as_long_as_the_archive_asks(archive, visit):
    archive.instead[FIRST].append(status(429, Retry_After="1"))
    archive.instead[FILES[0]].append(status(503))
    start = time.monotonic()
    assert visit().fetched == 5
    assert time.monotonic() - start >= 1


def test_it_comes_back_another_day_when_the_archive_asks_for_long(archive, visit):
    archive.instead[FILES[1]].append(status(429, Retry_After="3600"))
    assert "3600 s" in refused(visit, "busy")
    assert (visit().fetched, visit().skipped) == (4, 5)


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
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "metadata.csv", "state.json"]


def test_odd_metadata_does_no_harm(archive, visit, tmp_path):
    odd = {"sex": "\ud800", "isic_id": "ISIC_9999999", "=evil": 1, "nested": {"a": 1}, "lesion_id": "IL_1"}
    archive.results[0]["metadata"]["clinical"] = odd
    visit()
    row = rows(tmp_path)[0]
    assert (row["isic_id"], row["sex"], row["lesion_id"]) == (IDS[0], "?", "IL_1")
    assert not {"=evil", "nested"} & set(row)


def test_it_stops_at_the_limit_of_images_and_goes_on_with_a_higher_one(archive, visit):
    told = []
    result = visit(limits=Limits(images=3), on_progress=lambda progress: told.append(progress) or True)
    assert (result.fetched, told[-1].done, told[-1].total) == (3, 3, 3)
    assert visit(limits=Limits(images=3)).fetched == 0
    assert visit(limits=Limits(images=4)).fetched == 1


def test_it_stops_at_the_limit_of_bytes_over_all_runs(archive, visit, tmp_path):
    limits = Limits(total_bytes=3 * len(archive.file(IDS[0])) + 5)
    for _ in range(2):
        assert "Narrow the query" in refused(visit, "too-many-bytes", limits=limits)
    assert len(images(tmp_path)) == len(rows(tmp_path)) == 3


def test_it_stops_when_its_time_is_over(archive, visit, tmp_path):
    refused(visit, "out-of-time", limits=Limits(seconds=0.3), manners=Manners(gap_s=0.1))
    assert 0 < len(rows(tmp_path)) < 5
    assert visit().failed == {}


def test_it_cuts_a_server_that_drips_its_header(archive, visit):
    archive.instead[FIRST].append(drip)
    start = time.monotonic()
    refused(visit, "out-of-time", limits=Limits(seconds=0.5))
    assert time.monotonic() - start < 2


@pytest.mark.parametrize("after", [0, 3])
def test_it_stops_when_it_is_told_to(visit, tmp_path, after):
    result = visit(on_progress=lambda progress: progress.done < after)
    assert (result.cancelled, result.fetched, len(rows(tmp_path))) == (True, after, after)
    result = visit()
    assert (result.cancelled, result.fetched, result.skipped) == (False, 5 - after, after)
