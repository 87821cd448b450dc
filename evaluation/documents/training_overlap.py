"""How many images a model has seen in its training, as far as its record declares."""

from pydantic import Field

from skinsite.stored_document import StoredDocument


class TrainingOverlap(StoredDocument):
    images: int = Field(description="that were in the model's training")
    how: str = Field(description="in words")
    by: dict[str, int] = Field(description="images by what gave them away: id, lesion, pixels or likeness")
    notices: list[str] = Field(description="what could not be checked")
