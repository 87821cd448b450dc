"""Documents that rows keep as JSON: one class writes and reads them, pages show it, the API answers with it."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Part(BaseModel):
    """A part of a stored document. What is no finite number is refused: JSON has no word for it."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, from_attributes=True)


class StoredDocument(Part):
    """`version` counts the shapes of its kind. Whoever changes a shape raises it and lets `upgrade` read the older."""

    version: int = 1

    @classmethod
    def upgrade(cls, stored: dict[str, Any]) -> dict[str, Any]:
        """Return what an older portal stored, in today's shape."""
        return stored

    @model_validator(mode="before")
    @classmethod
    def _of_today(cls, stored: Any) -> Any:
        return cls.upgrade(stored) if isinstance(stored, dict) else stored

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")
