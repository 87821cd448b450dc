"""An API token: shown once, stored as a hash, valid under /api/v1 and nowhere else."""

import hashlib
import secrets
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

PREFIX = "skinsite_"
LIFETIME = timedelta(days=365)
LAST_USE_EVERY = timedelta(minutes=1)


def _digest(secret: str) -> str:
    """SHA-256 is enough: the secret has 256 random bits, so there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(owner=user)

    def valid(self) -> Self:
        return self.filter(Q(expires__gt=timezone.now()), revoked__isnull=True, owner__is_active=True)

    def issue(self, *, owner: Any, name: str, lifetime: timedelta = LIFETIME) -> tuple["ApiToken", str]:
        """Make a token; return the row and the secret, which nobody can read again."""
        secret = PREFIX + secrets.token_urlsafe(32)
        token = self.create(owner=owner, name=name, digest=_digest(secret), expires=timezone.now() + lifetime)
        return token, secret

    def owner_of(self, secret: str) -> Any | None:
        """Return the person whose valid token this is, and note the use (at most once a minute)."""
        token = self.valid().select_related("owner").filter(digest=_digest(secret)).first()
        if token is None:
            return None
        now = timezone.now()
        if token.last_used is None or now - token.last_used > LAST_USE_EVERY:
            self.filter(pk=token.pk).update(last_used=now)
        return token.owner


class ApiToken(models.Model):
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField()
    last_used = models.DateTimeField(null=True, editable=False)
    revoked = models.DateTimeField(null=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return self.name
