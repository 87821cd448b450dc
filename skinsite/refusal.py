"""What a service answers to input that it understands and cannot accept."""

from dataclasses import dataclass


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
