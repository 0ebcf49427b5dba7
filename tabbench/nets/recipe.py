"""How a net is built and trained: every knob, as plain values. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """The knobs of a training.

    Parameters
    ----------
    epochs : int
        Passes over the fit rows.
    batch_rows : int
        Rows of a step.
    hidden : tuple[int, ...]
        Widths of the hidden layers.
    activation, initialisation, optimiser, schedule, decay_schedule : str
        Names.
    learning_rate : float, default 0.05
        Of a matrix of one input; one of n inputs takes it over the square root of n.
    weight_decay : float, default 0.0
        Decoupled, as a share of the rate.
    l1, l2 : float
        Penalties in the loss, on the matrices.
    dropouts : tuple[float, ...]
        Members take turns at these shares.
    batch_norm : bool, default False
        Whether pre-activations are normalised over the batch.
    clip : float | str | None, default None
        Largest norm of a member's gradient, "auto" for one that follows the norms seen, or None.
    label_smoothing : float, default 0.0
        Share of a label that is spread over all classes.
    mixup : float, default 0.0
        Parameter of the beta distribution that two rows are mixed by; 0 for none.
    noise : float, default 0.0
        Spread of Gaussian noise on the encoded inputs, whose numbers have quartiles about one apart.
    patience : int | None, default None
        epochs without improvement of any member, `stragglers` apart, after which training stops; None for never.
    stragglers : float, default 0.0
        Share of the members, those that improved last, that are not waited for.
    keeps_best : bool, default True
        Whether the epoch with the best validation loss is kept, instead of the last one.
    precision : str, default "float32"
        "float32", "tf32", "bfloat16" or "float16", of matrix products in training.
    heads : int, default 1
        Ensemble members that share all but input scales and last layers (TabM-mini, arXiv:2410.24210); 1 for a plain net.
    momentum : float, default 0.9
        Nesterov's, of SGD.
    betas : tuple[float, float], default (0.9, 0.95)
        Decay of Adam's moments. A shorter memory of squares than the usual 0.999 suits trainings of a few hundred steps.
    min_delta : float, default 0.0
        What the validation loss must fall by to count as an improvement.
    embedding_size : int, default 8
        Numbers that stand for a level of a category with many.
    """

    epochs: int
    batch_rows: int
    hidden: tuple[int, ...] = (128, 128, 128)
    activation: str = "silu"
    initialisation: str = "kaiming"
    optimiser: str = "adam"
    learning_rate: float = 0.05
    schedule: str = "cosine"
    weight_decay: float = 0.0
    decay_schedule: str = "flat-cosine"
    l1: float = 0.0
    l2: float = 0.0
    dropouts: tuple[float, ...] = (0.0,)
    batch_norm: bool = False
    clip: float | str | None = None
    label_smoothing: float = 0.0
    mixup: float = 0.0
    noise: float = 0.0
    patience: int | None = None
    stragglers: float = 0.0
    keeps_best: bool = True
    precision: str = "float32"
    heads: int = 1
    momentum: float = 0.9
    betas: tuple[float, float] = (0.9, 0.95)
    min_delta: float = 0.0
    embedding_size: int = 8

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Recipe:
        """From plain values as JSON holds them; what is no knob is passed over."""
        known = {field.name for field in fields(cls)}
        knobs: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()
                                 if name in known}
        return cls(**knobs)

    def to_json(self) -> dict[str, Any]:
        """Plain values; `of` gives the same recipe back."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
