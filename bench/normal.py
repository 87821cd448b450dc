"""Answers in normal form, line by line: what must differ from one start to the next is taken out, and nothing else.

In HTML a tag is a line with its attributes in order, white space counts only where a browser shows it; JSON is sorted
and indented, an archive is its members, a picture its pixels.
"""

import hashlib
import io
import json
import re
import zipfile
from html.parser import HTMLParser

from PIL import Image

CHANGING = (
    (re.compile(r'(name="csrfmiddlewaretoken" value=")[^"]+'), r"\1…"),
    (re.compile(r'(X-CSRFToken(?:"|&quot;): ?(?:"|&quot;))\w+'), r"\1…"),
    (re.compile(r"(/static/[\w./-]+?)\.[0-9a-f]{12}(\.\w+)"), r"\1\2"),
    (
        re.compile(
            r"\b(?:an?|\d+)[ \xa0](?:second|minute|hour|day|week|month|year)s?(?:, \d+[ \xa0]\w+)? ago\b|\bnow\b"
        ),
        "ago",
    ),
)
"""CSRF tokens, hashes of static files, and how long ago."""
BLOCKS = re.compile(
    "address|article|aside|base|blockquote|body|br|caption|circle|col|colgroup|d[dlt]|defs|desc|details|dialog|div"
    "|ellipse|fieldset|figcaption|figure|footer|form|g|h[1-6r]|head|header|html|legend|li|line|link|main|meta|nav|ol"
    "|optgroup|option|p|path|pattern|poly(gon|line)|rect|script|section|style|summary|table|tbody|t[dhr]|template|text"
    "|tfoot|thead|title|ul|use"
)
"""Elements around and in whose ends white space is not shown; those of SVG too."""
OBJECTS = frozenset(["img", "input", "select", "textarea", "progress", "svg", "button", "meter", "video"])
"""Elements that stand in a line like a word."""


def lines(content: bytes, kind: str, folder: str) -> list[str]:
    """Return the lines of an answer of this content type; `folder` is the data folder's path, which is taken out."""
    if "zip" in kind:
        return _of_archive(content, folder)
    if kind.startswith("image/") and "svg" not in kind:
        return _of_picture(content)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return [f"{len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}"]
    text = stable(text, folder)
    if "json" in kind:
        return json.dumps(json.loads(text), indent=1, sort_keys=True, ensure_ascii=False).splitlines()
    return html(text) if "html" in kind else text.splitlines()


def stable(text: str, folder: str) -> str:
    """The text without what must differ."""
    for pattern, replacement in CHANGING:
        text = pattern.sub(replacement, text)
    return text.replace(folder, "DATA")


def html(text: str) -> list[str]:
    """A page as lines: a tag each, with its attributes in order, and the text between as a browser shows it."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return [line for line in reader.lines if line]


class _Reader(HTMLParser):
    """`spaced`: white space that comes now is not shown, since a block, or other white space, comes before it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.spaced = True
        self.last_text: int | None = None
        self.verbatim = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._tag(tag)
        self.spaced = self.spaced and tag not in OBJECTS
        shown = sorted(f'{name}="{" ".join((value or "").split())}"' for name, value in attributes)
        self.lines.append(f"<{' '.join((tag, *shown))}>")
        self.verbatim = tag in ("pre", "textarea") or self.verbatim

    def handle_endtag(self, tag: str) -> None:
        self._tag(tag)
        self.spaced = self.spaced and tag not in OBJECTS
        self.lines.append(f"</{tag}>")
        self.verbatim = self.verbatim and tag not in ("pre", "textarea")

    def handle_decl(self, decl: str) -> None:
        self.lines.append(f"<!{decl}>")

    def handle_data(self, data: str) -> None:
        if self.verbatim:
            self.lines.append(data)
            return
        text = re.sub(r"[ \t\n\r\f]+", " ", data)
        text = text.removeprefix(" ") if self.spaced else text
        if text:
            self.last_text = len(self.lines)
            self.lines.append(text)
            self.spaced = text.endswith(" ")

    def _tag(self, tag: str) -> None:
        if BLOCKS.fullmatch(tag):
            if self.last_text is not None:
                self.lines[self.last_text] = self.lines[self.last_text].removesuffix(" ")
            self.spaced, self.last_text = True, None


def _of_archive(content: bytes, folder: str) -> list[str]:
    found = []
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in sorted(archive.namelist()):
            kind = {"json": "json", "html": "html", "png": "image/png"}.get(name.rpartition(".")[2], "")
            found += [f"== {name}", *lines(archive.read(name), kind, folder)]
    return found


def _of_picture(content: bytes) -> list[str]:
    with Image.open(io.BytesIO(content)) as picture:
        return [f"{picture.mode} {picture.size} SHA-256 {hashlib.sha256(picture.tobytes()).hexdigest()}"]
