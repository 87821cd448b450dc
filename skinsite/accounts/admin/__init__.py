from skinsite.accounts.admin.api_token import ApiTokenAdmin
from skinsite.accounts.admin.invitation import InvitationAdmin
from skinsite.accounts.admin.site import limit_log_in
from skinsite.accounts.admin.user import UserAdmin

__all__ = ["ApiTokenAdmin", "InvitationAdmin", "UserAdmin"]

limit_log_in()
