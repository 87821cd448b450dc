"""An invitation on its way through sign-up: from the link into the session, from the session to the new person."""

from typing import Any

from django.http import HttpRequest

from skinsite.accounts.models import Invitation

SESSION_KEY = "invitation"


def remember(request: HttpRequest, secret: str) -> bool:
    """Keep an open invitation in the session until sign-up; False if the link is used, expired or unknown."""
    if Invitation.objects.with_secret(secret) is None:
        return False
    request.session[SESSION_KEY] = secret
    return True


def invitation_of(request: HttpRequest) -> Invitation | None:
    """Return the open invitation that this session came with."""
    secret = request.session.get(SESSION_KEY)
    return Invitation.objects.with_secret(secret) if secret else None


def redeem(request: HttpRequest, invitation: Invitation, *, person: Any) -> bool:
    """Spend the invitation on a new person; False if another sign-up was quicker."""
    request.session.pop(SESSION_KEY, None)
    return bool(Invitation.objects.open().filter(pk=invitation.pk).update(used_by=person))
