"""Whom an administrator invites."""

from django import forms

from skinsite.accounts.models import Invitation


class InvitationForm(forms.ModelForm):
    class Meta:
        model = Invitation
        fields = ("email",)
