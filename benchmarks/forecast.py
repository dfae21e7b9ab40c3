"""How well the forecast of a training's validation loss holds, and the coefficients it is made with.

    python benchmarks/forecast.py --out FILE [TEXT ...]          # trains what is not in the file yet, then fits
    python benchmarks/forecast.py --out FILE --fit [TEXT ...]    # fits only; benchmarks/forecast.jsonl is such a file

The texts are those of the library and any others that are given (tiny shakespeare, say), whole and in slices from
their beginnings and middles, because what a training reaches depends first of all on how much text there is. Each is
trained with what is chosen for a few budgets of updates, two trainings side by side with one thread each, so it does
not matter that machines differ or are busy. A line of the file is one training: the text, the sizes, the characters
read, the validation loss. The table holds every text against a fit that has not seen it, nor any slice of it.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from common import machine, print_table

from chargru.config import TrainRequest
from chargru.events import Evaluated, Finished, Started
from chargru.text import library
from chargru.text.stream import fit_shape
from chargru.training.difficulty import Difficulty, difficulty_of
from chargru.training.forecast import COEFFICIENTS, capacity, features, loss_after, margin, share_after
from chargru.training.session import open_session

MOMENTS = (0.25, 0.5)  # of the budget, at which the loss that is told on the way is noted
_NEAR = 0.02  # of the way: nobody is nearer than that but by chance
SAMPLE = 1_000_000  # characters that a forecast sees, as the app's preview

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
    hidden_size: int
    num_layers: int
    updates: float
    loss: float
    hard: Difficulty
    best: float  # n-gram loss to be expected with as much text
    features: tuple[float, ...]
    whole: bool
    expected: tuple[float | None, ...]  # told at MOMENTS

    @property
    def weight(self) -> float:
        """How much the share of this one is worth: less where few characters were scored, or little can be learned."""
        return (self.hard.unigram - self.best) / math.sqrt(1 + 3000 / self.hard.measured)

    def predicted(self, coefficients: Sequence[float]) -> float:
        share = float(np.dot(coefficients, self.features)) + capacity(self.hidden_size, self.num_layers)
        return loss_after(share, self.hard.unigram, self.best)

    @property
    def margin(self) -> float:
        return margin(self.hard, self.best, self.updates, whole=self.whole)


def case(row: dict[str, Any], name: str) -> Case:
    text = text_of((name, row["begin"], row["size"]))
    whole = len(text) <= SAMPLE * 1.2  # a text that is little longer than the sample is taken as it is
    hard = difficulty_of(text if whole else text[:SAMPLE], whole=whole)
    assert hard is not None
    n_train = int(0.9 * len(text))
    batch_size, seq_len = fit_shape(n_train, 32, 64)
    updates = row["read"] / (batch_size * seq_len)
    best = hard.best_at(min(n_train, row["read"]))
    known = features(hard, best, updates)
    sizes = (row["characters"], row["hidden_size"], row["num_layers"], updates, row["val_loss"])
    return Case(row["text"], *sizes, hard, best, known, whole, tuple(row["expected"]))


def fit(cases: Sequence[Case]) -> list[float]:
    """The coefficients of `chargru.training.forecast`: least absolute deviations, by least squares again and again.

    A few texts are nothing like the others (manual pages, say, of which each repeats the last); least squares would
    bend everything towards them.
    """
    X = np.array([each.features for each in cases])
    q = np.array([share_after(each.loss, each.hard.unigram, each.best) for each in cases])
    q -= [capacity(each.hidden_size, each.num_layers) for each in cases]
    w = np.array([each.weight for each in cases])
    found, trust = np.zeros(X.shape[1]), np.ones(len(w))
    for _ in range(30):
        found = np.linalg.lstsq(X * (w * trust)[:, None], q * w * trust, rcond=None)[0]
        trust = 1 / np.sqrt(np.maximum(w * np.abs(q - X @ found), _NEAR))
    return [float(value) for value in found]


def report(cases: Sequence[Case]) -> None:
    """Every training against a fit that has not seen its text, and what was told on the way; then the fit to all."""
    rows, guesses = [], []
    for each in cases:
        guesses.append(each.predicted(fit([other for other in cases if other.text != each.text])))
        told = ["" if value is None else f"{value:.2f}" for value in each.expected]
        row = (each.text, f"{each.characters:,}", f"{each.num_layers} × {each.hidden_size}", f"{each.updates:,.0f}")
        rows.append((*row, f"{each.best:.2f}", f"{guesses[-1]:.2f} ± {each.margin:.2f}", *told, f"{each.loss:.2f}"))
    on_the_way = [f"told at {moment:.0%}" for moment in MOMENTS]
    print_table(["text", "characters", "units", "updates", "best n-gram", "predicted", *on_the_way, "reached"], rows)
    for least in (0, 50_000):
        part = [(each, guess) for each, guess in zip(cases, guesses, strict=True) if each.characters >= least]
        print(f"texts of {least:,} characters and more, text left out of the fit; per cent of the loss")
        summary("before", [guess / each.loss - 1 for each, guess in part])
        for i, name in enumerate(on_the_way):
            found = [(each.expected[i], each.loss) for each, _ in part]
            summary(name, [value / loss - 1 for value, loss in found if value is not None])
    inside = sum(abs(guess - each.loss) <= each.margin for each, guess in zip(cases, guesses, strict=True))
    print(f"within the range: {inside} of {len(cases)}")
    print("coefficients fitted to all:", ", ".join(f"{value:.3f}" for value in fit(cases)))
    print("coefficients in use:       ", ", ".join(f"{value:.3f}" for value in COEFFICIENTS))


def summary(name: str, errors: list[float]) -> None:
    off = sorted(100 * abs(error) for error in errors)
    within = sum(error <= 3 for error in off)
    print(f"  {name}: median {statistics.median(off):.1f}, worst {off[-1]:.1f}, within 3 %: {within} of {len(off)}")


def train(piece: Piece, steps: int) -> dict[str, Any]:
    """One training, as a line of the file."""
    name, begin, size = piece
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
    known = {Path(name).stem: name for name in names}
    rows.sort(key=lambda row: (row["text"], row["begin"], row["size"] or 0, row["steps"]))
    report([case(row, known[row["text"]]) for row in rows if row["text"] in known])


if __name__ == "__main__":
    main()
