"""What a prediction was made with, so that it can be made again."""

from typing import Any

from classifier.inference.input.clinical import Clinical
from skinsite.stored_document import Part, StoredDocument


class UsedModel(Part):
    name: str
    version: str
    sha256: str
    manifest: dict[str, Any]


class UsedImage(Part):
    sha256: str
    changes: list[str]


class Provenance(StoredDocument, extra="allow"):
    """What other versions of the portal noted besides is kept. `clinical` is None where the model does not ask."""

    model: UsedModel
    image: UsedImage
    clinical: Clinical | None
    preprocessing: int
    engine: str
    device: str
    software: dict[str, str]
    finished: str

    @classmethod
    def upgrade(cls, stored: dict[str, Any]) -> dict[str, Any]:
        """The first portals computed on the processor only, and did not say so."""
        return {"device": "cpu"} | stored
