"""Train the demo classifier: python demo/train.py --data DATA --out DIR; a second call goes on where the first stopped.

The plan is a list of stages, picture size x epochs. The learning rate warms up, stays, and falls to zero in the last
stage. After every epoch DIR/state.pt holds everything needed to resume; at the end DIR/efficientnet_b2.pth is written.
On a machine that others use too, set OMP_WAIT_POLICY=PASSIVE: it is three times as fast there.
"""

import argparse
import copy
import random
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from dataset import SEED, Picture, Pool, augment, decode_all, normalise, read_labels, split_by_lesion
from network import CLASSES, Classifier, save_half
from pretrained import settle, start
from torch import Tensor, nn

BATCH = 32
POWER = 0.5
SMOOTHING = 0.05
PEAK_RATE = 1e-3
WEIGHT_DECAY = 0.03
WARM_UP_STEPS = 150
AVERAGE_OVER = 400


@dataclass(frozen=True)
class Stage:
    """A picture size in pixels and how many epochs it is used."""

    size: int
    epochs: int


class Run:
    """All that changes while training, and how it is written and read back."""

    def __init__(self, out: Path) -> None:
        self.path = out / "state.pt"
        self.model = Classifier()
        self.averaged = copy.deepcopy(self.model).eval()
        self.optimiser = torch.optim.AdamW(groups(self.model), lr=PEAK_RATE, weight_decay=WEIGHT_DECAY)
        self.generator = torch.Generator().manual_seed(SEED)
        self.rng = np.random.default_rng(SEED)
        self.epoch, self.step, self.seconds = 0, 0, 0.0

    def save(self) -> None:
        state = {
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "random": (self.generator.get_state(), torch.get_rng_state(), self.rng.bit_generator.state),
            "progress": (self.epoch, self.step, self.seconds),
        }
        torch.save(state, self.path.with_suffix(".part"))
        self.path.with_suffix(".part").replace(self.path)

    def load(self) -> None:
        state = torch.load(self.path, weights_only=True)  # noqa: TID251
        self.model.load_state_dict(state["model"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimiser.load_state_dict(state["optimiser"])
        own, torchs, self.rng.bit_generator.state = state["random"]
        self.generator.set_state(own)
        torch.set_rng_state(torchs)
        self.epoch, self.step, self.seconds = state["progress"]

    @torch.no_grad()
    def average(self) -> None:
        """Move the averaged weights and statistics towards the model; early on it is a plain mean."""
        share = max(1 / (self.step + 1), 1 / AVERAGE_OVER)
        for mean, value in zip(self.averaged.state_dict().values(), self.model.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(value, share)
            else:
                mean.copy_(value)


def groups(model: nn.Module) -> list[dict]:
    """Return parameter groups: no weight decay for biases and norms."""
    matrices = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    vectors = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
    return [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}]


def rate(step: int, total: int, falling: int) -> float:
    """Return the learning rate of a step: warm up, stay, fall over the last steps along a half cosine."""
    if step < total - falling:
        return PEAK_RATE * min(1.0, (step + 1) / WARM_UP_STEPS)
    done = min(1.0, (step - total + falling) / falling)
    return PEAK_RATE * 0.5 * (1 + float(np.cos(np.pi * done)))


def accelerate(model: Classifier) -> None:
    """Set the memory format and the precision of the convolutions for training on a CPU with bfloat16."""
    model.to(memory_format=torch.channels_last)
    in_float(model.encoder._conv_stem)
    for block in model.encoder._blocks:
        in_float(block._depthwise_conv)


def in_float(convolution: nn.Conv2d) -> None:
    """Let a convolution calculate in float32 under autocast: depthwise ones are slow in bfloat16."""
    forward = convolution.forward

    def call(x: Tensor) -> Tensor:
        with torch.autocast("cpu", enabled=False):
            return forward(x.float()).to(torch.bfloat16)

    convolution.forward = call


def train_epoch(run: Run, pool: Pool, draws: int, total: int, falling: int) -> float:
    """Go once through a draw of the pool and return the mean loss, logit-adjusted for the classes' shares in it."""
    run.model.train()
    counts = torch.from_numpy(pool.class_counts(draws, POWER))
    prior = (counts / counts.sum()).log().float()
    rows = pool.draw(draws, POWER, run.rng)
    losses = []
    for batch in rows.split(BATCH):
        if len(batch) < BATCH:
            break
        for group in run.optimiser.param_groups:
            group["lr"] = rate(run.step, total, falling)
        with torch.autocast("cpu", torch.bfloat16):
            logits = run.model(augment(pool.pixels[batch], run.generator)).float()
        loss = nn.functional.cross_entropy(logits + prior, pool.labels[batch], label_smoothing=SMOOTHING)
        run.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(run.model.parameters(), 5.0)
        run.optimiser.step()
        run.average()
        run.step += 1
        losses.append(loss.item())
    return float(np.mean(losses))


@torch.no_grad()
def predict(model: nn.Module, pixels: Tensor) -> Tensor:
    """Return logits (N, 8) of uint8 pixels (N, 3, S, S), in evaluation mode."""
    model.eval()
    return torch.cat([model(normalise(part.float() / 255)) for part in pixels.split(64)])


def balanced(logits: Tensor, labels: Tensor) -> float:
    """Return the mean sensitivity of the classes that occur."""
    right = (logits.argmax(1) == labels).float()
    return float(torch.stack([right[labels == label].mean() for label in labels.unique()]).mean())


def class_balance(logits: Tensor, labels: Tensor, steps: int = 400) -> Tensor:
    """Return the bias (8,) that makes the class-balanced cross-entropy of logits (N, 8) least."""
    weight = 1 / torch.bincount(labels, minlength=len(CLASSES)).clamp(min=1)
    bias = torch.zeros(len(CLASSES), requires_grad=True)
    optimiser = torch.optim.Adam([bias], lr=0.05)
    for _ in range(steps):
        loss = nn.functional.cross_entropy(logits + bias, labels, weight=weight) + 0.02 * bias.square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return (bias - bias.mean()).detach()


def finish(run: Run, data: Path, held_out: list[Picture], size: int, out: Path) -> None:
    """Tune the bias of the head on the hold-out and write the float16 weights."""
    labels = torch.tensor([picture.label for picture in held_out])
    logits = predict(run.averaged, decode_all(data, [picture.best for picture in held_out], size))
    bias = class_balance(logits, labels)
    model = copy.deepcopy(run.averaged)
    with torch.no_grad():
        model.head[3].bias += bias
    print(f"hold-out balanced accuracy {balanced(logits, labels):.3f} -> {balanced(logits + bias, labels):.3f}")
    print("bias", dict(zip(CLASSES, bias.numpy().round(2).tolist(), strict=True)))
    save_half(model, out)


def prepare(run: Run, pool: Pool) -> None:
    """Load ImageNet weights into a fresh run and settle the batch norms on its pictures."""
    print(f"{start(run.model)} tensors copied")
    rows = pool.draw(640, POWER, np.random.default_rng(SEED))
    batches = [normalise(pool.pixels[part].float() / 255) for part in rows.split(64)]
    with torch.autocast("cpu", torch.bfloat16):
        settle(run.model, batches)
    run.averaged.load_state_dict(run.model.state_dict())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--plan", default="128x8,144x5", help="size x epochs, comma between stages")
    parser.add_argument("--size", type=int, default=160, help="side of the input when the model is used")
    parser.add_argument("--draws", type=int, default=6000, help="pictures an epoch")
    options = parser.parse_args()
    stages = [Stage(*map(int, stage.split("x"))) for stage in options.plan.split(",")]
    options.out.mkdir(parents=True, exist_ok=True)
    random.seed(SEED)
    torch.manual_seed(SEED)
    train, held_out = split_by_lesion(read_labels(options.data, "train"))
    (options.out / "efficientnet_b2.train.txt").write_text("".join(f"{picture.image}\n" for picture in train))
    run = Run(options.out)
    if run.path.exists():
        run.load()
    accelerate(run.model)
    go(run, stages, options, train, held_out)
    finish(run, options.data, held_out, options.size, options.out / "efficientnet_b2.pth")


def go(
    run: Run, stages: list[Stage], options: argparse.Namespace, train: list[Picture], held_out: list[Picture]
) -> None:
    """Train all epochs of the plan that are not done yet."""
    steps = options.draws // BATCH
    total = sum(stage.epochs for stage in stages) * steps
    labels = torch.tensor([picture.label for picture in held_out])
    first = 0
    for stage in stages:
        last, pool = first + stage.epochs, None
        while first <= run.epoch < last:
            if pool is None:
                pool = Pool(options.data, train, stage.size)
                held_out_pixels = decode_all(options.data, [picture.best for picture in held_out], stage.size)
            if run.step == 0:
                prepare(run, pool)
            began = time.monotonic()
            loss = train_epoch(run, pool, options.draws, total, stages[-1].epochs * steps)
            run.epoch += 1
            run.seconds += time.monotonic() - began
            score = balanced(predict(run.averaged, held_out_pixels), labels)
            print(
                f"epoch {run.epoch} {stage.size} px loss {loss:.3f} hold-out {score:.3f} {run.seconds / 60:.1f} min",
                flush=True,
            )
            run.save()
        first = last


if __name__ == "__main__":
    main()
