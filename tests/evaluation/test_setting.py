"""The setting check's pure part: what is tried, what the evidence separates, and what is never claimed."""

import itertools
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from classifier.inference.input.images import Pixels
from classifier.inference.input.manifest import InputSpec
from classifier.inference.input.preprocess import network_input
from evaluation.documents.setting_check import ClassFinding
from evaluation.setting import assignment, candidates
from evaluation.setting.assignment import assigned, best_matching, chance, confusion
from evaluation.setting.drawing import connected, draw
from evaluation.setting.evidence import (
    LEVEL,
    SMALLEST_GAIN,
    Pictures,
    calibrated,
    difference,
    log_probabilities,
)
from evaluation.setting.filling import filled_classes, filled_input, filled_output
from evaluation.setting.search import FREE, Question, Search
from evaluation.setting.titles import CONFIRMED, ELIMINATED, UNDETERMINED
from evaluation.setting.verdict import Verdict, _Judged, judge
from evaluation.setting.wording import sentences
from tests.factories.rows import SEVEN

BASE = InputSpec(
    width=8,
    height=8,
    resize="stretch",
    interpolation="bilinear",
    antialias=True,
    color="rgb",
    range=(0, 1),
    mean=(0, 0, 0),
    std=(1, 1, 1),
    clinical="none",
)
MNIST = candidates.ORDERS["HAM10000-MNIST"]
few = settings(max_examples=40, deadline=None)


def asked(
    counts: dict[str, int],
    *,
    truth: InputSpec = BASE,
    order: tuple[str, ...] = SEVEN,
    registered: tuple[str, ...] = SEVEN,
    skill: float = 3.0,
    base: InputSpec = BASE,
    seed: int = 0,
) -> tuple[Question, Search]:
    """A model that knows something where colours and scaling are those of `truth`, and says noise elsewhere.

    `counts` lesions of each class are shared by both halves; its outputs stand in `order`.
    """
    rng = np.random.default_rng(seed)
    labels = [code for code, count in counts.items() for _ in range(count)]
    drawn = draw(labels, [f"lesion-{place}" for place in range(len(labels))], seed=seed)
    halves = {"search": drawn.search, "test": drawn.test}
    present = tuple(sorted(set.intersection(*({labels[place] for place in half} for half in halves.values()))))
    kept = {name: [labels[place] for place in half if labels[place] in present] for name, half in halves.items()}
    pictures = {
        name: Pictures.of([present.index(code) for code in half], [str(n) for n in range(len(half))], seed=seed)
        for name, half in kept.items()
    }
    noise = {name: rng.normal(size=(len(half), len(order))) for name, half in kept.items()}
    question = Question(base, registered, "softmax", present, pictures)

    def ask(spec: InputSpec, half: str) -> np.ndarray:
        if (spec.color, candidates.scaling_of(spec)) != (truth.color, candidates.scaling_of(truth)):
            return np.random.default_rng(zlib.crc32(repr((spec, half)).encode())).normal(size=noise[half].shape)
        wanted = np.array([[code == place for place in order] for code in kept[half]])
        return noise[half] + skill * wanted

    return question, Search(question, ask)  # type: ignore[arg-type]


def judged(counts: dict[str, int], **options) -> tuple[Question, Verdict]:
    question, search = asked(counts, **options)
    return question, judge(search, seed=0, open_output=False)


def even(count: int) -> dict[str, int]:
    return dict.fromkeys(SEVEN, count)


@pytest.fixture(autouse=True)
def fewer_null_runs(monkeypatch) -> None:
    """Where chance ends need not be known to the percent."""
    monkeypatch.setattr(assignment, "NULL_RUNS", 50)


def test_the_orders_in_use_have_names_and_the_registered_one_is_kept():
    assert list(candidates.orders(SEVEN)) == ["alphabetical", "HAM10000-MNIST", "ISIC 2018"]
    turned = (*SEVEN[1:], SEVEN[0])
    assert next(iter(candidates.orders(turned).items())) == ("as registered", turned)
    assert list(candidates.orders(candidates.ORDERS["ISIC 2019"])) == ["alphabetical", "ISIC 2019"]
    assert list(candidates.orders(("benign", "malignant"))) == ["alphabetical", "the other way round"]
    assert list(candidates.orders(("nv", "mel"))) == ["as registered", "alphabetical"]


def test_outputs_without_a_name_stand_behind_those_with_one():
    unnamed = ("other_1", "other_2", "other_3")
    found = candidates.orders((*candidates.ORDERS["ISIC 2018"], *unnamed))
    assert list(found) == ["alphabetical", "HAM10000-MNIST", "ISIC 2018"]
    assert found["HAM10000-MNIST"] == MNIST + unnamed
    assert candidates.orders(("a", "b", "other_1"))["the other way round"] == ("b", "a", "other_1")


