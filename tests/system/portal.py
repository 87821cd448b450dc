"""A real portal for tests and benchmarks: `manage.py portal` with its own data folder and port."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import requests

ROOT = Path(__file__).parents[2]
START_SECONDS = 420
STOP_SECONDS = 25
FINAL = {"done", "failed", "cancelled"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def csrf_token(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found, page
    return found[1]


def pause(began: float) -> float:
    """Seconds until one asks again: what takes long is asked seldom, for to answer takes from the work."""
    return min(0.5, 0.02 + (time.monotonic() - began) / 10)


class Portal:
    """Use it as a context: it is ready inside, and every process is gone afterwards."""

    def __init__(self, data: Path, **environment: str) -> None:
        self.data = data
        self.port = free_port()
        self.environment = environment
        self.output = data.with_suffix(".out")
        self.seconds_to_ready = 0.0
        self.models_at_first_start: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start and wait for `Ready`; raises with the output when it does not come."""
        began = time.monotonic()
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "portal"],
                cwd=ROOT,
                env=self._environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        while f"Ready: {self.url}" not in self.output.read_text():
            if self.process.poll() is not None or time.monotonic() - began > START_SECONDS:
                self.stop()
                raise AssertionError(f"The portal did not become ready:\n{self.output.read_text()}\n{self.logs()}")
            time.sleep(0.1)
        self.seconds_to_ready = time.monotonic() - began

    def _environment(self) -> dict[str, str]:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("SKINSITE_", "DJANGO_"))}
        own = {
            "SKINSITE_DATA": str(self.data),
            "PORT": str(self.port),
            "SKINSITE_PHANTOMS": "0",
            "SKINSITE_MAP_CHECKS": "0",
            "SKINSITE_ADMISSION_SECONDS": "300",  # sound files, however busy the machine
        }
        return inherited | own | self.environment

    def manage(self, *command: str) -> None:
        """Run a command of manage.py beside the portal, as its operator does."""
        run = [sys.executable, "manage.py", *command]
        subprocess.run(run, cwd=ROOT, env=self._environment(), stdout=subprocess.DEVNULL, check=True)

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> float:
        """Send one signal to the process that was started; return the seconds until it had ended."""
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(sign)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                for pid in self.pids(""):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                raise
        return time.monotonic() - began

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def logs(self) -> str:
        return "\n".join(f"== {path.name}\n{path.read_text()[-4000:]}" for path in (self.data / "log").glob("*.log"))

    def pids(self, pattern: str) -> list[int]:
        """The processes of this portal, found by its data folder in their environment, whose command line matches."""
        mark = f"SKINSITE_DATA={self.data}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if mark in (folder / "environ").read_bytes().split(b"\0") and command and re.search(pattern, command):
                    found.append(int(folder.name))
        return found

    def web_worker(self) -> int:
        """The process that answers requests."""
        master = min(self.pids("gunicorn"))
        (worker,) = (pid for pid in self.pids("gunicorn") if pid != master)
        return worker

    def resident_mb(self, pids: Iterable[int]) -> float:
        """The sum of the processes' resident memory in MB."""
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def account(self, username: str = "researcher") -> tuple[str, str]:
        """Return (password, API token) of a demo account."""
        for line in (self.data / "demo-accounts.txt").read_text().splitlines():
            name, password, token = line.split()
            if name == username:
                return password, token
        raise KeyError(username)

    def api(self, method: str, path: str, username: str = "researcher", **options: Any) -> requests.Response:
        url = path if path.startswith("http") else f"{self.url}/api/v1{path}"
        headers = {"Authorization": f"Bearer {self.account(username)[1]}"}
        while True:
            answer = requests.request(method, url, headers=headers, timeout=60, **options)
            if answer.status_code != requests.codes.too_many_requests:
                return answer
            time.sleep(float(answer.headers["Retry-After"]))

    def models(self) -> list[dict[str, Any]]:
        return list(self.api("GET", "/models").json()["items"])

    def browser(self, username: str = "researcher") -> requests.Session:
        """Log in with the form, as a browser without JavaScript does."""
        browser = requests.Session()
        page = browser.get(f"{self.url}/accounts/login/", timeout=30)
        form = {"login": username, "password": self.account(username)[0], "csrfmiddlewaretoken": csrf_token(page.text)}
        entered = browser.post(page.url, form, timeout=30)
        assert entered.url.rstrip("/") == self.url, entered.url
        return browser

    def register(self, content: bytes, manifest: dict[str, Any], name: str = "model.safetensors") -> dict[str, Any]:
        """Register a model file as the administrator and return its record once it is decided."""
        form = {"file": (name, content)}
        answer = self.api("POST", "/models", "admin", files=form, data={"manifest": json.dumps(manifest)})
        assert answer.status_code == requests.codes.accepted, answer.text
        return self.decided(answer.json()["id"])

    def decided(self, pk: str, seconds: float = 120) -> dict[str, Any]:
        """Wait until a model is no longer being checked and return its record."""
        began = time.monotonic()
        while True:
            model = dict(self.api("GET", f"/models/{pk}", "admin").json())
            if model["state"] != "checking":
                return model
            assert time.monotonic() - began < seconds, (model, self.logs())
            time.sleep(pause(began))

    def submit(self, *pictures: bytes, models: Iterable[str] = (), **fields: str) -> dict[str, Any]:
        """Submit one case, by all models unless some are named, and return its answer."""
        chosen = list(models) or [model["id"] for model in self.models()]
        files = [("images", (f"{number}.jpg", picture)) for number, picture in enumerate(pictures)]
        answer = self.api("POST", "/cases", files=files, data={"models": chosen, **fields})
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    def settled(self, case: dict[str, Any], seconds: float = 120) -> dict[str, Any]:
        """Wait until every prediction of a case is final and return the case."""
        began = time.monotonic()
        while True:
            answer = self.api("GET", f"/cases/{case['id']}")
            assert answer.status_code == requests.codes.ok, answer.text
            case = answer.json()
            if case["state"] in FINAL:
                return case
            assert time.monotonic() - began < seconds, (case, self.logs())
            time.sleep(pause(began))
