"""Prepare everything and become the supervisor of the portal's processes."""

import hashlib
import logging
import os
import shutil
import stat
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from classifier.inference import devices
from classifier.inference.engines import EngineError
from classifier.services.predictions.warm_up import clear_ready_marks

STAMP = "collected"
OTHER_ACCOUNTS = stat.S_IRWXG | stat.S_IRWXO


class Command(BaseCommand):
    help = "Run the portal: database, demo content, web, workers, broker and sweeper, in the foreground."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            devices.use(settings.SKINSITE_DEVICE)
        except EngineError as error:
            raise CommandError(f"{error}. {error.hint}") from error
        self._close(settings.SKINSITE_DATA)
        self._say("Preparing the database and the static files")
        call_command("migrate", verbosity=0, interactive=False)
        _collect_static_files()
        logging.getLogger("skinsite.jobs.send").setLevel(logging.ERROR)  # there is no broker yet
        if settings.SKINSITE_DEMO:
            call_command("demo_accounts")
            call_command("demo")
        clear_ready_marks()
        self._say("Starting web, workers, broker and sweeper")
        self._become_supervisor()

    def _close(self, folder: Path) -> None:
        """Take from other accounts what they may do with the folder; files of earlier versions may be open to them."""
        status = folder.stat()
        if not status.st_mode & OTHER_ACCOUNTS:
            return
        if status.st_mode & stat.S_ISVTX or status.st_uid != os.geteuid():
            self.stderr.write(
                f"Other accounts may enter {folder}, which is not this one's: set SKINSITE_DATA to a folder of its own."
            )
            return
        folder.chmod(stat.S_IMODE(status.st_mode) & ~OTHER_ACCOUNTS)
        self.stdout.write(f"Closed {folder} to other accounts (its mode was {stat.S_IMODE(status.st_mode):o}).")

    def _become_supervisor(self) -> None:
        for folder in ("log", "run"):
            (settings.SKINSITE_DATA / folder).mkdir(exist_ok=True, mode=0o700)
        supervisord = Path(sys.executable).with_name("supervisord")
        program = str(supervisord) if supervisord.exists() else shutil.which("supervisord")
        if program is None:
            raise CommandError("supervisord is missing: install requirements.txt.")
        os.chdir(settings.BASE_DIR)
        os.environ.update(
            SKINSITE_DATA=str(settings.SKINSITE_DATA),
            SKINSITE_PYTHON=sys.executable,
            SKINSITE_BIND=settings.SKINSITE_BIND,
            SKINSITE_BROKER_SOCKET=str(settings.BROKER_SOCKET),
            SKINSITE_OWN_BROKER="false" if os.environ.get("REDIS_URL") else "true",
            PORT=str(settings.PORT),
            PYTHONUNBUFFERED="1",
            CELERY_SKIP_CHECKS="1",  # this command has made them, and each worker would import all pages for them
        )
        self.stdout.flush()
        os.execv(program, [program, "--configuration", str(settings.BASE_DIR / "supervisord.conf")])  # noqa: S606

    def _say(self, what: str) -> None:
        self.stdout.write(f"{what} …")
        self.stdout.flush()


def _collect_static_files() -> None:
    """Collect them unless those of the last start are the same."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list(None):
            status = Path(storage.path(path)).stat()
            digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    stamp = Path(settings.STATIC_ROOT, STAMP)
    if not stamp.exists() or stamp.read_text() != digest.hexdigest():
        call_command("collectstatic", verbosity=0, interactive=False)
        stamp.write_text(digest.hexdigest())
