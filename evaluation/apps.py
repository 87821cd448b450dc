"""The app of data sets, evaluations and comparisons."""

from django.apps import AppConfig


class EvaluationConfig(AppConfig):
    name = "evaluation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from classifier import slots
        from classifier.services.sweeping import swept
        from evaluation.services.queueing import sweep
        from evaluation.services.setting_checks import checks_of_model

        swept.connect(sweep, dispatch_uid="evaluation")
        slots.fill("passport", "evaluation/_setting_checks_of_model.html", checks_of_model)
