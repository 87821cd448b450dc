"""The manifest: everything about a model that its file does not say, as typed and checked data (docs/manifest.md)."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from classifier.inference.input.clinical import encoding_names
from skinsite.diagnoses import DIAGNOSES, MALIGNANCY, NAMES_BEYOND

FRAMEWORKS = ("keras", "torch")
RESIZES = ("stretch", "letterbox", "crop")
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos", "area")
COLORS = ("rgb", "bgr")
OUTPUTS = ("softmax", "sigmoid", "logits", "log_softmax")
CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
SMALLEST_SIDE, LARGEST_SIDE = 8, 2048
MOST_CLASSES = 1000
DEFAULTS: Mapping[str, Any] = {
    "name": "Model",
    "version": "1",
    "output": "softmax",
    "input": {
        "resize": "stretch",
        "interpolation": "bilinear",
        "antialias": True,
        "color": "rgb",
        "range": [0, 1],
        "mean": [0, 0, 0],
        "std": [1, 1, 1],
        "clinical": "none",
    },
}


class ManifestError(ValueError):
    """All that is wrong with a manifest, as (field, message) pairs."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{name}: {message}" for name, message in problems))
        self.problems = problems


@dataclass(frozen=True)
class ClassSpec:
    code: str
    name: str
    malignant: bool | None


@dataclass(frozen=True)
class InputSpec:
    """From a picture's pixels to the network's input: sizes in px; `range` is where 0 and 255 go."""

    width: int
    height: int
    resize: str
    interpolation: str
    antialias: bool
    color: str
    range: tuple[float, float]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    clinical: str


@dataclass(frozen=True)
class Manifest:
    """A complete manifest. `output` is what the file itself ends with, `layer` where maps are made ("": the last)."""

    name: str
    version: str
    framework: str
    classes: tuple[ClassSpec, ...]
    input: InputSpec
    output: str
    architecture: Mapping[str, Any] | None = None
    training_data: tuple[Mapping[str, Any], ...] = ()
    licence: str = ""
    card: str = ""
    layer: str = ""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Manifest":
        """Check a complete manifest. Raises ManifestError with everything that is wrong."""
        reader = _Reader(data)
        manifest = cls(
            name=reader.text("name", 100),
            version=reader.text("version", 40),
            framework=reader.choice("framework", FRAMEWORKS),
            classes=reader.classes(),
            input=reader.input(),
            output=reader.choice("output", OUTPUTS),
            architecture=reader.architecture(),
            training_data=reader.training_data(),
            licence=reader.text("licence", 300, default=""),
            card=reader.text("card", 100_000, default=""),
            layer=reader.text("layer", 200, default=""),
        )
        if reader.problems:
            raise ManifestError(reader.problems)
        return manifest

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON data that from_json reads."""
        return dict(_plain(asdict(self)))

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(entry.code for entry in self.classes)


def complete(given: Mapping[str, Any], proposed: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was given, filled up with what was proposed, then with DEFAULTS; objects are merged inside."""
    merged = dict(DEFAULTS)
    for layer in (proposed, given):
        for key, value in layer.items():
            both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
            if key == "framework" and value == "auto":
                continue
            merged[key] = {**merged[key], **value} if both and key == "input" else value
    return merged


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value