def test_settings_that_give_the_same_numbers_are_one():
    half = BASE.but(mean=(0.5,) * 3, std=(0.5,) * 3)
    assert candidates.scaling_of(half).name == "−1 to 1"
    tried = {candidates.canonical(spec) for spec in candidates.samplings(BASE)}
    assert len(tried) == len(candidates.SAMPLINGS)
    assert candidates.canonical(BASE.but(interpolation="area", antialias=False)).antialias


def test_blue_first_turns_mean_and_deviation_too():
    picture: Pixels = np.random.default_rng(1).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    scaling = candidates.SCALINGS[3]
    rgb, bgr = (network_input(picture, candidates.scaled(BASE, color, scaling)) for color in ("rgb", "bgr"))
    assert np.allclose(rgb, bgr[..., ::-1])
    assert candidates.scaling_of(candidates.scaled(BASE, "bgr", scaling)) == scaling


@few
@given(
    lesions=st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 4)), min_size=1, max_size=40),
    most=st.integers(2, 60),
    seed=st.integers(0, 1000),
)
def test_a_draw_shares_no_lesion_between_its_halves_and_prefers_new_lesions(lesions, most, seed):
    labels = [label for label, count in lesions for _ in range(count)]
    units = [f"{place}" for place, (_, count) in enumerate(lesions) for _ in range(count)]
    drawn = draw(labels, units, seed=seed, most=most)
    both = [*drawn.search, *drawn.test]
    assert len(both) == len(set(both)) == min(most, len(labels))
    assert not {units[place] for place in drawn.search} & {units[place] for place in drawn.test}
    assert draw(labels, units, seed=seed, most=most) == drawn
    taken = len({units[place] for place in both})
    assert taken == min(most, len(lesions))


def test_a_draw_is_balanced_by_class_and_half():
    labels = ["nv"] * 400 + ["mel"] * 30 + ["df"] * 4
    drawn = draw(labels, [str(place) for place in range(len(labels))], seed=3, most=60)
    for half in (drawn.search, drawn.test):
        counts = {code: sum(labels[place] == code for place in half) for code in ("nv", "mel", "df")}
        assert counts == {"nv": 14, "mel": 14, "df": 2}


@few
@given(st.integers(2, 5), st.integers(0, 10_000))
def test_the_assignment_is_the_best_of_all(size, seed):
    counts = np.random.default_rng(seed).integers(0, 9, (size, size)).astype(float)
    smooth = counts + 0.5
    score = np.log(smooth / smooth.sum(1, keepdims=True))
    best = max(itertools.permutations(range(size)), key=lambda order: score[np.arange(size), order].sum())
    found = assigned(counts)
    assert score[np.arange(size), found].sum() == pytest.approx(score[np.arange(size), best].sum())
    others = [order for order in itertools.permutations(range(size)) if order[0] != found[0]]
    expected = max(score[np.arange(size), order].sum() for order in others)
    assert best_matching(score, without=(0, int(found[0]))) == pytest.approx(expected)


def test_chance_reaches_more_with_more_tries_and_fewer_pictures():
    rng = np.random.default_rng(5)

    def reached(pictures: int, tries: int) -> float:
        truth = np.arange(pictures) % 7
        said = [rng.integers(0, 7, pictures) for _ in range(tries)]
        return float(np.median(chance(said, truth, np.arange(pictures), outputs=7, seed=1)))

    assert reached(50, 40) > reached(50, 4) > reached(300, 4) > 1 / 7


def test_chance_is_a_number_where_patients_have_several_diagnoses():
    """Half of the patients have a nevus and a dermatofibroma, the others a carcinoma and a dermatofibroma."""
    truth = np.array([(0, 1) if patient % 2 else (2, 1) for patient in range(60)]).ravel()
    found = chance([truth], truth, np.repeat(np.arange(60), 2), outputs=3, seed=1)
    assert np.isfinite(found).all()
    assert found[-1] < 0.7


def test_pictures_that_hang_together_are_one_unit():
    marks = [["patient 1", "lesion 1"], ["lesion 1"], ["pixels a"], ["patient 1", "pixels b"], ["pixels a"], [], []]
    units = connected(marks)
    assert [units.index(unit) for unit in units] == [0, 0, 2, 0, 2, 5, 6]
    assert connected([]) == []


def test_the_spread_of_two_lesions_counts_for_little():
    losses = np.array([1.0, 1.3] * 3)
    two = difference(losses[:2], Pictures.of([0, 0], ["a", "b"]))
    six = difference(losses, Pictures.of([0] * 6, list("abcdef")))
    assert two.low < 0 < SMALLEST_GAIN < six.low


