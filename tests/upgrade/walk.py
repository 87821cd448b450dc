"""All that one checkout answers from one data folder: python FILE OUT --now TIME, started in the checkout.

`make.py` and `bench.same_answers` start it in old checkouts too: nothing of the repository is imported but what
Django's settings name. The folder is SKINSITE_DATA. OUT becomes one with `answers.jsonl`, where a line is {who,
address, status, headers, body} and `body` the name of a file below `bodies`, with `addresses.json`, and with
`unknown.json`, the routes of whose parameters no value is known.
"""

import argparse
import hashlib
import json
import logging
import os
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

HEADERS = (
    "Allow",
    "Cache-Control",
    "Content-Disposition",
    "Content-Security-Policy",
    "Content-Type",
    "HX-Refresh",
    "Location",
    "Referrer-Policy",
    "WWW-Authenticate",
    "X-Content-Type-Options",
    "X-Frame-Options",
)
ROWS = {
    "accounts/invitations": "accounts.Invitation",
    "accounts/tokens": "accounts.ApiToken",
    "cases": "classifier.Case",
    "comparisons": "evaluation.Comparison",
    "datasets": "evaluation.DataSet",
    "datasets/images": "evaluation.LabelledImage",
    "evaluations": "evaluation.Evaluation",
    "images": "classifier.CaseImage",
    "map-checks": "evaluation.MapCheck",
    "models": "classifier.ModelRecord",
    "predictions": "classifier.Prediction",
    "setting-checks": "evaluation.SettingCheck",
}
"""Whose ids an address takes, by what stands before the id."""
WORDS = {
    "rendition": ("pixels.png", "screen.webp", "thumbnail.webp", "other.png"),
    "kind": ("confusion", "nothing"),
    "form": ("png", "svg", "pdf"),
    "secret": ("nobody-knows-it",),
    "key": ("nobody-knows-it",),
}
METHODS = ("grad-cam", "grad-cam++", "hirescam", "eigen-cam", "occlusion", "none")
MAPS = (
    *(f"?method={name}" for name in METHODS),
    "?class=nv",
    "?side=lowers",
    "?scale=absolute",
    "?grid=native",
    "?against=mel",
    "?class=mel&against=nv&method=hirescam",
)
QUERIES = {
    "cases/": (
        "?q=arm",
        "?state=failed",
        "?state=done&sort=oldest",
        "?diagnosis=nv",
        "?sort=title",
        "?from=2026-01-01",
    ),
    "cases/{}/": MAPS,
    "predictions/{}/heat.png": MAPS,
    "predictions/{}/map.png": MAPS,
    "predictions/{}/map.csv": MAPS,
    "datasets/{}/images/": ("?label=nv", "?page=2"),
    "api/v1/cases": ("?q=arm", "?state=failed", "?limit=1", "?cursor=x", "?diagnosis=nv&sort=title"),
    "api/v1/predictions/{}/explanations": MAPS,
    "api/v1/predictions/{}/heat.png": MAPS,
}
"""What is asked beside the plain address."""
LINK = re.compile(r'(?:href|src|hx-get)="(/[^"#]*)')
LEFT_OUT = ("/static/", "/accounts/logout/")
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


def addresses() -> tuple[list[str], list[str]]:
    """Every address of the URL conf with every id of the folder, pages before the API, and the routes left out."""
    from django.urls import get_resolver

    found: dict[str, None] = {}
    unknown = []
    for route in sorted(set(_routes(get_resolver().url_patterns)), key=lambda text: (text.startswith("api/"), text)):
        filled = list(_filled(route))
        if not filled:
            unknown.append(route)
        for address in filled:
            queries = QUERIES.get(re.sub(r"\d+", "{}", address.replace("api/v1", "api/vX")).replace("vX", "v1"), ())
            found |= dict.fromkeys(f"/{address}{query}" for query in ("", *queries))
    return [*found, *_of_the_admin()], unknown


def _routes(patterns: Iterable[Any], before: str = "") -> Iterator[str]:
    """Yield the routes of the URL conf as they are written; the admin's are asked of the admin itself."""
    from django.urls import URLResolver
    from django.urls.resolvers import RoutePattern

    for entry in patterns:
        if isinstance(entry, URLResolver):
            if entry.app_name != "admin":
                yield from _routes(entry.url_patterns, before + str(entry.pattern))
        elif isinstance(entry.pattern, RoutePattern):
            yield before + str(entry.pattern)


