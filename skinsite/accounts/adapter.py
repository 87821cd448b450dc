"""Who may sign up: everybody, people with an invitation, or nobody."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import redirect

from skinsite.accounts.invitations import invitation_of, redeem


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        if settings.SKINSITE_SIGNUP == "invite":
            return invitation_of(request) is not None
        return bool(settings.SKINSITE_SIGNUP == "open")

    def clean_email(self, email: str) -> str:
        """An invitation that names an address is for that address only."""
        invitation = None if self.request.user.is_authenticated else invitation_of(self.request)
        if invitation and invitation.email and invitation.email.lower() != email.lower():
            raise ValidationError("Your invitation is for another address: %(email)s.", params=vars(invitation))
        return str(super().clean_email(email))

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        """Write the person and spend the invitation together; an invitation that is gone by now sends back."""
        invitation = invitation_of(request)
        if invitation is None:
            return super().save_user(request, user, form, commit)
        with transaction.atomic():
            saved = super().save_user(request, user, form, commit)
            if not redeem(request, invitation, person=saved):
                raise ImmediateHttpResponse(redirect("account_signup"))
        return saved
