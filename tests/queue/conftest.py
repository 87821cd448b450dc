"""The real broker's process, without workers: what was sent stays in its queues."""

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import redis
from django.conf import settings


class Broker:
    """The broker of the settings, started and stopped by a test."""

    def __init__(self) -> None:
        self.client = redis.Redis(unix_socket_path=str(settings.BROKER_SOCKET))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "skinsite.broker", str(settings.BROKER_SOCKET)], stdout=subprocess.DEVNULL
        )
        for _ in range(100):
            try:
                self.client.ping()
                return
            except redis.ConnectionError:
                time.sleep(0.1)
        raise AssertionError("the broker does not answer")

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def length(self, queue: str) -> int:
        return int(self.client.llen(queue))


@pytest.fixture
def broker() -> Iterator[Broker]:
    broker = Broker()
    broker.start()
    yield broker
    broker.kill()
    broker.client.close()
