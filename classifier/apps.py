"""The app of models, cases and predictions."""

from django.apps import AppConfig


class ClassifierConfig(AppConfig):
    name = "classifier"
    verbose_name = "Models and cases"

    def ready(self) -> None:
        from classifier.services.cases import create  # noqa: F401  (whoever deletes an image deletes its files)
