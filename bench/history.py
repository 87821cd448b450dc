"""The history with 100,000 cases of one person: python -m bench.history [CASES]

Fills a database of its own and asks for every page and filter through Django, without a network; prints ms.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

ROUNDS = 30
CHUNK = 5_000
CODES = ("nv", "mel", "bkl", "bcc", "akiec", "vasc", "df")
QUERIES = {
    "first page": {},
    "search": {"q": "lesion 77777"},
    "search, many": {"q": "lesion"},
    "search, none": {"q": "nowhere to be found"},
    "frequent diagnosis": {"diagnosis": "nv"},
    "rare diagnosis": {"diagnosis": "df"},
    "model": {"model": "1"},
    "done": {"state": "done"},
    "running": {"state": "running"},
    "failed": {"state": "failed"},
    "dates": {"from": "2026-01-05", "to": "2026-01-20"},
    "oldest first": {"sort": "oldest"},
    "by title": {"sort": "title"},
    "rare and oldest": {"diagnosis": "df", "sort": "oldest", "state": "done"},
}


def fill(number: int, owner: Any, models: Sequence[Any]) -> None:
    """Write `number` cases of one picture with a prediction of each model."""
    from django.db.models import DurationField, ExpressionWrapper, F
    from django.utils import timezone

    from classifier.models import Case, CaseImage, Prediction

    began = timezone.now().replace(year=2026, month=1, day=1)
    for first in range(0, number, CHUNK):
        places = range(first, min(first + CHUNK, number))
        cases = Case.objects.bulk_create([Case(owner=owner, title=f"Lesion {place}") for place in places])
        since = ExpressionWrapper((F("pk") - cases[0].pk + first) * timedelta(minutes=5), DurationField())
        Case.objects.filter(pk__gte=cases[0].pk).update(created=began + since)
        images = CaseImage.objects.bulk_create(
            [
                CaseImage(case=case, position=0, name="a.jpg", pixels="p", thumbnail="t", width=600, height=450)
                for case in cases
            ]
        )
        Prediction.objects.bulk_create(
            [
                _prediction(image, model, place, began)
                for image, place in zip(images, places, strict=True)
                for model in models
            ]
        )


def _prediction(image: Any, model: Any, place: int, now: Any) -> Any:
    """One in five hundred failed, one in two thousand waits, one in three hundred is a dermatofibroma."""
    from classifier.models import Prediction

    if place % 2000 == 7:
        return Prediction(image=image, model=model)
    if place % 500 == 3:
        return Prediction(image=image, model=model, state="failed", error_code="x", finished_at=now)
    code = "df" if place % 300 == 0 else CODES[min(place * 7919 % 100 // 15, 5)]
    codes = [entry["code"] for entry in model.classes]
    code = code if code in codes else codes[0]
    shares = {each: 0.7 if each == code else 0.3 / (len(codes) - 1) for each in codes}
    done = {"state": "done", "probabilities": shares, "top_code": code, "top_probability": 0.7}
    return Prediction(image=image, model=model, finished_at=now, **done)


def measure(owner: Any, path: str) -> dict[str, dict[str, float]]:
    from django.test import Client

    from skinsite.accounts.models import ApiToken

    _, secret = ApiToken.objects.issue(owner=owner, name="bench")
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    client.force_login(owner)
    found = {}
    for name, query in QUERIES.items():
        answer = client.get(path, query)
        assert answer.status_code == 200, (name, answer.content[:300])
        seconds = [_timed(lambda query=query: client.get(path, query)) for _ in range(ROUNDS)]
        p95 = statistics.quantiles(seconds, n=20)[-1]
        found[name] = {
            "p50": round(1000 * statistics.median(seconds), 1),
            "p95": round(1000 * p95, 1),
        }
    return found


def _timed(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def main(number: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"SKINSITE_DATA": folder, "DJANGO_SETTINGS_MODULE": "skinsite.settings", "SKINSITE_LOG": "ERROR"}
        import django

        django.setup()
        from django.conf import settings
        from django.core.management import call_command

        from tests.factories import make_model, make_user

        settings.ALLOWED_HOSTS.append("testserver")
        settings.REQUESTS_A_SECOND = 10**6
        call_command("migrate", verbosity=0)
        call_command("collectstatic", verbosity=0, interactive=False)
        began = time.perf_counter()
        owner = make_user("owner")
        fill(number, owner, [make_model("Xception"), make_model("B2", framework="torch")])
        print(f"{number} cases written in {time.perf_counter() - began:.0f} s")
        for path in ("/cases/", "/api/v1/cases"):
            print(path)
            for name, figures in measure(owner, path).items():
                print(f"  {name:20} {json.dumps(figures)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
