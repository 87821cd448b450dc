"""The shapes of map checks, as OpenAPI describes them."""

from ninja import Schema
from pydantic import Field

from evaluation.api.schemas import Failure, JobState


class NewMapCheck(Schema):
    model: str
    dataset: str
    seed: int | None = Field(None, ge=0, le=10**6, description="draws the pictures; the same seed gives the same check")


class Interval(Schema):
    """With its 95 % interval by lesion bootstrap; null where undefined, and the note says why."""

    value: float | None
    low: float | None
    high: float | None
    note: str = ""


class Better(Schema):
    """Whether the whole interval of map − baseline lies on the better side of 0."""

    gaussian: bool
    random: bool


class Against(Schema):
    """A figure of the map, of a centre Gaussian of equal spread and of the shuffled map, and the paired differences."""

    map: Interval
    gaussian: Interval
    random: Interval
    minus_gaussian: Interval
    minus_random: Interval
    better: Better


class Inside(Schema):
    images: int
    lesions: int
    left_out: int = Field(description="masks above 90 % of the picture, or of which the map covers nothing")
    area: Interval = Field(description="the mask's share of what the map covers of the picture")
    share: dict[str, Interval] = Field(description="of the heat inside, of map, gaussian and random")
    ratio: Against = Field(description="share ÷ area; 1 is chance")
    pointing: Against


class Changes(Schema):
    images: int
    lesions: int
    constant: int
    deletion: Against = Field(description="less is better")
    insertion: Against
    road: Against
    stability: Interval | None = Field(description="mean Spearman with the maps of changed pictures, turned back")
    stability_by_change: dict[str, Interval]


class RandomisedShare(Schema):
    share: float = Field(description="of the layers, from the logits down")
    likeness: Interval = Field(description="mean |Spearman| with the map of the network as it is")
    maps: int
    constant: int = Field(description="maps that are constant, which are left out of the mean")
    not_finite: int = Field(0, description="maps that hold what is no number, left out as well")
    images: int | None = Field(None, description="with a map that is compared")
    seeds: int | None = Field(None, description="with a map that is compared")


class Randomised(Schema):
    images: int
    lesions: int
    seeds: int
    shares: list[RandomisedShare]
    passes: bool | None = Field(
        description="the upper bound with all layers randomised is below 0.3; null where fewer than 50 images or 5 "
        "seeds have a map that can be compared"
    )
    other_pictures: Interval = Field(description="mean |Spearman| of the maps of different images, for comparison")


class MapResult(Schema):
    """Of signed Grad-CAM of the predicted class."""

    method: str
    layer: str
    images: int
    lesions: int
    constant: int = Field(description="maps whose numbers are all the same")
    not_finite: int = Field(0, description="maps that hold what is no number")
    with_masks: int = Field(description="images of the data set that have a mask")
    masks_used: int | None = Field(None, description="images of the check whose mask can be used")
    inside: Inside | None = Field(description="null with fewer than 50 masks that can be used")
    changes: Changes | None = Field(description="null at admission, and where no map can be used")
    randomised: Randomised
    sentences: list[str]


class MapCheck(Schema):
    """How far a model's heat maps can be trusted, measured on the images of a data set."""

    id: str
    state: JobState
    model: str
    dataset: str | None = Field(description="null for the check at admission, on drawn pictures")
    seed: int
    done: int
    total: int
    busy_seconds: float
    result: MapResult | None = Field(description="null until done")
    page: str
    error: Failure | None
