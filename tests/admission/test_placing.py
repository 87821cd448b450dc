"""Each tensor finds its place by name and shape, or the list says which did not."""

from pathlib import Path

from classifier.admission.outcome import Refusal
from tests.conftest import InProcess


def place_head(given: str, rows: int = 2) -> tuple[list[str], list[str]]:
    import torch

    from classifier.admission.placing import place

    network = {"encoder.w": torch.zeros(3), "head.3.weight": torch.zeros(2, 3), "head.3.bias": torch.zeros(2)}
    tensors = {f"{given}.weight": torch.zeros(rows, 3), f"{given}.bias": torch.zeros(2), "encoder.w": torch.zeros(3)}
    placed, notes = place(network, {f"module.{name}": tensor for name, tensor in tensors.items()})
    return sorted(placed), notes


def refused(given: str, rows: int) -> str:
    try:
        place_head(given, rows)
    except Refusal as refusal:
        return refusal.problem.message
    return ""


def proposed(folder: Path) -> list[str | None]:
    """The names proposed for encoders of three families, made without their weights."""
    import segmentation_models_pytorch as smp
    import torch

    from classifier.admission.architectures import propose

    found: list[str | None] = []
    for name in ("efficientnet-b2", "resnet18", "resnet50"):
        with torch.device("meta"):
            encoder = smp.encoders.get_encoder(name, weights=None)
            head = torch.nn.Linear(encoder.out_channels[-1], 7)
        tensors = {f"encoder.{key}": tensor for key, tensor in encoder.state_dict().items()}
        tensors |= {f"head.1.{key}": tensor for key, tensor in head.state_dict().items()}
        proposal = propose(tensors)
        found.append(proposal.architecture["name"] if proposal else None)
        del tensors["head.1.weight"]
        found.append(None if propose(tensors) is None else "something")
    return found


def test_a_head_of_another_name_is_mapped_and_said(in_torch: InProcess) -> None:
    for given in ("head.3", "head.1", "fc", "classifier.2"):
        placed, notes = in_torch(place_head, given)
        assert placed == ["encoder.w", "head.3.bias", "head.3.weight"]
        assert "“module.” was taken off before every name" in notes
        assert (f"the layer “{given}” of the file is the network's “head.3”" in notes) == (given != "head.3")


def test_a_head_of_another_size_is_named(in_torch: InProcess) -> None:
    message = in_torch(refused, "fc", 5)
    assert "1 of them: head.3.weight is 5 by 3 and should be 2 by 3" in message


def test_encoders_are_known_by_their_shapes(in_torch: InProcess, tmp_path: Path) -> None:
    assert in_torch(proposed, tmp_path) == ["efficientnet-b2", None, "resnet18", None, "resnet50", None]
