"""What a verdict lets one write into a manifest: what is confirmed, and nothing else."""

from collections.abc import Sequence

from classifier.inference.input.manifest import InputSpec
from evaluation.documents.setting_check import ClassFinding
from evaluation.setting import candidates
from evaluation.setting.search import Question
from evaluation.setting.titles import UNDETERMINED
from evaluation.setting.verdict import Verdict


def filled_input(base: InputSpec, verdict: Verdict) -> InputSpec:
    """Return the registered input with the confirmed parts in place of its own."""
    best = verdict.best.spec
    sure = {part.name for part in verdict.parts if part.confirmed}
    color = best.color if "color" in sure else base.color
    scaling = candidates.scaling_of(best if "scaling" in sure else base)
    kept = best.model_dump(include={"resize", "interpolation", "antialias"} & sure)
    filled = candidates.scaled(base, color, scaling).but(**kept)
    return base if candidates.canonical(filled) == candidates.canonical(base) else filled


def filled_output(question: Question, verdict: Verdict) -> str:
    """Return the registered output unless the other reading is confirmed; logits are read with softmax."""
    found = next((part for part in verdict.parts if part.name == "output" and part.confirmed), None)
    if found is None or (found.value == "sigmoid") == (question.output == "sigmoid"):
        return question.output
    return "sigmoid" if found.value == "sigmoid" else "logits"


def filled_classes(codes: Sequence[str], found: Sequence[ClassFinding]) -> tuple[str, ...] | None:
    """Return the codes in the order of the outputs, or None where an undetermined class would have to be guessed.

    An undetermined class keeps its registered output if no confirmed class takes that.
    """
    order: dict[int, str] = {
        entry.output: entry.code for entry in found if entry.state != UNDETERMINED and entry.output is not None
    }
    rest = [entry.code for entry in found if entry.code not in order.values()]
    for code in rest:
        if codes.index(code) not in order:
            order[codes.index(code)] = code
    homeless = [code for code in rest if code not in order.values()]
    if any(not code.startswith(candidates.UNNAMED) for code in homeless):
        return None
    left = [output for output in range(len(codes)) if output not in order]
    order |= dict(zip(left, homeless, strict=True))
    return tuple(order[output] for output in range(len(codes)))
