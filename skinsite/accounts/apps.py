from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "skinsite.accounts"
    verbose_name = "People"
