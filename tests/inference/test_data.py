"""Manifest, clinical encodings, bundles, cache and heat as plain data."""

import io
import json
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from classifier.inference import bundle
from classifier.inference.cache import ClassifierCache
from classifier.inference.input.clinical import SITES, Clinical, canonical_site, encode
from classifier.inference.input.manifest import Manifest, problems
from classifier.inference.maps import render
from tests.manifests import complete

GIVEN = {"framework": "torch", "classes": ["mel", "nv"], "input": {"width": 64, "height": 32}}


def wrong_with(data: dict) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        Manifest.model_validate(data)
    return problems(caught.value)


def test_a_manifest_survives_its_own_json():
    manifest = complete(**GIVEN)
    assert Manifest.model_validate(json.loads(manifest.model_dump_json())) == manifest
    assert [entry.malignant for entry in manifest.classes] == [True, False]


def test_everything_that_is_wrong_is_said_at_once():
    wrong = complete(**GIVEN).model_dump(mode="json") | {"classes": ["mel", "rust", 3], "output": "tanh"}
    wrong["input"] |= {"width": 4, "std": [1, 0, 1], "mean": [float("nan")] * 3, "clinical": "magic"}
    fields = {name for name, _words in wrong_with(wrong)}
    assert fields == {
        *("classes[1]", "classes[2]", "output", "input.width", "input.std", "input.mean", "input.clinical"),
    }


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("classes", ["mel", "MEL"], "must name every code once"),
        ("classes", ["mel"], "must be a list of 2 to 1000 classes"),
        ("classes", ["mel", 7], 'must be a code, or {"code", "name", "malignant"}'),
        ("classes", ["mel", "no code!"], "must have a code of 1 to 40 letters, digits, - and _, not 'no code!'"),
        ("classes", ["mel", {"code": "nv", "malignant": "yes"}], "must have a malignant of true, false or null"),
        ("output", "tanh", "must be 'softmax', 'sigmoid', 'logits' or 'log_softmax'; it is 'tanh'"),
        ("name", "", "must be a text of at most 100 characters"),
        ("input", "abc", "must be an object"),
        ("architecture", "resnet18", "must be an object with a family"),
        ("training_data", ["HAM10000"], 'must be a list of {"name", "images"}'),
    ],
)
def test_a_sentence_says_what_a_field_must_be(field, value, words):
    ((path, sentence),) = wrong_with(complete(**GIVEN).model_dump(mode="json") | {field: value})
    assert path.startswith(field)
    assert sentence.startswith(words)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("width", 224.0, "must be a whole number from 8 to 2048"),
        ("height", True, "must be a whole number from 8 to 2048"),
        ("antialias", 1, "must be true or false"),
        ("range", [1, 0], "must rise: [value of black, value of white]"),
        ("mean", [0, 0], "must be 3 finite numbers"),
        ("mean", [0, 0, "0"], "must be 3 finite numbers"),
        ("std", [1, 1, 0], "must be 3 finite numbers above 0"),
        ("clinical", "magic", "must be one of none, sklesion; it is 'magic'"),
    ],
)
def test_so_it_does_for_the_input(field, value, words):
    given = complete(**GIVEN).model_dump(mode="json")
    assert wrong_with(given | {"input": given["input"] | {field: value}}) == [(f"input.{field}", words)]


def test_a_code_that_is_not_known_is_named_with_the_form_that_gives_it_a_name():
    ((field, words),) = wrong_with(complete(**GIVEN).model_dump(mode="json") | {"classes": ["mel", "rust"]})
    sentence = f"The manifest's {field} {words}."
    assert sentence.startswith(
        "The manifest's classes[1] has the code 'rust', which the portal has no name for: write "
    )
    assert '{"code": "rust", "name": "…", "malignant": true, false or null}' in sentence


def test_a_manifest_of_an_older_commit_is_read():
    """59e5670 knew no `layer`, and looked into no training data."""
    old = complete(**GIVEN).model_dump(mode="json") | {"training_data": [{"name": 5}]}
    del old["layer"]
    assert Manifest.model_validate(old).layer == ""


def test_other_fields_bring_their_own_codes():
    classes = [{"code": "rust", "name": "Leaf rust", "malignant": None}, {"code": "ok", "name": "Healthy"}]
    assert complete(**(GIVEN | {"classes": classes})).codes == ("rust", "ok")


