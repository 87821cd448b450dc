"""Only what Keras brings itself may stand in a configuration; everything else is called by its name."""

import json
from typing import Any

import pytest

from classifier.admission.keras import config as keras_config
from classifier.admission.keras import repairs
from classifier.admission.refusal import Refusal


def layer(name: str, **fields: Any) -> dict[str, Any]:
    return {"module": "keras.layers", "class_name": name, "registered_name": None, "config": {"name": "it"}} | fields


def model(*layers: dict[str, Any]) -> dict[str, Any]:
    return {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "registered_name": "Functional",
        "config": {"name": "net", "layers": list(layers)},
    }


def code_of(config: dict[str, Any]) -> str:
    with pytest.raises(Refusal) as refusal:
        keras_config.check(config)
    return refusal.value.problem.code


@pytest.mark.parametrize(
    ("part", "code"),
    [
        (layer("Lambda"), "lambda-layer"),
        (layer("Dense", config={"activation": {"class_name": "__lambda__", "config": {"value": ""}}}), "lambda-layer"),
        (layer("TFSMLayer"), "custom-layer"),
        (layer("TorchModuleWrapper"), "custom-layer"),
        (layer("TextVectorization"), "custom-layer"),
        (layer("Popen", module="subprocess"), "custom-layer"),
        (layer("Dense", module="os"), "custom-layer"),
        (layer("Dense", module=None, registered_name="mine>Dense"), "custom-layer"),
        (layer("Variable", module="keras"), "custom-layer"),
        (layer("__typespec__", module="os", spec_name="system"), "custom-layer"),
        (layer("function", module="os", config="system", registered_name="system"), "foreign-function"),
        (layer("function", module="builtins", config="eval", registered_name="function"), "foreign-function"),
        (layer("function", module="keras.activations", config="relu", registered_name="m>f"), "foreign-function"),
        (layer("TFOpLambda"), "tf-op-layer"),
        (layer(["Dense"]), "damaged"),
    ],
)
def test_what_keras_does_not_bring_is_refused(part: dict[str, Any], code: str) -> None:
    assert code_of(model(layer("Dense"), part)) == code


def test_it_is_found_at_any_depth() -> None:
    hidden = layer("TimeDistributed", config={"layer": model(layer("Lambda"))})
    assert code_of(model(hidden)) == "lambda-layer"


def test_a_custom_layer_is_named() -> None:
    squeeze = layer("Squeeze", module=None, registered_name="lesionlab>Squeeze")
    with pytest.raises(Refusal, match="lesionlab>Squeeze"):
        keras_config.check(model(squeeze))


@pytest.mark.parametrize("top", [layer("Dense"), {}, model() | {"module": "subprocess"}])
def test_only_a_model_of_keras_may_be_on_top(top: dict[str, Any]) -> None:
    assert code_of(top) == "foreign-class"


def test_a_nesting_without_end_is_refused() -> None:
    inner: dict[str, Any] = layer("Dense")
    for _level in range(200):
        inner = {"config": inner}
    assert code_of(model(inner)) == "too-deep"


def test_builtin_parts_pass() -> None:
    dense = layer(
        "Dense",
        config={
            "activation": "softmax",
            "kernel_initializer": {"module": "keras.initializers", "class_name": "HeNormal", "config": {}},
            "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}},
        },
    )
    assert keras_config.check(model(layer("Conv2D"), dense)) == "Functional model of 2 built-in layers"


def test_what_only_training_needs_is_left_out() -> None:
    text = json.dumps(model() | {"compile_config": {"loss": {"class_name": "Mine", "module": "mine"}}})
    assert "compile_config" not in keras_config.parse(text)


def test_a_configuration_without_a_models_form_comes_back_as_it_was() -> None:
    """Then the check speaks of what it is, and not the repair of what it lacks."""
    config = model(layer("DepthwiseConv2D", config={"groups": 1}))
    assert repairs.repair(config) == (config, [])


def test_half_precision_of_keras_3_is_single_precision() -> None:
    config = model(layer("Dense", config={"dtype": {"config": {"name": "mixed_float16"}}}))
    repaired, changes = repairs.repair(config, keras=3)
    assert repaired["config"]["layers"][0]["config"] == {"dtype": "float32"}
    assert changes == ["precision mixed_float16 was set to float32 (1 layers)"]


def test_ten_thousand_layers_are_refused() -> None:
    assert code_of(model(*[layer("Dense")] * 10_000)) == "too-many-layers"


def test_what_only_training_needs_is_left_out_of_inner_models_too() -> None:
    inner = model(layer("Dense")) | {"compile_config": {"optimizer": {"class_name": "Adam", "module": "keras"}}}
    parsed = keras_config.parse(json.dumps(model(inner)))
    assert "compile_config" not in json.dumps(parsed)
    assert keras_config.check(parsed) == "Functional model of 1 built-in layers"


def test_a_text_nested_without_end_is_refused_before_anything_copies_it() -> None:
    with pytest.raises(Refusal) as refusal:
        keras_config.parse(json.dumps(model())[:-1] + ', "x": ' + "[" * 900 + "]" * 900 + "}")
    assert refusal.value.problem.code == "too-deep"
