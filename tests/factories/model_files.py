"""Model files made by their own frameworks, each function in a process of its own (`in_torch`, `in_keras`)."""

from pathlib import Path
from typing import Any


def small_network() -> Any:
    import torch

    torch.manual_seed(0)
    layers: dict[str, torch.nn.Module] = {"conv1": torch.nn.Conv2d(3, 8, 3, padding=1), "fc1": torch.nn.Linear(2048, 3)}
    return torch.nn.ModuleDict(layers)


def save_state_dict(path: Path, *, wrapped: bool = False, legacy: bool = False, prefix: str = "") -> None:
    import torch

    state: Any = {prefix + name: tensor for name, tensor in small_network().state_dict().items()}
    if wrapped:
        state = {"epoch": 3, "model_state_dict": state, "optimizer": {"lr": 0.1}}
    torch.save(state, path, _use_new_zipfile_serialization=not legacy)


def save_half_precision(path: Path) -> None:
    import torch

    torch.save(small_network().half().state_dict(), path)


def save_nan(path: Path) -> None:
    import torch

    network = small_network()
    with torch.no_grad():
        network["fc1"].bias[1] = float("nan")
    torch.save(network.state_dict(), path)


def save_dead(path: Path) -> None:
    """A network that gives the same answer for every picture."""
    import torch

    network = small_network()
    with torch.no_grad():
        network["fc1"].weight.zero_()
    torch.save(network.state_dict(), path)


def save_without(path: Path, name: str) -> None:
    import torch

    state = small_network().state_dict()
    del state[name]
    state["spare.weight"] = torch.zeros(2)
    torch.save(state, path)


def save_safetensors(path: Path) -> None:
    from safetensors.torch import save_file

    save_file(small_network().state_dict(), path)


def save_torchscript(path: Path) -> None:
    import torch

    program = torch.jit.trace(torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3)), torch.zeros(1, 3, 8, 8))
    torch.jit.save(program, path)


def save_encoder(path: Path, head: str) -> None:
    """A seeded random EfficientNet-B2 encoder with a linear head of 8 outputs."""
    import segmentation_models_pytorch as smp
    import torch

    torch.manual_seed(8)
    encoder = smp.encoders.get_encoder("efficientnet-b2", weights=None)
    linear = torch.nn.Linear(encoder.out_channels[-1], 8)
    state = {f"encoder.{name}": tensor for name, tensor in encoder.state_dict().items()}
    state |= {f"{head}.{name}": tensor for name, tensor in linear.state_dict().items()}
    torch.save(state, path)


def save_new_head(path: Path) -> None:
    """A MobileNet of torchvision with a small network in place of its classifier, trained on several processors."""
    import torch
    import torchvision

    torch.manual_seed(0)
    network = torchvision.models.mobilenet_v3_small()
    network.classifier = torch.nn.Sequential(
        torch.nn.Linear(576, 32), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(32, 3)
    )
    torch.save({"state_dict": torch.nn.DataParallel(network).state_dict()}, path)


def save_timm(path: Path, name: str) -> None:
    import timm
    import torch

    torch.manual_seed(0)
    torch.save(timm.create_model(name, num_classes=3).state_dict(), path)


def save_shortcut(path: Path) -> None:
    import torch

    state = {"conv1.weight": torch.ones(8, 3, 3, 3), "conv2.weight": torch.ones(8, 8, 3, 3)}
    torch.save(state | {"shortcut.weight": torch.ones(8, 3, 1, 1), "fc.weight": torch.ones(3, 8)}, path)


def save_keras(path: Path, *, inside: str = "", outputs: int = 3, ending: str = "softmax") -> None:
    """A small Keras model; `inside` adds a Rescaling or Lambda layer, or a branch of clinical numbers."""
    import keras

    keras.utils.set_random_seed(0)
    image = value = keras.layers.Input((24, 24, 3))
    inputs = [image]
    if inside == "rescaling":
        value = keras.layers.Rescaling(1 / 255)(value)
    if inside == "lambda":
        value = keras.layers.Lambda(lambda x: x * 2)(value)
    value = keras.layers.Conv2D(4, 3, activation="relu", name="conv")(value)
    value = keras.layers.GlobalAveragePooling2D()(value)
    if inside == "clinical":
        inputs.append(keras.layers.Input((10,)))
        value = keras.layers.Concatenate()([value, inputs[1]])
    value = keras.layers.Dense(outputs, activation=ending)(value)
    keras.Model(inputs, value).save(path)
