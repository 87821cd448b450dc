"""Each tensor is matched by name and shape, or the list says which did not."""

from classifier.admission.refusal import Refusal
from tests.conftest import InProcess


def match_head(given: str, rows: int = 2) -> tuple[list[str], list[str]]:
    import torch

    from classifier.admission.torch.match_weights import match

    network = {"encoder.w": torch.zeros(3), "head.3.weight": torch.zeros(2, 3), "head.3.bias": torch.zeros(2)}
    tensors = {f"{given}.weight": torch.zeros(rows, 3), f"{given}.bias": torch.zeros(2), "encoder.w": torch.zeros(3)}
    placed, notes = match(network, {f"module.{name}": tensor for name, tensor in tensors.items()})
    return sorted(placed), notes


def refused(given: str, rows: int) -> str:
    try:
        match_head(given, rows)
    except Refusal as refusal:
        return refusal.problem.message
    return ""


def test_a_head_of_another_name_is_mapped_and_said(in_torch: InProcess) -> None:
    for given in ("head.3", "head.1", "fc", "classifier.2"):
        placed, notes = in_torch(match_head, given)
        assert placed == ["encoder.w", "head.3.bias", "head.3.weight"]
        assert "“module.” was taken off before every name" in notes
        assert (f"the layer “{given}” of the file is the network's “head.3”" in notes) == (given != "head.3")


def test_a_head_of_another_size_is_named(in_torch: InProcess) -> None:
    message = in_torch(refused, "fc", 5)
    assert "1 of them: head.3.weight is 5 by 3 and should be 2 by 3" in message
