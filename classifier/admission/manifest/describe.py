"""The manifest's fields in words, for the form and for docs/manifest.md.

`python -m classifier.admission.manifest.describe` writes the table of that page anew; a test tells when it is old.
"""

from dataclasses import dataclass
from pathlib import Path

from classifier.inference.input.manifest import Json, PartialManifest

PAGE = Path(__file__).parents[3] / "docs" / "manifest.md"
BEGIN, END = "<!-- fields -->\n", "<!-- end of fields -->\n"


@dataclass(frozen=True)
class Described:
    """`words` are all that a field may say, if they are known; `values` what it takes; `about` is Markdown."""

    words: tuple[str, ...]
    values: str
    about: str

    @property
    def plain(self) -> str:
        return self.about.replace("`", "")


def fields() -> dict[str, Described]:
    """Return all fields by their path, such as `input.width`, in the order of their definition."""
    schema = PartialManifest.model_json_schema()
    found: dict[str, Described] = {}
    for name, field in schema["properties"].items():
        reference = field["anyOf"][0].get("$ref")
        if reference is None:
            found[name] = _described(field)
        else:
            inside = schema["$defs"][reference.removeprefix("#/$defs/")]["properties"]
            found |= {f"{name}.{part}": _described(each) for part, each in inside.items()}
    return found


def _described(field: Json) -> Described:
    kind = field["anyOf"][0]  # the other is null
    words = tuple(kind.get("enum", [kind["const"]] if "const" in kind else []))
    return Described(words, _values(kind, words), field.get("description", ""))


def _values(kind: Json, words: tuple[str, ...]) -> str:
    if words:
        return ", ".join(f"`{word}`" for word in words)
    if kind["type"] == "integer":
        return f"{kind['minimum']} to {kind['maximum']}"
    if "prefixItems" in kind:
        return f"{len(kind['prefixItems'])} numbers"
    return {"boolean": "`true`, `false`", "array": "a list", "object": "an object"}.get(kind["type"], "a text")


def written(page: str) -> str:
    """Return the page with the table of all fields as they are now."""
    rows = [f"| `{path}` | {field.values} | {field.about} |" for path, field in fields().items()]
    before, rest = page.split(BEGIN)
    table = "\n".join(("| field | values | what it is |", "| --- | --- | --- |", *rows))
    return f"{before}{BEGIN}{table}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
