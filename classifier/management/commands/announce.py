"""Wait until a prediction can be answered, and say so."""

import time
import urllib.error
import urllib.request
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from classifier.models.model_record import Framework
from classifier.services.predictions.warm_up import ready_mark


class Command(BaseCommand):
    help = "Print `Ready: ADDRESS` once the web process answers and the workers have loaded their models."

    def handle(self, *args: Any, **options: Any) -> None:
        address = f"http://{settings.SKINSITE_BIND}:{settings.PORT}"
        self.stdout.write("Waiting for the workers to load their models …")
        self.stdout.flush()
        while not (all(ready_mark(framework).exists() for framework in Framework.values) and _answers(address)):
            time.sleep(0.2)
        self.stdout.write(f"Ready: {address}")


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/healthz", timeout=5) as response:  # noqa: S310  (our own address)
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
