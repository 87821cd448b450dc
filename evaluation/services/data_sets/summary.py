"""What the page of a data set says: counts, subgroups, duplicates, and what may be concluded."""

from collections import Counter
from itertools import islice

from django.db.models import Count, Q
from PIL import Image

from evaluation.documents.data_set import ClassCount, Duplicates, ImportResult
from evaluation.intake import near_duplicates
from evaluation.models import DataSet, LabelledImage
from evaluation.services.data_sets.seen import small

MOST_CHECKED = 4000
SHOWN = 50
ATTRIBUTES = ("sex", "site", "dx_type", "skin_type")


def summary(data_set: DataSet) -> tuple[ImportResult, list[str]]:
    """Return counts by class, subgroups and duplicates, and warnings."""
    images = data_set.images.all()
    by_label = images.values("label").annotate(
        images=Count("pk"), lesions=Count("lesion", distinct=True, filter=~Q(lesion=""))
    )
    nameless = Counter(images.filter(lesion="").values_list("label", flat=True))
    classes = {
        row["label"]: ClassCount(images=row["images"], lesions=row["lesions"] + nameless[row["label"]])
        for row in by_label.order_by("label")
    }
    duplicates, warnings = _duplicates(data_set)
    found = ImportResult(
        images=sum(entry.images for entry in classes.values()),
        lesions=images.exclude(lesion="").order_by().values("lesion").distinct().count() + nameless.total(),
        classes=classes,
        missing={name: images.filter(**{name: ""}).count() for name in ("sex", "site", "lesion")}
        | {"age": images.filter(age__isnull=True).count()},
        subgroups={
            name: dict(images.values_list(name).annotate(total=Count("pk")).order_by("-total")) for name in ATTRIBUTES
        },
        masks=images.exclude(mask="").count(),
        duplicates=duplicates,
        attributions=sorted(set(images.exclude(attribution="").values_list("attribution", flat=True)))[:20],
        licences=sorted(set(images.exclude(licence="").values_list("licence", flat=True)))[:20],
    )
    return found, warnings


def _duplicates(data_set: DataSet) -> tuple[Duplicates, list[str]]:
    """Find the same pixels, and near-duplicates by hash that the correlation of their pixels confirms."""
    images = list(data_set.images.only("name", "sha256", "perceptual", "lesion", "label", "thumbnail", "data_set"))
    by_pixels: dict[str, list[LabelledImage]] = {}
    for image in images:
        by_pixels.setdefault(image.sha256, []).append(image)
    same = [[image.name for image in group] for group in by_pixels.values() if len(group) > 1]
    near: list[list[str]] = []
    kept: dict[int, Image.Image] = {}
    pairs = ((images[i], images[j]) for i, j in near_duplicates.near_pairs([image.perceptual for image in images]))
    open_pairs = ((one, other) for one, other in pairs if not _known_to_be_alike(one, other))
    for one, other in islice(open_pairs, MOST_CHECKED):
        for image in (one, other):
            if image.pk not in kept:
                kept[image.pk] = small(image)
        if near_duplicates.correlation(kept[one.pk], kept[other.pk]) >= near_duplicates.SAME:
            near.append([one.name, other.name])
    warnings = []
    if same:
        warnings.append(f"{len(same)} pictures occur more than once with the same pixels, for example {same[0][0]}.")
    if near:
        warnings.append(
            f"{len(near)} pairs of pictures are near-duplicates without a common lesion id, for example "
            f"{near[0][0]} and {near[0][1]}: their lesions may be the same."
        )
    if _contradict(by_pixels):
        warnings.append("Some pictures with the same pixels have different labels.")
    return Duplicates(same=same[:SHOWN], near=near[:SHOWN], same_count=len(same), near_count=len(near)), warnings


def _known_to_be_alike(one: LabelledImage, other: LabelledImage) -> bool:
    return one.sha256 == other.sha256 or bool(one.lesion and one.lesion == other.lesion)


def _contradict(by_pixels: dict[str, list[LabelledImage]]) -> bool:
    return any(len({image.label for image in group}) > 1 for group in by_pixels.values())
