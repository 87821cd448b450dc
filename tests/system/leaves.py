"""A tiny network of another field, made in the process of its framework (so nothing of Django here)."""

import io


def leaf_state_dict() -> bytes:
    import torch

    torch.manual_seed(0)
    network = torch.nn.ModuleDict(
        {"conv1": torch.nn.Conv2d(3, 8, 3, padding=1), "fc1": torch.nn.Linear(8 * 16 * 16, 3)}
    )
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    return file.getvalue()
