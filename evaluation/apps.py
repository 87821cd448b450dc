"""The app of data sets, evaluations and comparisons."""

from django.apps import AppConfig


class EvaluationConfig(AppConfig):
    name = "evaluation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from classifier.services.sweeping import swept
        from evaluation.services.queueing import sweep

        swept.connect(sweep, dispatch_uid="evaluation")
