"""The app of data sets, evaluations and comparisons."""

from django.apps import AppConfig


class EvaluationConfig(AppConfig):
    name = "evaluation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from classifier import slots
        from classifier.services.admissions import trained_on
        from classifier.services.sweeping import swept
        from evaluation import fillings
        from evaluation.services.admission_checks import queue_admission_check
        from evaluation.services.map_facts import facts_of_maps
        from evaluation.services.map_page import card_section, checks_of_maps
        from evaluation.services.queueing import sweep
        from evaluation.services.seen import keep_lists
        from evaluation.services.setting_checks import checks_of_model

        swept.connect(sweep, dispatch_uid="evaluation")
        swept.connect(queue_admission_check, dispatch_uid="check at admission")
        trained_on.connect(keep_lists, dispatch_uid="evaluation")
        slots.fill("passport", "evaluation/_on_a_passport.html", fillings.evaluations_of_model)
        slots.fill("passport", "evaluation/_training_of_model.html", fillings.training_of_model)
        slots.fill("passport", "evaluation/_maps_of_model.html", checks_of_maps)
        slots.fill("card-results", "", fillings.results_for_card)
        slots.fill("card-sections", "", card_section)
        slots.fill("map-facts", "", facts_of_maps)
        slots.fill("start", "evaluation/_on_the_start.html", fillings.last_evaluations)
        slots.fill("passport", "evaluation/_setting_checks_of_model.html", checks_of_model)
