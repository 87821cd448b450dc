"""What an import found in a data set."""

from skinsite.stored_document import Part, StoredDocument


class ClassCount(Part):
    images: int
    lesions: int


class Duplicates(Part):
    """Names of pictures with the same pixels, and of near-duplicates without a common lesion: some, and how many."""

    same: list[list[str]] = []
    near: list[list[str]] = []
    same_count: int = 0
    near_count: int = 0


class ImportResult(StoredDocument):
    """Counts by class, of what is missing, and by subgroup. Nothing is known before the import is done."""

    images: int = 0
    lesions: int = 0
    classes: dict[str, ClassCount] = {}
    missing: dict[str, int] = {}
    subgroups: dict[str, dict[str, int]] = {}
    masks: int = 0
    duplicates: Duplicates = Duplicates()
    attributions: list[str] = []
    licences: list[str] = []