def test_confidence_and_training_prior_do_not_count():
    """The same ranking at another temperature and with another offset has the same log loss."""
    rng = np.random.default_rng(7)
    truth = np.arange(120) % 3
    logits = rng.normal(size=(120, 3)) + 2 * np.eye(3)[truth]
    pictures = Pictures.of(truth, [str(place) for place in range(120)])
    losses = []
    for values in (logits, 3 * logits + np.array([4.0, 0, -2])):
        fit = calibrated(log_probabilities(values, "softmax"), np.arange(3), pictures)
        losses.append(fit.losses(log_probabilities(values, "softmax"), np.arange(3), truth).mean())
    assert losses[0] == pytest.approx(losses[1], abs=0.02)


def test_what_is_no_number_says_nothing():
    values = log_probabilities(np.array([[np.nan, np.nan, np.nan], [np.inf, 0, 0], [1e30, -1e30, 0]]), "softmax")
    assert np.isfinite(values).all()
    assert np.allclose(values[0], np.log(1 / 3))
    assert np.isfinite(log_probabilities(np.full((2, 3), -1e4), "sigmoid")).all()


def test_a_difference_is_sure_only_with_lesions_enough():
    def found(lesions: int) -> bool:
        truth = np.arange(lesions) % 2
        losses = 0.4 + np.random.default_rng(9).normal(size=lesions)
        return difference(losses, Pictures.of(truth, [str(place) for place in range(lesions)])).sure

    assert found(200)
    assert not found(10)
    assert not difference(np.ones(2), Pictures.of([0, 1], ["a", "b"])).sure


