"""What training tells: frozen dataclasses of plain scalars, the same for the command line, the app and every test.

Losses are nats per character. `elapsed` and `remaining` are seconds of training, pauses left out. On a wire an event is
one JSON object with its name under "event" (`to_record`, `from_record`).
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Started:
    """Training begins (or goes on, when `step` > 0); everything that will not change on the way."""

    run: str
    path: str
    corpus: str
    characters: int
    train_chars: int
    val_chars: int
    vocab_size: int
    hidden_size: int
    num_layers: int
    parameters: int
    batch_size: int
    seq_len: int
    budget: str  # "time", "steps" or "epochs"
    budget_amount: float  # seconds, updates or passes
    device: str
    backend: str
    threads: int
    seed: int
    step: int
    fraction: float


@dataclass(frozen=True)
class Progress:
    """A few times a second: where training stands. `loss` is the mean over the updates since the last one."""

    step: int
    fraction: float  # of the budget, 0 to 1
    epoch: float
    loss: float
    gradient_norm: float
    learning_rate: float
    chars_per_second: float
    elapsed: float
    remaining: float
    memory: int  # bytes resident, 0 where it cannot be read


@dataclass(frozen=True)
class Evaluated:
    """Validation loss of the averaged weights by the stream protocol, on `chars` characters of the held-out tail."""

    step: int
    fraction: float
    val_loss: float
    train_loss: float | None
    best_loss: float
    best_step: int
    chars: int
    complete: bool  # the whole tail was scored, not a part of it
    elapsed: float
    stale: int = 0  # evaluations since the best one: the model begins to learn by heart, or has nothing left to learn
    expected: float | None = None  # of the best weights on the whole tail at the end of the budget, if it goes on so


@dataclass(frozen=True)
class Landmarks:
    """What simple models reach on this very held-out tail (nats per character), so that a loss means something.

    n-gram models with back-off, counted on the training part alone (its first `chars` characters).
    """

    uniform: float
    unigram: float
    trigram: float
    fivegram: float
    chars: int


@dataclass(frozen=True)
class RateChanged:
    """The user made training faster or more careful: every learning rate from here on is `scale` times the plan's."""

    step: int
    learning_rate: float
    scale: float

    @property
    def compared(self) -> str:
        """The scale in words."""
        times = f"{self.scale:.3g}"
        return "as planned again" if times == "1" else f"{times} times the plan's"


@dataclass(frozen=True)
class Sampled:
    """What the model writes now."""

    step: int
    prompt: str
    text: str
    temperature: float


@dataclass(frozen=True)
class Saved:
    """A checkpoint is safely on disk."""

    step: int
    path: str
    best: bool


@dataclass(frozen=True)
class Recovered:
    """Loss or gradient was not finite: training went back to `back_to` with a smaller learning rate."""

    step: int
    back_to: int
    attempt: int
    learning_rate: float
    reason: str


@dataclass(frozen=True)
class Paused:
    """Training waits."""

    step: int


@dataclass(frozen=True)
class Resumed:
    """Training goes on after a pause."""

    step: int


@dataclass(frozen=True)
class Notice:
    """Something the user should know, in one line: a smaller window, a full disk, a changed encoding.

    `unsaved`: it says why a model could not be saved, which matters until the next `Saved`.
    """

    message: str
    unsaved: bool = False


@dataclass(frozen=True)
class Failed:
    """Training ended with an error; the last event of a worker that could not go on."""

    message: str
    hint: str


@dataclass(frozen=True)
class Finished:
    """Training is over and saved. `val_loss` belongs to `checkpoint` and to the whole held-out tail.

    Of a tail too long for the budget a part is scored, spread evenly over it: the last `Evaluated` says how much.
    """

    reason: str  # "done", "stopped" or "interrupted"
    checkpoint: str
    val_loss: float | None
    steps: int
    seconds: float
    chars_per_second: float


Event = (
    Started
    | Progress
    | Evaluated
    | Landmarks
    | RateChanged
    | Sampled
    | Saved
    | Recovered
    | Paused
    | Resumed
    | Notice
    | Failed
    | Finished
)

_KINDS: dict[str, type[Any]] = {kind.__name__.lower(): kind for kind in typing.get_args(Event)}


def to_record(event: Event) -> dict[str, Any]:
    """The event as a JSON-ready dictionary, its name first under "event"."""
    return {"event": type(event).__name__.lower(), **asdict(event)}


def from_record(record: Mapping[str, Any]) -> Event:
    """The event that `to_record` wrote.

    Raises:
        ValueError: unknown name, missing or surplus field, or a value of another type.
    """
    kind = _KINDS.get(str(record.get("event")))
    if kind is None:
        raise ValueError(f"unknown event: {re.sub(r'[^ -~]', '?', str(record.get('event')))[:40]}")
    hints = typing.get_type_hints(kind)
    values = {name: value for name, value in record.items() if name != "event"}
    known = {each.name for each in fields(kind)}
    needed = {each.name for each in fields(kind) if each.default is MISSING}
    if not needed <= set(values) <= known:
        raise ValueError(f"wrong fields for event {kind.__name__}")
    for name, value in values.items():
        allowed = typing.get_args(hints[name]) if isinstance(hints[name], types.UnionType) else (hints[name],)
        plain = type(value) in allowed or (float in allowed and type(value) is int)
        if not plain:
            raise ValueError(f"{kind.__name__}.{name} has the wrong type")
    event: Event = kind(**values)
    return event
