"""How fast a person may call: so many requests in any second, counted in this process, which is the only one."""

import threading
import time
from collections import deque

from django.conf import settings
from django.http import HttpRequest
from ninja.throttling import BaseThrottle

from skinsite.api.access import person_of


class PerPerson(BaseThrottle):
    """At most REQUESTS_A_SECOND by token; pictures that a page asks for with a session are not counted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: dict[int, deque[float]] = {}

    def allow_request(self, request: HttpRequest) -> bool:
        if "Authorization" not in request.headers:
            return True
        now = time.monotonic()
        with self._lock:
            times = self._times.setdefault(person_of(request).pk, deque())
            while times and times[0] <= now - 1:
                times.popleft()
            if len(times) >= settings.REQUESTS_A_SECOND:
                return False
            times.append(now)
            return True

    def wait(self) -> float:
        """Seconds after which one more request is surely allowed."""
        return 1.0
