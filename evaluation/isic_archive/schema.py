"""The archive's JSON, checked by shape before anything in it is used."""

import json
import re
from typing import Annotated, Any

from pydantic import AliasPath, BaseModel, BeforeValidator, Field, ValidationError

from evaluation.isic_archive.types import ArchiveError

COLUMN = re.compile(r"[a-z][a-z0-9_]{0,63}")
WHOLE = BeforeValidator(lambda text: text.encode(errors="replace").decode() if isinstance(text, str) else text)
Text = Annotated[str, WHOLE, Field(max_length=10_000)]  # half of a surrogate pair becomes a question mark


class Image(BaseModel, strict=True):
    isic_id: str = Field(pattern=r"^ISIC_[0-9]{7}$")
    attribution: Text
    copyright_license: Text
    url: Text = Field(validation_alias=AliasPath("files", "full", "url"))
    metadata: dict[str, dict[str, Text | int | float | bool | list[Any] | dict[str, Any] | None]]

    def row(self) -> dict[str, Any]:
        """Return the groups of the metadata, clinical and acquisition, as one row; nested values are left out."""
        first = self.model_dump(include={"isic_id", "attribution", "copyright_license"})
        cells = [cell for group in self.metadata.values() for cell in group.items() if cell[0] not in first]
        return first | {key: cell for key, cell in cells if COLUMN.fullmatch(key) and not isinstance(cell, list | dict)}


class Page(BaseModel, strict=True):
    count: int | None = Field(ge=0)  # on the first page only
    next: Text | None
    results: list[Image]


def page(content: bytes) -> Page:
    """Return an answer as a page. Raises ArchiveError when it has another shape."""
    try:
        return Page.model_validate(json.loads(content))
    except ValidationError as error:
        first = error.errors()[0]
        found = f"{first['input']!r:.80} where “{'.'.join(map(str, first['loc']))}” belongs"
    except (ValueError, RecursionError):
        found = "something that is no JSON"
    raise ArchiveError("unexpected-answer", f"The archive answered {found}. Check its address.")
