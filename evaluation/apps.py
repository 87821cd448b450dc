"""The app of data sets, evaluations and comparisons."""

from django.apps import AppConfig


class EvaluationConfig(AppConfig):
    name = "evaluation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from classifier import extension_points
        from classifier.services.models.register import trained_on
        from evaluation import extensions
        from evaluation.services import files  # noqa: F401  (its receivers)
        from evaluation.services.data_sets.seen import keep_lists
        from evaluation.services.map_checks.at_admission import queue_admission_check
        from evaluation.services.map_checks.facts import facts_of_maps
        from evaluation.services.map_checks.page import card_section, checks_of_maps
        from evaluation.services.setting_checks.start import checks_of_model
        from skinsite.jobs.sweep import swept

        swept.connect(queue_admission_check, dispatch_uid="check at admission")
        trained_on.connect(keep_lists, dispatch_uid="evaluation")
        extension_points.extend("model-page", "evaluation/_evaluations_of_model.html", extensions.evaluations_of_model)
        extension_points.extend("model-page", "evaluation/_training_of_model.html", extensions.training_of_model)
        extension_points.extend("model-page", "evaluation/_maps_of_model.html", checks_of_maps)
        extension_points.extend("card-results", "", extensions.results_for_card)
        extension_points.extend("card-sections", "", card_section)
        extension_points.extend("map-facts", "", facts_of_maps)
        extension_points.extend("start", "evaluation/_on_the_start.html", extensions.last_evaluations)
        extension_points.extend("model-page", "evaluation/_setting_checks_of_model.html", checks_of_model)
