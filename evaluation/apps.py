"""The app of data sets, evaluations and comparisons."""

from django.apps import AppConfig


class EvaluationConfig(AppConfig):
    name = "evaluation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from classifier import slots
        from classifier.services.sweeping import swept
        from evaluation.services import passport
        from evaluation.services.queueing import sweep

        swept.connect(sweep, dispatch_uid="evaluation")
        slots.fill("passport", "evaluation/_figures_of_model.html", passport.figures_of_model)
        slots.fill("passport", "evaluation/_training_of_model.html", passport.training_of_model)
        slots.fill("card-results", "", passport.results_for_card)
