"""The demo accounts: one researcher and one administrator, with random passwords."""

import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction

from skinsite.accounts.models import ApiToken, User

ACCOUNTS = {"researcher": False, "admin": True}
FILE_NAME = "demo-accounts.txt"


class Command(BaseCommand):
    help = "Make the accounts researcher and admin at the first start; print them once and keep them in a private file."

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(settings.SKINSITE_DATA, FILE_NAME)
        if User.objects.filter(username__in=ACCOUNTS).exists() or (path.exists() and User.objects.exists()):
            return
        with transaction.atomic():
            lines = [_account(username, administrator=role) for username, role in ACCOUNTS.items()]
            _write_private(path, "".join(f"{line}\n" for line in lines))
        self.stdout.write(f"Demo accounts (username, password, API token), kept in {path}:")
        for line in lines:
            self.stdout.write(f"  {line}")
        self.stdout.flush()


def _account(username: str, *, administrator: bool) -> str:
    """Write one person with a token; return the line `username password api-token`."""
    password = secrets.token_urlsafe(12)
    make = User.objects.create_superuser if administrator else User.objects.create_user
    owner = make(username, password=password)
    _, token = ApiToken.objects.issue(owner=owner, name="Demo")
    return f"{username} {password} {token}"


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
