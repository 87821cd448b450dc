"""Work that waits in a queue: its states, its messages, its turns, and what people may do with it."""

from skinsite.jobs.state import (
    FINAL,
    LEASE,
    MAX_ATTEMPTS,
    OPEN,
    UNEXPECTED,
    WORKER_DIED,
    Failure,
    Job,
    JobQuerySet,
    State,
)

__all__ = [
    "FINAL",
    "LEASE",
    "MAX_ATTEMPTS",
    "OPEN",
    "UNEXPECTED",
    "WORKER_DIED",
    "Failure",
    "Job",
    "JobQuerySet",
    "State",
]
