"""Train a small network on scikit-learn's handwritten digits, with numpy alone.

An ordinary training script that knows nothing of the server: a tqdm bar, a line an epoch, `metrics.jsonl`,
checkpoints, and a clean end on Ctrl-C. Try `python train_digits.py --quick`.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits  # type: ignore[import-untyped]
from tqdm import tqdm

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


class Network:
    """One hidden layer (ReLU) and a softmax, trained by gradient descent with momentum."""

    def __init__(self, inputs: int, hidden: int, classes: int, rng: np.random.Generator) -> None:
        self.params: dict[str, Array] = {
            "w1": rng.normal(0, np.sqrt(2 / inputs), (inputs, hidden)),
            "b1": np.zeros(hidden),
            "w2": rng.normal(0, np.sqrt(1 / hidden), (hidden, classes)),
            "b2": np.zeros(classes),
        }
        self.velocity = {name: np.zeros_like(value) for name, value in self.params.items()}

    def _forward(self, x: Array) -> tuple[Array, Array]:
        """Hidden activations and class probabilities, a row an image."""
        hidden = np.maximum(x @ self.params["w1"] + self.params["b1"], 0)
        logits = hidden @ self.params["w2"] + self.params["b2"]
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return hidden, odds / odds.sum(axis=1, keepdims=True)

    def evaluate(self, x: Array, y: Labels) -> tuple[float, float]:
        """Mean cross entropy and accuracy."""
        _, probabilities = self._forward(x)
        loss = -np.log(probabilities[np.arange(len(y)), y] + 1e-12).mean()
        return float(loss), float((probabilities.argmax(axis=1) == y).mean())

    def train_batch(self, x: Array, y: Labels, lr: float) -> None:
        """One step downhill."""
        hidden, error = self._forward(x)
        error[np.arange(len(y)), y] -= 1
        error /= len(y)
        gradients = {"w2": hidden.T @ error, "b2": error.sum(axis=0)}
        error = (error @ self.params["w2"].T) * (hidden > 0)
        gradients |= {"w1": x.T @ error, "b1": error.sum(axis=0)}
        for name, gradient in gradients.items():
            self.velocity[name] = 0.9 * self.velocity[name] - lr * gradient
            self.params[name] += self.velocity[name]


def save(path: Path, params: Mapping[str, Any]) -> None:
    """Write a checkpoint whole or not at all: a run may be stopped at any moment."""
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez(file, **params)
    partial.replace(path)


def train(args: argparse.Namespace) -> float:
    """Train, and return the last validation accuracy; Ctrl-C saves a checkpoint on its way out."""
    rng = np.random.default_rng(args.seed)
    images, labels = load_digits(return_X_y=True)
    order = rng.permutation(len(labels))
    x, y = images[order] / 16, labels[order]
    x_val, y_val, x, y = x[:360], y[:360], x[360:], y[360:]
    network = Network(x.shape[1], args.hidden, 10, rng)

    args.out.mkdir(parents=True, exist_ok=True)
    starts = range(0, len(y), args.batch_size)
    total = args.epochs * len(starts)
    step, best, began = 0, -1.0, time.time()
    with tqdm(total=total, unit="step") as bar, (args.out / "metrics.jsonl").open("w") as metrics:
        try:
            for epoch in range(1, args.epochs + 1):
                shuffled = rng.permutation(len(y))
                for start in starts:
                    batch = shuffled[start : start + args.batch_size]
                    network.train_batch(x[batch], y[batch], args.lr)
                    step += 1
                    bar.update()
                    time.sleep(max(0.0, began + args.seconds * step / total - time.time()))
                train_loss, _ = network.evaluate(x, y)
                val_loss, val_accuracy = network.evaluate(x_val, y_val)
                row = {
                    "step": step,
                    "epoch": epoch,
                    "train_loss": train_loss,
                    "val_loss": val_loss,
                    "val_accuracy": val_accuracy,
                    "time": time.time(),
                }
                metrics.write(json.dumps(row) + "\n")
                metrics.flush()
                tqdm.write(
                    f"epoch {epoch:3d}/{args.epochs}  train_loss={train_loss:.4f}  "
                    f"val_loss={val_loss:.4f}  val_accuracy={val_accuracy:.4f}"
                )
                sys.stdout.flush()  # a pipe would otherwise hold the lines back
                if val_accuracy > best:
                    best = val_accuracy
                    save(args.out / "best.npz", network.params)
                if epoch % args.checkpoint_every == 0 or epoch == args.epochs:
                    save(args.out / f"checkpoint_{epoch:03d}.npz", network.params)
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C would end us while we save
            save(args.out / "checkpoint_interrupted.npz", network.params)
            raise
    return val_accuracy


def parse_args() -> argparse.Namespace:
    """The options; `--quick` is a short run of about three seconds."""
    default_out = os.environ.get("RA_ARTIFACTS_DIR") or f"outputs/{os.environ.get('RA_RUN_ID', 'local')}"
    parser = argparse.ArgumentParser(
        description="Train a small network on handwritten digits.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--lr", type=float, default=0.03, help="learning rate")
    parser.add_argument("--hidden", type=int, default=64, help="units in the hidden layer")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same network")
    parser.add_argument("--checkpoint-every", type=int, default=10, metavar="EPOCHS")
    parser.add_argument("--out", type=Path, default=Path(default_out), help="folder to write to")
    parser.add_argument("--seconds", type=float, default=60, help="pace the training to take about this long")
    parser.add_argument("--quick", action="store_true", help="the same as --epochs 10 --seconds 2")
    args = parser.parse_args()
    if args.quick:
        args.epochs, args.seconds = 10, 2.0
    for name in ("lr", "hidden", "epochs", "batch_size", "checkpoint_every"):
        if getattr(args, name) <= 0:
            parser.error(f"--{name.replace('_', '-')} must be positive")
    return args


def main() -> int:
    """Exit code 0, or 130 when interrupted."""
    args = parse_args()
    try:
        accuracy = train(args)
    except KeyboardInterrupt:
        print(f"interrupted: saved {args.out / 'checkpoint_interrupted.npz'}")
        return 130
    print(f"final val_accuracy={accuracy:.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
