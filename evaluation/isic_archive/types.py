"""How a fetch fails."""


class ArchiveError(Exception):
    """What happened, to what, and what to do, in one text for people; `code` is stable and kebab-case."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
