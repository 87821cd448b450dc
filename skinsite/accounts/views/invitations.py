"""Invitations: administrators give them, a link takes one to the sign-up."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from skinsite.accounts.administrators import require_administrator
from skinsite.accounts.forms.invitation import InvitationForm
from skinsite.accounts.invitations import remember
from skinsite.accounts.models import Invitation


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitations(request: HttpRequest) -> HttpResponse:
    """The list, and the form of a new one; the answer to a new one shows its link."""
    administrator = require_administrator(request)
    form = InvitationForm(request.POST or None)
    link = ""
    if request.method == "POST" and form.is_valid():
        _, secret = Invitation.objects.issue(invited_by=administrator, email=form.cleaned_data["email"])
        link = request.build_absolute_uri(reverse("accounts:invitation", args=[secret]))
        form = InvitationForm()
    context = {
        "form": form,
        "link": link,
        "invitations": Invitation.objects.select_related("invited_by", "used_by"),
        "now": timezone.now(),
        "signup": settings.SKINSITE_SIGNUP,
    }
    return render(request, "accounts/invitations.html", context)


@require_POST
def withdraw_invitation(request: HttpRequest, pk: int) -> HttpResponse:
    require_administrator(request)
    invitation = get_object_or_404(Invitation, pk=pk, used_by__isnull=True)
    invitation.delete()
    messages.success(request, "The invitation is withdrawn; its link opens nothing any more.")
    return redirect("accounts:invitations")


@login_not_required
@never_cache
@require_safe
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Keep the invitation for the sign-up. Opening the link does not spend it: mail programs open links too."""
    if request.user.is_authenticated:
        messages.info(request, "You are logged in already: an invitation is for somebody without an account.")
        return redirect("/")
    if not remember(request, secret):
        return render(request, "accounts/invitation_spent.html", status=404)
    return redirect("account_signup")
