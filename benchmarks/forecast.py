"""How well the forecast of a training's validation loss holds, and the coefficients it is made with.

    python benchmarks/forecast.py --out FILE [TEXT ...]    # trains what is not in the file yet, then fits
    python benchmarks/forecast.py --out FILE --fit         # fits only; benchmarks/forecast.jsonl is such a file

The texts are those of the library and any others that are given (tiny shakespeare, say), whole and in slices from
their beginnings and middles, because what a training reaches depends first of all on how much text there is. Each is
trained with what is chosen for a few budgets of updates, two trainings side by side with one thread each, so it does
not matter that machines differ or are busy. A line of the file is one training: the text and what a close look at it
found, the sizes, the characters read, the validation loss, what was told of it on the way. The tables hold every text
against a fit that has not seen it, nor any slice of it.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from common import machine, print_table

from chargru.config import ModelConfig, TrainRequest
from chargru.events import Evaluated, Finished, Started
from chargru.text import library
from chargru.text.stream import fit_shape
from chargru.training.autotune import BATCH_SIZE, SEQ_LEN
from chargru.training.difficulty import Difficulty
from chargru.training.likely import (
    COEFFICIENTS,
    SHORT,
    WAY,
    WEIGHTS,
    capacity,
    clues,
    features,
    likely_loss,
    margin,
    share_after,
)
from chargru.training.pilot import Pilot
from chargru.training.prior import Prior, prior_of
from chargru.training.session import open_session

MOMENTS = (0.25, 0.5)  # of the budget, at which the loss that is told on the way is noted
LONG = 50_000  # characters: of shorter texts so little is held out that its loss is a lottery
_NEAR = 0.02  # of the way, or of the loss: nobody is nearer than that but by chance
_RIDGE = 1e-3  # keeps clues that say the same from being played off against each other

Array = npt.NDArray[Any]

# name, slice (begin, characters; None is all)
Piece = tuple[str, int, int | None]


def pieces(names: list[str]) -> Iterator[Piece]:
    """Every text, whole and in slices that are clearly smaller than it."""
    for name in names:
        length = len(library.load(name).text)
        yield name, 0, None
        for begin, size in ((0, 20_000), (length // 2, 100_000)):  # 2,000 characters are a lottery
            if begin + size <= length * 0.6:
                yield name, begin, size


def budgets(characters: int) -> tuple[int, ...]:
    """Updates: what some seconds to one minute hold. Short texts are learned by heart soon."""
    return (200, 800) if characters <= 150_000 else (200, 800, 1_750)


@functools.lru_cache(maxsize=2)
def text_of(piece: Piece) -> str:
    name, begin, size = piece
    text = library.load(name).text
    return text if size is None else text[begin : begin + size]


@dataclass(frozen=True)
class Case:
    """One training and what a forecast knows of it."""

    text: str
    characters: int
    model: ModelConfig
    read: int
    loss: float
    prior: Prior
    expected: tuple[float | None, ...]  # told at MOMENTS

    @classmethod
    def of(cls, row: dict[str, Any]) -> Case:
        """A line of the file."""
        prior = Prior(Difficulty(**row["hard"]), Pilot(**row["pilot"]) if row["pilot"] else None)
        model = ModelConfig(row["vocab_size"], row["hidden_size"], row["num_layers"])
        return cls(row["text"], row["characters"], model, row["read"], row["val_loss"], prior, tuple(row["expected"]))

    @property
    def n_train(self) -> int:
        return int(0.9 * self.characters)

    @property
    def updates(self) -> float:
        batch_size, seq_len = fit_shape(self.n_train, BATCH_SIZE, SEQ_LEN)
        return self.read / (batch_size * seq_len)

    @property
    def best(self) -> float:
        """The n-gram loss to be expected with as much text."""
        return self.prior.hard.best_at(min(self.n_train, self.read))

    @property
    def more(self) -> float:
        return capacity(self.model.hidden_size, self.model.num_layers)

    @property
    def certain(self) -> float:
        """How much its loss is worth: less where few characters were scored."""
        return 1 / math.sqrt(1 + 3000 / self.prior.hard.measured)

    def predicted(self, coefficients: Sequence[float], weights: Sequence[float] | None) -> float:
        """The loss that a forecast with these coefficients gives; without `weights` one without a pilot."""
        prior = self.prior if weights is not None else replace(self.prior, pilot=None)
        known = (prior, self.model, self.n_train, self.updates, self.read)
        return likely_loss(*known, coefficients=coefficients, weights=weights or WEIGHTS)

    def margin(self, likely: float) -> float:
        return margin(self.prior, likely, self.n_train, self.updates, self.read)


def fit(cases: Sequence[Case]) -> list[float]:
    """The coefficients of a forecast from the text alone."""
    X = np.array([features(each.prior.hard, each.best, each.updates) for each in cases])
    q = np.array([share_after(each.loss, each.prior.hard.unigram, each.best) - each.more for each in cases])
    w = np.array([(each.prior.hard.unigram - each.best) * each.certain for each in cases])
    return _least_deviations(X, q, w, 0.0)


def fit_clues(cases: Sequence[Case]) -> list[float]:
    """The weights of a forecast with a pilot."""
    far = (each for each in cases if each.updates >= SHORT)
    found = [(each, pilot) for each in far if (pilot := each.prior.piloted) is not None]
    X = np.array([clues(each.prior.hard, pilot, each.n_train, each.updates, each.read) for each, pilot in found])
    y = np.array([math.log(each.loss / pilot.late) + WAY * each.more for each, pilot in found])
    return _least_deviations(X, y, np.array([each.certain for each, _ in found]), _RIDGE)


def _least_deviations(X: Array, y: Array, w: Array, ridge: float) -> list[float]:
    """Coefficients c for which the weighed sum of |y − X c| is least, by least squares again and again.

    A few texts are nothing like the others (manual pages, say, of which each repeats the last); least squares would
    bend everything towards them.
    """
    found, trust = np.zeros(X.shape[1]), np.ones(len(w))
    for _ in range(30):
        A = X * (w * trust)[:, None]
        found = np.linalg.solve(A.T @ A + ridge * np.eye(X.shape[1]), A.T @ (y * w * trust))
        trust = 1 / np.sqrt(np.maximum(w * np.abs(y - X @ found), _NEAR))
    return [float(value) for value in found]


def report(cases: Sequence[Case]) -> None:
    """Every training against fits that have not seen its text, and what was told on the way; then the fits to all."""
    rows, glances, guesses = [], [], []
    fits = {name: _fits([each for each in cases if each.text != name]) for name in {each.text for each in cases}}
    for each in cases:
        coefficients, weights = fits[each.text]
        glances.append(each.predicted(coefficients, None))
        guesses.append(each.predicted(coefficients, weights))
        told = ["" if value is None else f"{value:.2f}" for value in each.expected]
        sizes = f"{each.model.num_layers} × {each.model.hidden_size}"
        row = (each.text, f"{each.characters:,}", sizes, f"{each.updates:,.0f}", f"{glances[-1]:.2f}")
        rows.append((*row, f"{guesses[-1]:.2f} ± {each.margin(guesses[-1]):.2f}", *told, f"{each.loss:.2f}"))
    on_the_way = [f"told at {moment:.0%}" for moment in MOMENTS]
    print_table(["text", "characters", "units", "updates", "text alone", "with a pilot", *on_the_way, "reached"], rows)
    for steps in (None, *sorted({round(each.updates, -1) for each in cases})):
        part = [
            place
            for place, each in enumerate(cases)
            if each.characters >= LONG and steps in (None, round(each.updates, -1))
        ]
        which = "all" if steps is None else f"{steps:,.0f} updates"
        print(f"\n{which}, texts of {LONG:,} characters and more, each left out of the fit; per cent of the loss")
        summary("text alone", [glances[place] / cases[place].loss - 1 for place in part])
        summary("with a pilot", [guesses[place] / cases[place].loss - 1 for place in part])
        for moment, name in enumerate(on_the_way):
            found = [(cases[place].expected[moment], cases[place].loss) for place in part]
            summary(name, [value / loss - 1 for value, loss in found if value is not None])
    inside = sum(abs(guess - each.loss) <= each.margin(guess) for each, guess in zip(cases, guesses, strict=True))
    print(f"\nwithin the range: {inside} of {len(cases)}")
    for name, found, used in zip(("text alone", "with a pilot"), _fits(cases), (COEFFICIENTS, WEIGHTS), strict=True):
        print(f"{name}, fitted to all:", ", ".join(f"{value:.3f}" for value in found))
        print(f"{name}, in use:       ", ", ".join(f"{value:.3f}" for value in used))


def _fits(cases: Sequence[Case]) -> tuple[list[float], list[float]]:
    return fit(cases), fit_clues(cases)


def summary(name: str, errors: list[float]) -> None:
    if not errors:
        return
    off = sorted(100 * abs(error) for error in errors)
    within = sum(error <= 3 for error in off)
    nine = off[math.ceil(0.9 * len(off)) - 1]
    figures = f"median {statistics.median(off):.1f}, nine of ten {nine:.1f}, worst {off[-1]:.1f}"
    print(f"  {name}: {figures}, within 3 %: {within} of {len(off)}")


def train(piece: Piece, steps: int) -> dict[str, Any]:
    """One training, as a line of the file."""
    name, begin, size = piece
    prior = prior_of(text_of(piece), whole=True, closely=True, threads=1)
    if prior is None:
        raise ValueError(f"{name} is too short to hold a part out")
    started = finished = None
    expected: dict[float, float] = {}
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "text.txt")
        path.write_text(text_of(piece), encoding="utf-8", newline="\n")
        request = TrainRequest(corpus=str(path), steps=steps, out=str(Path(directory, "runs")), threads=1)
        for event in open_session(request).run():
            match event:
                case Started():
                    started = event
                case Finished():
                    finished = event
                case Evaluated(fraction=fraction, expected=float(told)):
                    for moment in MOMENTS:
                        if fraction >= moment:
                            expected.setdefault(moment, told)
    assert started is not None
    assert finished is not None
    return {
        "text": Path(name).stem,
        "begin": begin,
        "size": size,
        "steps": steps,
        "characters": started.characters,
        "vocab_size": started.vocab_size,
        "hidden_size": started.hidden_size,
        "num_layers": started.num_layers,
        "read": finished.steps * started.batch_size * started.seq_len,
        "val_loss": finished.val_loss,
        "hard": asdict(prior.hard),
        "pilot": prior.pilot and asdict(prior.pilot),
        "expected": [expected.get(moment) for moment in MOMENTS],
    }


def train_missing(names: list[str], rows: list[dict[str, Any]], out: Path, side_by_side: int) -> None:
    """Add to `rows` and to the file the trainings that are not there yet; the long ones first."""
    done = {(row["text"], row["begin"], row["size"], row["steps"]) for row in rows}
    wanted = [(steps, piece) for piece in pieces(names) for steps in budgets(len(text_of(piece)))]
    wanted = [(steps, piece) for steps, piece in wanted if (Path(piece[0]).stem, *piece[1:], steps) not in done]
    wanted.sort(key=lambda each: -each[0])
    with ProcessPoolExecutor(side_by_side) as pool, out.open("a") as file:
        for future in as_completed([pool.submit(train, piece, steps) for steps, piece in wanted]):
            rows.append(future.result())
            print(json.dumps(rows[-1]), file=file, flush=True)
            print(json.dumps(rows[-1]), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="*", help="texts besides those of the library")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines: read if there, added to")
    parser.add_argument("--fit", action="store_true", help="train nothing")
    parser.add_argument("--side-by-side", type=int, default=2, help="trainings at once, one thread each")
    arguments = parser.parse_args()
    print(machine() + "\n")
    names = [entry.name for entry in library.entries()] + arguments.texts
    rows = [json.loads(line) for line in arguments.out.read_text().splitlines()] if arguments.out.exists() else []
    if not arguments.fit:
        train_missing(names, rows, arguments.out, arguments.side_by_side)
    rows.sort(key=lambda row: (row["text"], row["begin"], row["size"] or 0, row["steps"]))
    report([Case.of(row) for row in rows])


if __name__ == "__main__":
    main()