@dataclass
class _Reader:
    """Reads fields and collects what is wrong, so that a person hears everything at once."""

    data: Mapping[str, Any]
    problems: list[tuple[str, str]] = field(default_factory=list)

    def wrong(self, name: str, message: str) -> None:
        self.problems.append((name, message))

    def text(self, name: str, longest: int, default: str | None = None) -> str:
        value = self.data.get(name, default)
        if not isinstance(value, str) or len(value) > longest or (default is None and not value):
            self.wrong(name, f"must be a text of at most {longest} characters")
            return ""
        return value

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        return self.chosen(name, self.data.get(name), choices)

    def chosen(self, name: str, value: Any, choices: tuple[str, ...]) -> str:
        if value not in choices:
            self.wrong(name, f"must be one of {', '.join(choices)}; it is {value!r:.60}")
            return ""
        return str(value)

    def classes(self) -> tuple[ClassSpec, ...]:
        value = self.data.get("classes")
        if not isinstance(value, list) or not 2 <= len(value) <= MOST_CLASSES:
            self.wrong("classes", f"must be a list of 2 to {MOST_CLASSES} classes in the order of the outputs")
            return ()
        specs = [self.class_(number, entry) for number, entry in enumerate(value)]
        found = [spec for spec in specs if spec]
        if len({spec.code for spec in found}) < len(found):
            self.wrong("classes", "must name every code once")
        return tuple(found)

    def class_(self, number: int, entry: Any) -> ClassSpec | None:
        name = f"classes[{number}]"
        given = {"code": entry} if isinstance(entry, str) else entry
        if not isinstance(given, Mapping) or not isinstance(given.get("code"), str):
            self.wrong(name, 'must be a code, or {"code", "name", "malignant"}')
            return None
        code = given["code"].lower()
        if not CODE.fullmatch(code):
            self.wrong(name, f"must have a code of 1 to 40 letters, digits, - and _, not {code[:60]!r}")
            return None
        known = DIAGNOSES.get(code)
        title = given.get("name", known.name if known else NAMES_BEYOND.get(code) if code in MALIGNANCY else None)
        malignant = given.get("malignant", known.malignant if known else MALIGNANCY.get(code))
        if not isinstance(title, str) or not 1 <= len(title) <= 200:
            form = f'{{"code": "{code}", "name": "…", "malignant": true, false or null}}'
            self.wrong(name, f"has the code {code!r}, which the portal has no name for: write {form}")
            return None
        if malignant not in (True, False, None):
            self.wrong(name, "must have a malignant of true, false or null")
            return None
        return ClassSpec(code, title, malignant)

    def input(self) -> InputSpec:
        given = self.data.get("input")
        if not isinstance(given, Mapping):
            self.wrong("input", "must be an object")
            given = {}
        spec = InputSpec(
            width=self.side(given, "width"),
            height=self.side(given, "height"),
            resize=self.chosen("input.resize", given.get("resize"), RESIZES),
            interpolation=self.chosen("input.interpolation", given.get("interpolation"), INTERPOLATIONS),
            antialias=bool(given.get("antialias")),
            color=self.chosen("input.color", given.get("color"), COLORS),
            range=self.numbers(given, "range", 2),  # type: ignore[arg-type]
            mean=self.numbers(given, "mean", 3),  # type: ignore[arg-type]
            std=self.numbers(given, "std", 3, valid=lambda value: value > 0),  # type: ignore[arg-type]
            clinical=self.chosen("input.clinical", given.get("clinical"), ("none", *encoding_names())),
        )
        if not isinstance(given.get("antialias"), bool):
            self.wrong("input.antialias", "must be true or false")
        if spec.range[0] >= spec.range[1]:
            self.wrong("input.range", "must rise: [value of black, value of white]")
        return spec

    def side(self, given: Mapping[str, Any], name: str) -> int:
        value = given.get(name)
        if type(value) is not int or not SMALLEST_SIDE <= value <= LARGEST_SIDE:
            self.wrong(f"input.{name}", f"must be a whole number from {SMALLEST_SIDE} to {LARGEST_SIDE}")
            return SMALLEST_SIDE
        return value

    def numbers(
        self, given: Mapping[str, Any], name: str, length: int, valid: Callable[[float], bool] = math.isfinite
    ) -> tuple[float, ...]:
        value: Any = given.get(name)
        good = isinstance(value, list | tuple) and len(value) == length
        if not (good and all(type(entry) in (int, float) and math.isfinite(entry) and valid(entry) for entry in value)):
            self.wrong(f"input.{name}", f"must be {length} finite numbers" + (" above 0" if name == "std" else ""))
            return (0.0, 1.0) if length == 2 else (1.0,) * length
        return tuple(float(entry) for entry in value)

    def architecture(self) -> Mapping[str, Any] | None:
        value = self.data.get("architecture")
        if value is not None and not isinstance(value, Mapping):
            self.wrong("architecture", "must be an object with a family")
            return None
        return value

    def training_data(self) -> tuple[Mapping[str, Any], ...]:
        value = self.data.get("training_data", [])
        good = isinstance(value, list) and all(isinstance(entry, Mapping) and "name" in entry for entry in value)
        if not good:
            self.wrong("training_data", 'must be a list of {"name", "images"}')
            return ()
        return tuple(value)
