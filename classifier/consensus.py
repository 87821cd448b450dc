"""What several models say about one picture, in one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

COARSE = {"ak": "akiec", "scc_is": "akiec", "scc": "akiec", "akiec": "akiec"}
"""HAM10000's akiec is what ISIC 2019 splits into ak and scc: a model with the coarse class does not contradict them."""

CLOSE = 0.15


@dataclass(frozen=True)
class Opinion:
    """One model's first and second class, by code and name, with their probabilities in [0, 1]."""

    model: str
    code: str
    name: str
    probability: float
    second_name: str
    second_probability: float

    @property
    def undecided(self) -> bool:
        return self.probability - self.second_probability < CLOSE


def sentence(opinions: Sequence[Opinion], reference: str = "") -> str:
    """Say whether the models agree, who is undecided, and whether the reference diagnosis was met."""
    if not opinions:
        return ""
    parts = [_agreement(opinions) + (_met(opinions, reference) if reference else "") + "."]
    parts += [
        f"{opinion.model} is undecided: {_low(opinion.second_name)} follows at {opinion.second_probability:.3f}."
        for opinion in opinions
        if opinion.undecided
    ]
    return " ".join(parts)


def same(one: str, other: str) -> bool:
    """Whether two codes can mean the same lesion: ak and scc do not contradict akiec, but each other."""
    return one == other or ("akiec" in (one, other) and COARSE.get(one) == COARSE.get(other) == "akiec")


def _agreement(opinions: Sequence[Opinion]) -> str:
    first = opinions[0]
    if len(opinions) == 1:
        return f"{first.model} says {_low(first.name)}"
    if all(same(one.code, other.code) for one in opinions for other in opinions):
        who = "Both models" if len(opinions) == 2 else f"All {len(opinions)} models"
        names = list(dict.fromkeys(_low(opinion.name) for opinion in opinions))
        return f"{who} say {' or '.join(names)}"
    sayings = [f"{opinion.model} says {_low(opinion.name)}" for opinion in opinions]
    return f"The models disagree: {', '.join(sayings[:-1])} and {sayings[-1]}"


def _met(opinions: Sequence[Opinion], reference: str) -> str:
    hits = sum(same(opinion.code, reference) for opinion in opinions)
    if len(opinions) == 1:
        return ", and it hits the reference" if hits else ", and it misses the reference"
    if hits == len(opinions):
        return ", and all hit the reference"
    if not hits:
        return ", and all miss the reference"
    return f"; {hits} of {len(opinions)} hit the reference"


def _low(name: str) -> str:
    """A class's name inside a sentence: only its first letter becomes small, and not that of an abbreviation."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name