def test_age_sex_and_site_become_ten_numbers():
    told = encode("sklesion", Clinical(45, "male", "scalp"))
    assert told.tolist() == [0, 1, 0, 0, 1, 0, 0, 0, 0.5, 0]
    unknown = encode("sklesion", Clinical())
    assert np.allclose(unknown, [0, 0, 1, 0, 0, 0, 0, 1, 51.90180032733224 / 90, 1])


@pytest.mark.parametrize("site", SITES)
def test_every_site_has_one_place(site):
    assert encode("sklesion", Clinical(site=site))[3:8].sum() == 1


def test_a_site_is_known_in_any_case_and_others_name_the_list():
    assert canonical_site("  Lower  EXTREMITY ") == "lower extremity"
    with pytest.raises(ValueError, match="head/neck"):
        canonical_site("elbow")


def written(folder, **tensors):
    manifest = complete(**GIVEN)
    return bundle.write(folder, manifest=manifest, network={}, tensors=tensors)


def test_a_bundle_is_what_was_written(tmp_path):
    digest = written(tmp_path, weight=np.arange(6.0).reshape(2, 3), count=np.array(7))
    read = bundle.read(tmp_path)
    assert read.sha256 == digest
    assert read.tensors["count"].shape == ()
    assert np.array_equal(read.tensors["weight"], [[0, 1, 2], [3, 4, 5]])


def test_changed_weights_and_unknown_formats_are_refused(tmp_path):
    written(tmp_path, weight=np.ones(3))
    weights = tmp_path / bundle.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    with pytest.raises(bundle.BundleError, match="not those that were checked"):
        bundle.read(tmp_path)
    (tmp_path / bundle.DESCRIPTION).write_text('{"format": 99}')
    with pytest.raises(bundle.BundleError, match="99"):
        bundle.read(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"manifest": {"classes": 3}},
        {"manifest": None},
        {"weights": {"sha256": "0"}},
        {"weights": []},
        {"graph": {"file": "network.onnx"}},
        None,
    ],
)
def test_a_description_that_is_none_is_a_damaged_bundle(tmp_path, change):
    written(tmp_path, weight=np.ones(3))
    path = tmp_path / bundle.DESCRIPTION
    description = json.loads(path.read_text())
    path.write_text(json.dumps([] if change is None else description | change))
    with pytest.raises(bundle.BundleError):
        bundle.read(tmp_path)


class Loaded:
    def __init__(self, size: int) -> None:
        self.bytes = size


def test_the_model_that_was_used_least_recently_goes_first():
    cache = ClassifierCache(limit_bytes=10)
    for name in "ab":
        cache.get(name, lambda: Loaded(5))
    cache.get("a", lambda: Loaded(5))
    cache.get("c", lambda: Loaded(5))
    assert [cache.has(name) for name in "abc"] == [True, False, True]


def test_a_model_above_the_limit_is_kept_while_it_is_the_last():
    cache = ClassifierCache(limit_bytes=1)
    cache.get("big", lambda: Loaded(100))
    assert cache.get("big", lambda: Loaded(100))[1] == 0


def layer(values, region=(0, 0, 200, 100), peak=1.0):
    content = render.render(np.asarray(values, np.float32), region, 200, 100, peak)
    return np.asarray(Image.open(io.BytesIO(content)))


def test_heat_lies_where_the_map_is_high():
    found = layer([[0, 0, 0, 1], [0, 0, 0, 0]])
    assert found.shape == (256, 512, 4)
    assert np.unravel_index(found[..., :3].sum(axis=2).argmax(), (256, 512))[0] < 128
    assert found[64, 448, 3] == 255
    assert found[:, :200, 3].max() == 0


def test_nothing_is_drawn_outside_of_the_region_or_for_a_flat_map():
    found = layer(np.ones((2, 2)), region=(50, 0, 150, 100))
    assert found[:, :120, 3].max() == 0
    assert found[:, 200:300, 3].min() == 255
    assert layer(np.zeros((2, 2)), peak=0)[..., 3].max() == 0


def test_the_scale_gets_lighter_all_the_way():
    colours = [int(colour[1:3], 16) * 0.21 + int(colour[3:5], 16) * 0.72 + int(colour[5:], 16) * 0.07
               for colour in render.legend_colours(64)]  # fmt: skip
    assert all(low < high for low, high in pairwise(colours))
