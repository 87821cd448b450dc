"""API tokens of all people: who has one, when it was used, and a way to revoke it. Secrets are nowhere."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from skinsite.accounts.models import ApiToken


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):
    list_display = ("name", "owner", "created", "expires", "last_used", "revoked")
    list_filter = ("revoked",)
    list_select_related = ("owner",)
    search_fields = ("name", "owner__username")
    actions = ("revoke",)
    fields = ("name", "owner", "created", "expires", "last_used", "revoked")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        """People make their own: nobody else may see the secret."""
        return False

    @admin.action(description="Revoke")
    def revoke(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        changed = tokens.filter(revoked__isnull=True).update(revoked=timezone.now())
        self.message_user(request, f"{changed} tokens revoked.")
