"""An invitation: a link that lets one person sign up where sign-up is by invitation."""

import hashlib
import secrets
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

LIFETIME = timedelta(days=14)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> Self:
        return self.filter(used_by__isnull=True, expires__gt=timezone.now())

    def with_secret(self, secret: str) -> "Invitation | None":
        return self.open().filter(digest=_digest(secret)).first()

    def issue(self, *, invited_by: Any, email: str = "") -> tuple["Invitation", str]:
        """Make an invitation; return the row and the secret of its link."""
        secret = secrets.token_urlsafe(32)
        expires = timezone.now() + LIFETIME
        return self.create(invited_by=invited_by, email=email, digest=_digest(secret), expires=expires), secret


class Invitation(models.Model):
    email = models.EmailField(blank=True, help_text="If given, only this address can use it.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField()
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="invitations_given", editable=False
    )
    used_by = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="invitation", editable=False
    )

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return self.email or f"Invitation {self.pk}"
