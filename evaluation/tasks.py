"""Thin tasks: load a row by its id, call a service. They run in worker processes only.

What stands on scipy and scikit-learn is imported by the task that needs it: six processes start without them, each
smaller by 80 to 100 MB and sooner by a second or two.
"""

from celery import shared_task

from evaluation.models import Comparison, DataSet, Evaluation, MapCheck, SettingCheck
from evaluation.models.evaluation import Stage
from evaluation.services.data_sets.importing import run_import
from evaluation.services.evaluations.run import run_evaluation


@shared_task(name=DataSet.task, time_limit=24 * 3600)
def import_data_set(data_set_id: int) -> None:
    """Needs a queued data set; leaves it done, failed, or queued again."""
    run_import(data_set_id=data_set_id)


@shared_task(name=Evaluation.task, time_limit=3600)
def evaluate(evaluation_id: int) -> None:
    """Needs a queued evaluation; takes one time slice, or computes the scores where all answers are there."""
    if Evaluation.objects.filter(pk=evaluation_id, stage=Stage.SCORING).exists():
        from evaluation.services.evaluations.score import run_scoring

        run_scoring(evaluation_id=evaluation_id)
    else:
        run_evaluation(evaluation_id=evaluation_id)


@shared_task(name=Comparison.task, time_limit=3600)
def compare(comparison_id: int) -> None:
    """Needs a queued comparison; leaves it done or failed."""
    from evaluation.services.comparisons.compare import run_comparison

    run_comparison(comparison_id=comparison_id)


@shared_task(name=SettingCheck.task, time_limit=3600)
def check_setting(check_id: int) -> None:
    """Needs a queued setting check; takes one time slice, and leaves it queued again, done or failed."""
    from evaluation.services.setting_checks.run import run_setting_check

    run_setting_check(check_id=check_id)


@shared_task(name=MapCheck.task, time_limit=3600)
def check_maps(check_id: int) -> None:
    """Needs a queued map check; takes one time slice, and leaves it queued again, done or failed."""
    from evaluation.services.map_checks.measure import run_map_check

    run_map_check(check_id=check_id)
