"""Which of the networks with the same names and shapes a file is."""

from typing import Any

import pytest

from classifier.admission.refusal import Refusal
from classifier.admission.report import Report
from tests.conftest import InProcess

ARCHITECTURES = {
    "resnet18": ("torchvision", "resnet18"),
    "vgg11": ("torchvision", "vgg11"),
    "smp resnet18": ("smp-encoder", "resnet18"),
    "package": ("efficientnet-pytorch", "efficientnet-b0"),
    "inception": ("torchvision", "inception_v3"),
}


def recognised(family: str, name: str, prefix: str) -> tuple[dict[str, Any] | str, int, list[str]]:
    """What is found for a network's shapes alone, or the refusal's code; the outputs; what was said."""
    import torch

    from classifier.admission.known import architectures
    from classifier.admission.torch import disambiguate
    from classifier.inference.networks import torch_architectures

    with torch.device("meta"):
        network = torch_architectures.build({"family": family, "name": name}, 7)
    shapes = {prefix + name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    found, report = architectures.candidates(shapes), Report()
    try:
        chosen = disambiguate.choose(
            found, lambda one: torch_architectures.build(one.architecture, one.outputs).requires_grad_(False), report
        )
    except Refusal as refusal:
        return refusal.problem.code, len(refusal.problem.candidates), []
    return chosen.architecture, chosen.outputs, [check.detail for check in report.checks]


@pytest.mark.parametrize("prefix", ["", "module.model."])
@pytest.mark.parametrize("name", ["resnet18", "vgg11", "package", "inception", "smp resnet18"])
def test_a_network_is_known_by_its_shapes_under_any_prefix(in_torch: InProcess, name: str, prefix: str) -> None:
    family, of_library = ARCHITECTURES[name]
    architecture, outputs, _said = in_torch(recognised, family, of_library, prefix)
    assert architecture == {"family": family, "name": of_library}
    assert outputs == 7


def test_the_plain_form_is_taken_and_its_variants_are_named(in_torch: InProcess) -> None:
    architecture, _outputs, said = in_torch(recognised, "torchvision", "resnet50", "")
    assert architecture == {"family": "torchvision", "name": "resnet50"}
    assert said == ["assumed: it is the plain resnet50; names and shapes also fit resnetaa50, resnetblur50"]


def test_real_doubt_ends_in_a_choice(in_torch: InProcess) -> None:
    assert in_torch(recognised, "timm", "tf_mobilenetv3_small_100", "") == ("needs-choice", 2, [])
