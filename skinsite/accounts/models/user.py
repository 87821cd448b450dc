"""A person. Administrators are Django's superusers: there are two roles, and no permissions in between."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    @property
    def is_administrator(self) -> bool:
        return self.is_active and self.is_staff