def test_pictures_of_one_lesion_are_no_further_evidence():
    losses = 0.3 + np.random.default_rng(4).normal(size=40)
    alone = difference(losses, Pictures.of(np.arange(40) % 2, [str(place) for place in range(40)]))
    repeated = difference(
        np.repeat(losses, 5), Pictures.of(np.repeat(np.arange(40) % 2, 5), [str(place // 5) for place in range(200)])
    )
    assert repeated.low == pytest.approx(alone.low, abs=1e-9)


@pytest.mark.parametrize("order", [SEVEN, MNIST])
def test_the_right_order_colours_and_scaling_are_confirmed(order):
    truth = candidates.scaled(BASE, "bgr", candidates.SCALINGS[2])
    question, verdict = judged(even(40), truth=truth, order=order)
    assert verdict.speaks
    assert (verdict.order.value, verdict.order.confirmed) == (
        "alphabetical" if order == SEVEN else "HAM10000-MNIST",
        True,
    )
    found = {part.name: (part.value, part.confirmed) for part in verdict.parts}
    assert found["color"] == ("bgr", True)
    assert found["scaling"] == ("−1 to 1", True)
    assert not found["resize"][1]  # all resizings give the same answers
    assert not found["interpolation"][1]
    assert filled_classes(question.codes, verdict.classes) == order
    filled = filled_input(BASE, verdict)
    assert (filled.color, filled.range, filled.resize) == ("bgr", (-1.0, 1.0), "stretch")
    assert filled_output(question, verdict) == "softmax"


def test_an_order_that_nobody_uses_is_found_by_assignment():
    order = ("vasc", "mel", "df", "nv", "akiec", "bkl", "bcc")
    question, verdict = judged(even(40), order=order)
    assert verdict.order.value == FREE
    assert filled_classes(question.codes, verdict.classes) == order
    assert "none of the orders in use" in " ".join(sentences(verdict, question))


def test_thirty_images_are_too_few():
    question, verdict = judged(dict.fromkeys(SEVEN, 4) | {"nv": 6}, skill=6.0)
    assert not verdict.speaks
    assert not verdict.order.confirmed
    assert not any(part.confirmed for part in verdict.parts)
    assert {entry.state for entry in verdict.classes} == {UNDETERMINED}
    assert "30 images of 30 lesions are too few" in sentences(verdict, question)[0]


@pytest.mark.parametrize("seed", range(2))
def test_a_model_that_knows_nothing_confirms_nothing(seed):
    question, verdict = judged(even(30), skill=0.0, seed=seed)
    assert not verdict.speaks
    assert not any(finding.confirmed for finding in (verdict.order, *verdict.parts))
    assert {entry.state for entry in verdict.classes} == {UNDETERMINED}
    assert "Nothing is claimed" in sentences(verdict, question)[-1]


def test_two_classes_with_few_lesions_stay_open_and_one_follows_by_elimination():
    _, verdict = judged(even(40) | {"df": 4, "vasc": 4}, skill=5.0)
    states = {entry.code: entry.state for entry in verdict.classes}
    assert {code for code, state in states.items() if state == UNDETERMINED} == {"df", "vasc"}
    _, verdict = judged(even(40) | {"df": 2}, skill=5.0)
    assert {entry.code for entry in verdict.classes if entry.state != CONFIRMED} == {"df"}
    assert verdict.classes[SEVEN.index("df")].state == UNDETERMINED, "two lesions might say something else"
    _, verdict = judged({code: 40 for code in SEVEN if code != "df"}, skill=5.0, order=MNIST)
    last = verdict.classes[SEVEN.index("df")]
    assert (last.state, last.output) == (ELIMINATED, MNIST.index("df"))


def two_that_look_alike(seed: int, *, few: int) -> tuple[ClassFinding, ...]:
    """A model that knows five classes and takes df (10 lesions) and vasc (`few`) for one another."""
    rng = np.random.default_rng(seed)
    counts = dict.fromkeys(SEVEN, 20) | {"df": 10, "vasc": few}
    halves = {name: [code for code in SEVEN for _ in range(counts[code] // 2)] for name in ("search", "test")}
    pictures = {
        name: Pictures.of([SEVEN.index(code) for code in half], list(map(str, range(len(half)))), seed=seed)
        for name, half in halves.items()
    }
    alike = {"df", "vasc"}
    said = {
        name: rng.normal(size=(len(half), 7))
        + 4 * np.array([[code == place or {code, place} == alike for place in SEVEN] for code in half])
        for name, half in halves.items()
    }
    search = Search(Question(BASE, SEVEN, "softmax", SEVEN, pictures), lambda spec, half: said[half])  # type: ignore[arg-type]
    search._try([BASE])
    return _Judged(search).classes(True)


def test_what_a_model_cannot_tell_apart_is_confirmed_no_oftener_than_stated(monkeypatch):
    monkeypatch.setattr("evaluation.setting.verdict.MATCHED_REPLICATES", 300)
    runs = 60
    found = [two_that_look_alike(seed, few=2) for seed in range(runs)]
    wrong = sum(entry.state != UNDETERMINED for run in found for entry in run if entry.code in ("df", "vasc"))
    known = sum(entry.state == CONFIRMED for run in found for entry in run if entry.code not in ("df", "vasc"))
    assert wrong <= binom.ppf(0.99, runs, 1 - LEVEL)
    assert known >= 0.9 * 5 * runs


def test_a_part_that_changes_nothing_is_not_confirmed_because_its_rivals_differ_in_another():
    """Nearest is much better, whatever the resizing; resizings are tried before it is found."""
    (_, search), (_, without) = asked(even(16), skill=1.0), asked(even(16), skill=0.0)
    noise, known = without.ask, search.ask

    def ask(spec: InputSpec, half: str) -> np.ndarray:
        right = candidates.scaled(spec, BASE.color, candidates.scaling_of(BASE)) == spec
        skill = (3.0 if spec.interpolation == "nearest" else 1.5) * (1.0 if right else 0.3)
        return noise(BASE, half) + skill * (known(BASE, half) - noise(BASE, half))

    search.ask = ask  # type: ignore[assignment]
    found = {part.name: part for part in judge(search, seed=0, open_output=False).parts}
    assert (found["interpolation"].value, found["interpolation"].confirmed) == ("nearest", True)
    assert not found["resize"].confirmed


def finding(code: str, output: int | None, state: str = CONFIRMED) -> ClassFinding:
    return ClassFinding(code=code, output=output, lesions=9, state=state, share=None)


def test_an_undetermined_class_is_never_guessed():
    codes = ("a", "b", "c", "d")
    open_pair = [finding("a", 1), finding("b", 0), finding("c", 2, UNDETERMINED), finding("d", None, UNDETERMINED)]
    assert filled_classes(codes, open_pair) == ("b", "a", "c", "d")
    moved = [finding("a", 2), finding("b", 1), finding("c", 0, UNDETERMINED), finding("d", 3, UNDETERMINED)]
    assert filled_classes(codes, moved) is None
    unnamed = ("a", "b", "other_1", "other_2")
    nameless = [finding("other_1", None, UNDETERMINED), finding("other_2", None, UNDETERMINED)]
    assert filled_classes(unnamed, [finding("a", 3), finding("b", 2), *nameless]) == ("other_1", "other_2", "b", "a")


def test_the_largest_outputs_are_counted_by_truth():
    assert confusion(np.array([1, 1, 0]), np.array([0, 0, 1]), 2, 3).tolist() == [[0, 2, 0], [1, 0, 0]]
