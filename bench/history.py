"""How quick the history is with very many cases: python -m bench.history [--cases 100000] [--folder FOLDER]

Makes a database of its own, and prints p50 and p95 in ms of every filter, on the page and over the API, through
Django's test client. A folder that was filled once is used again.
"""

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

ROUNDS = 20
BATCH = 2000
MODELS = 2
STATES = (("done", 0.95), ("failed", 0.03), ("cancelled", 0.019), ("queued", 0.001))
CODES = {"nv": 0.67, "mel": 0.11, "bkl": 0.11, "bcc": 0.05, "akiec": 0.03, "vasc": 0.02, "df": 0.01}
FILTERS = {
    "none": "",
    "far page": "cursor=MIDDLE",
    "oldest": "sort=oldest",
    "title": "sort=title",
    "title, backwards": "sort=-title",
    "search, common": "q=lesion",
    "search, rare": "q=needle",
    "search, nothing": "q=no-such-word",
    "search, image name": "q=IMG_0077777",
    "model": "model=1",
    "model, none": "model=3",
    "diagnosis, common": "diagnosis=nv",
    "diagnosis, rare": "diagnosis=df",
    "diagnosis, none": "diagnosis=scc",
    "state running": "state=running",
    "state done": "state=done",
    "state failed": "state=failed",
    "state cancelled": "state=cancelled",
    "dates": "from=2026-01-01&to=2026-01-31",
    "dates, nothing": "from=1999-01-01&to=1999-12-31",
    "all at once": "q=lesion&model=1&diagnosis=mel&state=done&from=2026-01-01",
    "all at once, rare": "q=needle&model=2&diagnosis=vasc&state=failed&from=2026-01-01&sort=title",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir(), "skinsite-bench-history"))
    options = parser.parse_args()
    os.environ["SKINSITE_DATA"] = str(options.folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = "skinsite.settings"
    os.environ["SKINSITE_LOG"] = "ERROR"
    import django

    django.setup()
    _prepare(options.cases)
    _measure()


def _prepare(cases: int) -> None:
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    if not get_user_model().objects.filter(username="bench").exists():
        began = time.perf_counter()
        _fill(cases)
        connection.cursor().execute("ANALYZE")
        print(f"filled with {cases} cases in {time.perf_counter() - began:.0f} s")


def _fill(cases: int) -> None:
    """One owner with `cases` cases, each with one image and two predictions; and a tenth as many of somebody else."""
    from tests.factories import make_model, make_user

    models = [make_model(f"Bench {number}") for number in range(MODELS + 1)][:MODELS]
    for username, count in (("other", cases // 10), ("bench", cases)):
        owner = make_user(username, is_staff=username == "bench")
        for start in range(0, count, BATCH):
            _fill_batch(owner, models, range(start, min(start + BATCH, count)))


def _fill_batch(owner: Any, models: list[Any], numbers: Iterable[int]) -> None:
    from django.db import transaction

    from classifier.models import Case, CaseImage, Explanation, Prediction

    dice = random.Random(numbers[0])
    with transaction.atomic():
        cases = Case.objects.bulk_create([_case(owner, number, dice) for number in numbers])
        Case.objects.bulk_update(_dated(cases, numbers), ["created"])
        images = CaseImage.objects.bulk_create(
            [_image(case, number) for case, number in zip(cases, numbers, strict=True)]
        )
        rows = Prediction.objects.bulk_create([_prediction(image, model, dice) for image in images for model in models])
        done = [row for row in rows if row.state == "done"]
        Explanation.objects.bulk_create(
            [
                Explanation(prediction=row, layer="conv", rows=4, columns=4, region=[0, 0, 600, 450], maps=bytes(448))
                for row in done
            ]
        )


def _case(owner: Any, number: int, dice: random.Random) -> Any:
    from classifier.models import Case

    note = "Seen in the clinic for students, with a long note about the course and the season. " * dice.randint(0, 3)
    title = f"{dice.choice(('Back', 'Arm', 'Leg', 'Scalp'))} lesion {number}"
    reference = dice.choice(("", "", "nv", "mel"))
    needle = " needle" if number % 5000 == 77 else ""
    return Case(owner=owner, title=title, note=note + needle, age=dice.randint(1, 90), reference=reference)


def _dated(cases: list[Any], numbers: Iterable[int]) -> list[Any]:
    """Cases of the last years, one every ten minutes; the numbers rise with time."""
    from django.utils import timezone

    today = timezone.now()
    for case, number in zip(cases, numbers, strict=True):
        case.created = today - timedelta(minutes=10 * (100_000 - number))
    return cases


def _image(case: Any, number: int) -> Any:
    from classifier.models import CaseImage

    folder = f"cases/{number:032x}"
    return CaseImage(
        case=case,
        position=0,
        name=f"IMG_{number:07}.jpg",
        sha256=f"{number:064x}",
        pixels=f"{folder}/pixels.png",
        screen=f"{folder}/screen.webp",
        thumbnail=f"{folder}/thumbnail.webp",
        width=600,
        height=450,
        changes=["metadata removed: EXIF"],
    )


def _prediction(image: Any, model: Any, dice: random.Random) -> Any:
    from django.utils import timezone

    from classifier.models import Prediction

    (state,) = dice.choices([name for name, _ in STATES], [share for _, share in STATES])
    fields: dict[str, Any] = {"image": image, "model": model, "state": state, "sent_at": timezone.now()}
    if state != "queued":
        fields["finished_at"] = timezone.now()
    if state == "failed":
        fields |= {"error_code": "unexpected", "error_message": "An error.", "error_hint": "Try again."}
    if state == "done":
        (top,) = dice.choices(list(CODES), list(CODES.values()))
        fields |= {
            "probabilities": {code: 0.7 if code == top else 0.05 for code in CODES},
            "top_code": top,
            "top_probability": 0.7,
            "provenance": {"software": {f"package-{number}": "1.2.3" for number in range(40)}},
        }
    return Prediction(**fields)


def _measure() -> None:
    from django.contrib.auth import get_user_model
    from django.test import Client
    from django.test.utils import setup_test_environment

    from skinsite.accounts.models import ApiToken

    setup_test_environment()
    owner = get_user_model().objects.get(username="bench")
    _, secret = ApiToken.objects.issue(owner=owner, name="bench")
    browser, program = Client(), Client(headers={"Authorization": f"Bearer {secret}"})
    browser.force_login(owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    print(f"{'filter':24}{'page p50':>10}{'p95':>8}{'queries':>9}{'API p50':>10}{'p95':>8}{'queries':>9}")
    for name, query in FILTERS.items():
        query = query.replace("MIDDLE", _middle(owner))
        page = _timed(lambda query=query: browser.get(f"/cases/?{query}"))
        answer = _timed(lambda query=query: program.get(f"/api/v1/cases?{query}"))
        print(f"{name:24}" + "".join(f"{p50:10.1f}{p95:8.1f}{queries:9}" for p50, p95, queries in (page, answer)))


def _middle(owner: Any) -> str:
    """A cursor into the middle of the history."""
    from classifier.models import Case
    from classifier.services.history import Cursor, sorting

    ordered = Case.objects.filter(owner=owner).order_by("pk")
    return Cursor.at(ordered[ordered.count() // 2], sorting("newest"), backwards=False).text


def _timed(ask: Callable[[], Any]) -> tuple[float, float, int]:
    """Return p50 and p95 in ms, and the number of queries."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        answer = ask()
    assert answer.status_code == 200, (answer.status_code, answer.content[:500])
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        ask()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times), statistics.quantiles(times, n=20)[-1], len(queries)


if __name__ == "__main__":
    main()
