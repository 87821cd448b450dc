"""How far a model's heat maps can be trusted: what a map check found."""

from typing import Any

from pydantic import Field

from evaluation.documents.training_overlap import TrainingOverlap
from evaluation.metrics.maps.rules import Against
from evaluation.metrics.number import Number
from skinsite.stored_document import Part, StoredDocument


class Inside(Part):
    images: int
    lesions: int
    left_out: int = Field(description="masks above 90 % of the picture, or of which the map covers nothing")
    area: Number = Field(description="the mask's share of what the map covers of the picture")
    share: dict[str, Number] = Field(description="of the heat inside, of map, gaussian and random")
    ratio: Against = Field(description="share ÷ area; 1 is chance")
    pointing: Against


class Changes(Part):
    images: int
    lesions: int
    constant: int
    deletion: Against = Field(description="less is better")
    insertion: Against
    road: Against
    stability: Number | None = Field(description="mean Spearman with the maps of changed pictures, turned back")
    stability_by_change: dict[str, Number]


class RandomisedShare(Part):
    share: float = Field(description="of the layers, from the logits down")
    likeness: Number = Field(description="mean |Spearman| with the map of the network as it is")
    maps: int
    constant: int = Field(description="maps that are constant, which are left out of the mean")
    not_finite: int = Field(0, description="maps that hold what is no number, left out as well")
    images: int | None = Field(None, description="with a map that is compared")
    seeds: int | None = Field(None, description="with a map that is compared")


class Randomised(Part):
    images: int
    lesions: int
    seeds: int
    shares: list[RandomisedShare]
    passes: bool | None = Field(
        description="the upper bound with all layers randomised is below 0.3; null where fewer than 50 images or 5 "
        "seeds have a map that can be compared"
    )
    other_pictures: Number = Field(description="mean |Spearman| of the maps of different images, for comparison")


class MapResult(StoredDocument):
    """Of signed Grad-CAM of the predicted class."""

    method: str
    layer: str
    seed: int
    images: int
    lesions: int
    constant: int = Field(description="maps whose numbers are all the same")
    not_finite: int = Field(description="maps that hold what is no number")
    with_masks: int = Field(description="images of the data set that have a mask")
    masks_used: int | None = Field(description="images of the check whose mask can be used")
    at_admission: bool
    seen: TrainingOverlap
    inside: Inside | None = Field(description="null with fewer than 50 masks that can be used")
    changes: Changes | None = Field(description="null at admission, and where no map can be used")
    randomised: Randomised
    sentences: list[str]

    @classmethod
    def upgrade(cls, stored: dict[str, Any]) -> dict[str, Any]:
        """Before there were checks at admission, nobody counted maps of no numbers and masks that can be used."""
        return {"at_admission": False, "not_finite": 0, "masks_used": None} | stored
