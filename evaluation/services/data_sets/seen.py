"""Has the model seen these images? By what its record declares, and never by guess."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from PIL import Image

from classifier.models import ModelRecord
from classifier.training_ids import listed_ids, missing_file
from evaluation.documents.training_overlap import TrainingOverlap
from evaluation.intake import near_duplicates
from evaluation.models import DataSet, LabelledImage, TrainingSet

HAM10000 = range(24306, 34321)
"""ISIC numbers of HAM10000, which is the training set of ISIC 2018 and a part of that of ISIC 2019."""
PUBLIC = {
    "ham10000": HAM10000,
    "isic 2018": HAM10000,
    "isic2018": HAM10000,
    "isic 2019": HAM10000,
    "isic2019": HAM10000,
}
ISIC_ID = re.compile(r"(?i)isic_(\d{7})(_downsampled)?")
UNDECLARED = "The model's record declares no training data: nobody can tell whether it has seen these images."
PARTLY = (
    "Of ISIC 2019's training set only the part that is HAM10000 is known by its ids; the other images are not checked."
)
FOUND_BY = {
    "id": "by ISIC id",
    "lesion": "by lesion id",
    "pixels": "by identical pixels",
    "likeness": "by perceptual hash, confirmed by pixel correlation",
}


@dataclass(frozen=True)
class Seen:
    """{image pk: how} of the images that were in training, with sentences about what could not be checked."""

    images: dict[int, str]
    notices: tuple[str, ...]

    @property
    def overlap(self) -> TrainingOverlap:
        counts = Counter(self.images.values())
        parts = [f"{counts[how]} {words}" for how, words in FOUND_BY.items() if counts[how]]
        how = ", ".join(parts) if parts else "compared with the declared training data; none was found"
        if UNDECLARED in self.notices:
            how = "the training data is not declared"
        return TrainingOverlap(images=len(self.images), how=how, by=counts, notices=list(self.notices))


def seen_images(model: ModelRecord, images: Sequence[LabelledImage]) -> Seen:
    """Compare with every training set that the model's record declares. The images need their hashes and lesions."""
    declared = (model.manifest or {}).get("training_data") or []
    listed = list(model.training_sets.select_related("data_set"))
    if not declared and not listed:
        return Seen({}, (UNDECLARED,))
    found: dict[int, str] = {}
    names_with_list = {entry.name.lower() for entry in listed}
    for entry in listed:
        found |= {pk: how for pk, how in _of_list(entry, images).items() if pk not in found}
    notices: list[str] = []
    for told in declared:
        if str(told.get("name", "")).strip().lower() not in names_with_list:
            found |= _of_declared(told, images, notices)
    return Seen(_with_siblings(found, images), tuple(notices))


def keep_lists(*, record: ModelRecord, lists: Mapping[str, Sequence[str]], **_signal: Any) -> None:
    """Keep what a manifest listed when its model became ready."""
    TrainingSet.objects.bulk_create(
        TrainingSet(model=record, name=name[:200], identifiers="\n".join(ids)) for name, ids in lists.items()
    )


def _of_declared(told: Mapping[str, Any], images: Iterable[LabelledImage], notices: list[str]) -> dict[int, str]:
    """Compare with an entry of the manifest: the ids that it lists, or those of the public set that it names."""
    ids, file, name = listed_ids(told), missing_file(told), str(told.get("name", "")).strip()
    if ids is not None:
        return _of_ids({text.lower() for text in ids}, images)
    numbers = next((span for public, span in PUBLIC.items() if public in name.lower()), None)
    if numbers is None:
        why = f"the list “{file}” did not come with the manifest" if file else "no list of ids is known here"
        notices.append(f"Of {name or 'a declared training set'} {why}: it is not checked.")
        return {}
    if file:
        notices.append(f"The list “{file}” did not come with the manifest: all of {name} counts as seen.")
    if "2019" in name:
        notices.append(PARTLY)
    return {image.pk: "id" for image in images if _number(image.name) in numbers}


def _of_list(entry: TrainingSet, images: Iterable[LabelledImage]) -> dict[int, str]:
    found = _of_ids(entry.ids, images)
    if entry.data_set is not None:
        found |= _alike([image for image in images if image.pk not in found], entry.data_set)
    return found


def _of_ids(ids: Set[str], images: Iterable[LabelledImage]) -> dict[int, str]:
    """Compare with ids of images or lesions and with hashes of pixels, in small letters."""
    found = {image.pk: "lesion" for image in images if image.lesion and image.lesion.lower() in ids}
    found |= {image.pk: "id" for image in images if image.name.lower() in ids}
    return found | {image.pk: "pixels" for image in images if image.sha256 in ids}


def _alike(images: Sequence[LabelledImage], training: DataSet) -> dict[int, str]:
    """Compare pictures with those of a data set of this portal."""
    trained = list(training.images.only("sha256", "perceptual", "lesion", "thumbnail", "data_set"))
    pixels = {image.sha256 for image in trained}
    lesions = {image.lesion for image in trained if image.lesion}
    found = {image.pk: "lesion" for image in images if image.lesion in lesions}
    found |= {image.pk: "pixels" for image in images if image.sha256 in pixels}
    rest = [image for image in images if image.pk not in found]
    pairs = near_duplicates.near_pairs([image.perceptual for image in rest], [image.perceptual for image in trained])
    for i, j in pairs:
        if (
            rest[i].pk not in found
            and near_duplicates.correlation(small(rest[i]), small(trained[j])) >= near_duplicates.SAME
        ):
            found[rest[i].pk] = "likeness"
    return found


def _with_siblings(found: dict[int, str], images: Iterable[LabelledImage]) -> dict[int, str]:
    """A picture whose lesion was seen in another picture is seen, too."""
    chosen = [image for image in images if image.lesion]
    lesions = {image.lesion for image in chosen if image.pk in found}
    return {image.pk: "lesion" for image in chosen if image.lesion in lesions} | found


def _number(name: str) -> int | None:
    match = ISIC_ID.fullmatch(name)
    return int(match[1]) if match else None


def small(image: LabelledImage) -> Image.Image:
    """Return the picture in grey and in the size in which pictures are correlated."""
    with image.thumbnail.open("rb") as file, Image.open(file) as picture:
        return picture.convert("L").resize((near_duplicates.SIDE, near_duplicates.SIDE), Image.Resampling.LANCZOS)
