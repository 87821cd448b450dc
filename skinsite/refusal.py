"""What a service answers to input that it understands and cannot accept."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.forms import BaseForm

Made = TypeVar("Made")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong; `field` is the name of the form's or the request's field, or empty."""

    field: str
    message: str


class Refusal(Exception):
    """Nothing was written. A page shows the problems beside their fields, the API answers 422."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


class Conflict(Exception):
    """The thing is in a state that does not allow this; the API answers 409."""


def submitted(form: BaseForm, make: Callable[[dict[str, Any]], Made]) -> Made | None:
    """Return what `make` makes of a form's fields; None, with the reasons in the form, where it is not accepted."""
    if form.is_valid():
        try:
            return make(form.cleaned_data)
        except Refusal as refusal:
            for problem in refusal.problems:
                form.add_error(problem.field if problem.field in form.fields else None, problem.message)
        except Conflict as conflict:
            form.add_error(None, str(conflict))
    return None
