from skinsite.accounts.models.api_token import ApiToken
from skinsite.accounts.models.invitation import Invitation
from skinsite.accounts.models.user import User

__all__ = ["ApiToken", "Invitation", "User"]
