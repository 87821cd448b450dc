"""The pages about people that allauth does not have. Mounted at /accounts/, before allauth's own."""

from django.urls import path

from skinsite.accounts.views import api_tokens, invitations

app_name = "accounts"
urlpatterns = [
    path("tokens/", api_tokens.api_tokens, name="tokens"),
    path("tokens/<int:pk>/revoke/", api_tokens.revoke_api_token, name="revoke_token"),
    path("invitations/", invitations.invitations, name="invitations"),
    path("invitations/<int:pk>/withdraw/", invitations.withdraw_invitation, name="withdraw_invitation"),
    path("invitation/<str:secret>/", invitations.invitation, name="invitation"),
]
