"""Who may call: people with a token, administrators with a token, and for pictures also a session."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from ninja.security import HttpBearer
from ninja.security.base import AuthBase

from skinsite.accounts.models import ApiToken, User
from skinsite.api.problems import TooLarge

MIB = 1024**2


class Bearer(HttpBearer):
    """A person's API token. The length of the body is looked at here, before anything reads it."""

    def __init__(self, *, largest_body: int | None = None) -> None:
        super().__init__()
        self.largest_body = largest_body

    def authenticate(self, request: HttpRequest, token: str) -> Any | None:
        owner = ApiToken.objects.owner_of(token)
        if owner is not None:
            self._check_length(request)
        return owner

    def _check_length(self, request: HttpRequest) -> None:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if self.largest_body is not None and length.isdigit() and int(length) > self.largest_body:
            raise TooLarge(f"The request is above the limit of {self.largest_body // MIB:,} MB.")


def person_of(request: HttpRequest) -> User:
    """Whose token or session came with the request: ninja keeps there what one of these classes found."""
    found: User = vars(request)["auth"]
    return found


class AdministratorBearer(Bearer):
    """The token of an administrator; an ordinary person's is answered with 403."""

    def authenticate(self, request: HttpRequest, token: str) -> Any | None:
        owner = super().authenticate(request, token)
        if owner is not None and not owner.is_administrator:
            raise PermissionDenied("Only an administrator may do this.")
        return owner


class Session(AuthBase):
    """A browser that is logged in; for calls that only read, since no CSRF token is asked for."""

    openapi_type = "apiKey"
    openapi_in = "cookie"
    openapi_name = "sessionid"

    def __call__(self, request: HttpRequest) -> Any | None:
        return request.user if request.user.is_authenticated else None
