"""What can be asked of a model: the class orders and the inputs that are in use, and their neighbours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from classifier.inference.input.manifest import InputSpec

Triple = tuple[float, float, float]

ORDERS: Mapping[str, tuple[str, ...]] = {
    "HAM10000-MNIST": ("akiec", "bcc", "bkl", "df", "nv", "vasc", "mel"),
    "ISIC 2018": ("mel", "nv", "bcc", "akiec", "bkl", "df", "vasc"),
    "ISIC 2019": ("mel", "nv", "bcc", "ak", "bkl", "df", "vasc", "scc"),
}
UNNAMED = "other_"
"""How codes of outputs without a name begin; these have no order among themselves."""
ALPHABETICAL, AS_REGISTERED, TURNED = "alphabetical", "as registered", "the other way round"
RESIZES = ("stretch", "letterbox", "crop")
SAMPLINGS = (
    ("nearest", False),
    ("bilinear", True),
    ("bilinear", False),
    ("bicubic", True),
    ("bicubic", False),
    ("lanczos", True),
    ("lanczos", False),
    ("area", True),
)
"""Interpolation with antialias. Nearest has none; area averages by itself."""


@dataclass(frozen=True)
class Scaling:
    """Where 0 and 255 go, then − mean, ÷ std, in the order red, green, blue."""

    name: str
    range: tuple[float, float]
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)


SCALINGS = (
    Scaling("0 to 1", (0.0, 1.0)),
    Scaling("0 to 255", (0.0, 255.0)),
    Scaling("−1 to 1", (-1.0, 1.0)),
    Scaling("ImageNet mean and deviation", (0.0, 1.0), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    Scaling("ImageNet mean, 0 to 255", (0.0, 255.0), (123.68, 116.779, 103.939)),
    Scaling("HAM10000 mean and deviation", (0.0, 1.0), (0.763, 0.546, 0.571), (0.141, 0.152, 0.169)),
)
"""HAM10000's were computed over all pixels of its 10,015 pictures."""


def orders(codes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the named orders of these classes; the registered one comes first, unless it is one of them.

    Two classes have two orders, whatever they are called. Outputs without a name stand behind those with one.
    """
    named = [code for code in codes if not code.startswith(UNNAMED)]
    unnamed = tuple(code for code in codes if code.startswith(UNNAMED))
    known = {ALPHABETICAL: tuple(sorted(named)), **ORDERS}
    found = {name: order + unnamed for name, order in known.items() if sorted(order) == sorted(named)}
    if tuple(codes) not in found.values():
        found = {AS_REGISTERED: tuple(codes)} | found
    if len(named) == 2 and len(found) == 1:
        found[TURNED] = (named[1], named[0], *unnamed)
    return found


def scaled(spec: InputSpec, color: str, scaling: Scaling) -> InputSpec:
    """Return the input with these colours and this scaling; mean and std follow the network's channels."""
    turn = -1 if color == "bgr" else 1
    mean, std = _triple(scaling.mean[::turn]), _triple(scaling.std[::turn])
    return spec.but(color=color, range=scaling.range, mean=mean, std=std)


def scaling_of(spec: InputSpec) -> Scaling:
    """Return the scaling of an input, by its usual name where it has one."""
    turn = -1 if spec.color == "bgr" else 1
    own = Scaling(AS_REGISTERED, spec.range, _triple(spec.mean[::turn]), _triple(spec.std[::turn]))
    return next((known for known in SCALINGS if _line(known) == _line(own)), own)


def scalings(base: InputSpec) -> tuple[Scaling, ...]:
    """Return the scalings in use, and the registered one where it is another."""
    own = scaling_of(base)
    return SCALINGS if own in SCALINGS else (own, *SCALINGS)


def canonical(spec: InputSpec) -> InputSpec:
    """Return the one input that stands for all that give the same numbers."""
    smooth = {"nearest": False, "area": True}.get(spec.interpolation, spec.antialias)
    return scaled(spec.but(antialias=smooth), spec.color, scaling_of(spec))


def colours_and_scalings(spec: InputSpec, base: InputSpec) -> list[InputSpec]:
    return [scaled(spec, color, scaling) for scaling in scalings(base) for color in ("rgb", "bgr")]


def resizes(spec: InputSpec) -> list[InputSpec]:
    return [spec.but(resize=resize) for resize in RESIZES]


def samplings(spec: InputSpec) -> list[InputSpec]:
    return [spec.but(interpolation=name, antialias=smooth) for name, smooth in SAMPLINGS]


def usual_settings(base: InputSpec) -> int:
    """Return about how many settings a search from here tries: it seldom goes round more than twice."""
    return 2 * (2 * len(scalings(base)) + len(RESIZES) + len(SAMPLINGS))


def _line(scaling: Scaling) -> tuple[tuple[float, float], ...]:
    """Return for each channel where 0 and 255 end: all that a network sees of a scaling."""
    low, high = scaling.range
    pairs = zip(scaling.mean, scaling.std, strict=True)
    return tuple((round((low - mean) / std, 4), round((high - mean) / std, 4)) for mean, std in pairs)


def _triple(values: Sequence[float]) -> Triple:
    red, green, blue = values
    return (red, green, blue)
