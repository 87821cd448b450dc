"""Invitations: issue one, and see its link once."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from skinsite.accounts.models import Invitation


@admin.register(Invitation)
class InvitationAdmin(admin.ModelAdmin):
    list_display = ("__str__", "invited_by", "created", "expires", "used_by")
    list_select_related = ("invited_by", "used_by")
    search_fields = ("email", "used_by__username")
    fields = ("email",)

    def has_change_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        """An invitation is given or withdrawn, never rewritten."""
        return False

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        issued, secret = Invitation.objects.issue(invited_by=request.user, email=obj.email)
        obj.pk = issued.pk
        obj.refresh_from_db()
        link = request.build_absolute_uri(reverse("accounts:invitation", args=[secret]))
        text = format_html("Give this link to the person; it is shown only now: <code>{}</code>", link)
        self.message_user(request, text, messages.WARNING)
