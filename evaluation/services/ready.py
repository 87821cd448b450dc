"""What every kind of work on a model and a data set asks of both."""

from classifier.models import ModelRecord
from classifier.models.model_record import ModelState
from evaluation.models import DataSet
from skinsite.jobs import State
from skinsite.refusal import Problem


def not_ready(data_set: DataSet, model: ModelRecord) -> list[Problem]:
    """Return what has to be waited for, or chosen anew."""
    problems = []
    if data_set.state != State.DONE:
        problems.append(Problem("dataset", f"{data_set} is {data_set.state}: choose a data set whose import is done."))
    if model.state != ModelState.READY:
        problems.append(Problem("model", f"{model} is {model.state}: choose a model that is ready."))
    return problems
