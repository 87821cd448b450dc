"""The admin has no log-in of its own: allauth's counts the attempts."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.contrib.auth.models import Group


def limit_log_in() -> None:
    """Send the admin's log-in to the portal's; and hide groups, since there are two roles and nothing between."""
    admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
    if admin.site.is_registered(Group):
        admin.site.unregister(Group)
