"""The one rule for administrators, asked of a request."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from skinsite.accounts.models import User


def by_administrator(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_administrator


def require_administrator(request: HttpRequest) -> User:
    """Return who asks. Raises PermissionDenied for everybody else."""
    if isinstance(request.user, User) and request.user.is_administrator:
        return request.user
    raise PermissionDenied("Only an administrator may do this.")