def _filled(route: str) -> Iterator[str]:
    """Yield a route with all values of its parameters; none where a parameter has no values here."""
    parameter = PARAMETER.search(route)
    if parameter is None:
        yield route
        return
    for value in WORDS.get(parameter[1]) or _ids(route[: parameter.start()].removeprefix("api/v1/").strip("/")):
        yield from _filled(route.replace(parameter[0], str(value), 1))


def _ids(before: str) -> list[int]:
    """The ids of what stands at an address, and one that the folder has not."""
    if case := re.fullmatch(r"cases/(\d+)/images", before):
        return list(_model("classifier.CaseImage").objects.filter(case=case[1]).values_list("pk", flat=True))
    if before not in ROWS:
        return []
    pks = list(_model(ROWS[before]).objects.order_by("pk").values_list("pk", flat=True))
    return [*pks, max(pks, default=0) + 1000]


def _of_the_admin() -> Iterator[str]:
    from django.contrib import admin
    from django.urls import reverse

    yield reverse("admin:index")
    for model in sorted(admin.site._registry, key=lambda model: model._meta.label):
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield from (reverse(f"{base}_{action}") for action in ("changelist", "add"))
        for pk in model._default_manager.order_by("pk").values_list("pk", flat=True):
            yield from (reverse(f"{base}_{action}", args=[pk]) for action in ("change", "history", "delete"))


def _model(label: str) -> Any:
    from django.apps import apps

    return apps.get_model(label)


def clients(people: list[str]) -> dict[str, Any]:
    """A client with session and token for each of these people; without any, for whoever has an account, and nobody."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    asking = {} if people else {"anonymous": Client(raise_request_exception=False)}
    for user in get_user_model().objects.filter(is_active=True).order_by("pk"):
        if not people or user.username in people:
            _, secret = _model("accounts.ApiToken").objects.issue(owner=user, name="walk")
            bearer = {"Authorization": f"Bearer {secret}"}
            asking[user.username] = Client(raise_request_exception=False, headers=bearer)
            asking[user.username].force_login(user)
    return asking


def answers(asked: list[str], asking: dict[str, Any], bodies: Path, *, follow: bool) -> Iterator[dict[str, Any]]:
    """Yield what everybody is answered; with `follow`, the links of these addresses' pages are added to them.

    Whoever gets nothing at an address is not answered its queries.
    """
    known, given = set(asked), len(asked)
    nothing: set[tuple[str, str]] = set()
    for place, address in enumerate(asked):  # it grows
        path, _, query = address.partition("?")
        for who, client in asking.items():
            if query and (who, path) in nothing:
                continue
            answer = client.get(address)
            if not query and answer.status_code >= 300:
                nothing.add((who, path))
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content
            name = hashlib.sha256(content).hexdigest()
            (bodies / name).write_bytes(content)
            headers = {header: answer[header] for header in HEADERS if header in answer}
            yield {"who": who, "address": address, "status": answer.status_code, "headers": headers, "body": name}
            if follow and place < given and "text/html" in headers.get("Content-Type", ""):
                links = (link.replace("&amp;", "&") for link in LINK.findall(content.decode()))
                found = [link for link in dict.fromkeys(links) if link not in known and not link.startswith(LEFT_OUT)]
                known.update(found)
                asked += found


def main(out: Path, asked_before: Path | None, people: list[str], now: datetime, *, links: bool) -> None:
    sys.path[0] = os.getcwd()  # noqa: PTH109 (the checkout, in place of the folder of this file)
    from django.utils import timezone

    timezone.now = lambda: now
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    logging.disable()
    settings.ALLOWED_HOSTS.append("testserver")
    settings.REQUESTS_A_SECOND = 10**9
    for command in ("migrate", "collectstatic"):
        call_command(command, verbosity=0, interactive=False)
    asked, unknown = (json.loads(asked_before.read_text()), []) if asked_before else addresses()
    (out / "bodies").mkdir(parents=True)
    with (out / "answers.jsonl").open("w") as file:
        for answer in answers(asked, clients(people), out / "bodies", follow=links):
            file.write(json.dumps(answer) + "\n")
    (out / "addresses.json").write_text(json.dumps(asked))
    (out / "unknown.json").write_text(json.dumps(unknown))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skinsite.settings")
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--addresses", type=Path, help="ask these, in place of all that the folder has")
    parser.add_argument("--links", action="store_true", help="ask what the pages of these addresses link to as well")
    parser.add_argument("--people", nargs="*", default=[], help="who asks, in place of everybody and nobody")
    parser.add_argument("--now", type=datetime.fromisoformat, required=True, help="the time that it is all the while")
    chosen = parser.parse_args()
    main(chosen.out, chosen.addresses, chosen.people, chosen.now, links=chosen.links)
