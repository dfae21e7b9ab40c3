"""How long a keystroke in the prompt takes until its ghost text is there, and how long eight completions take.

    python benchmarks/ghost_speed.py [--rounds 200] [--busy]

A keystroke is what the app does for one: the prompt with one more character is read, and the 40 likeliest characters
after it are computed. One that the ghost had foreseen needs one more of these, a backspace none. Weights are random,
which costs the same as learned ones. With --busy a second process trains on all cores meanwhile, as when one plays with
a model that still learns.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
from common import machine, print_table

from chargru.completion.completer import Completer
from chargru.config import ModelConfig, SamplingConfig, TrainingConfig
from chargru.engine import Adam, Network, Parameters, available_cores, crew_for, global_norm
from chargru.text.vocabulary import Vocabulary

LETTERS = "\n" + "".join(map(chr, range(32, 96)))  # 65 characters, as many as the usual texts in English have
SHAPES = [(320, 1), (320, 2), (512, 1), (512, 2)]
GHOST = 40
PROMPT = 200  # characters that stand there before the first keystroke
PASTED = 64 * 100


def model(H: int, L: int) -> Completer:
    vocabulary = Vocabulary.from_text(LETTERS)
    return Completer(Parameters.initial(ModelConfig(vocabulary.size, H, L), 1), vocabulary)


def text(characters: int) -> str:
    return "".join(np.random.default_rng(0).choice(list(LETTERS), characters))


def milliseconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1e3


def told(times: list[float]) -> str:
    return f"{np.median(times):.1f} / {np.percentile(times, 95):.1f}"


def keystrokes(completer: Completer, rounds: int) -> tuple[list[float], list[float], list[float], float]:
    """Milliseconds of keystrokes with their ghost: unforeseen ones, foreseen ones, backspaces; and the characters a
    second of a pasted text."""
    typed = text(PROMPT)
    rng = np.random.default_rng(1)
    reader = completer.reader()
    reader.read(typed)

    def show() -> None:
        reader.read(typed)
        reader.ghost(GHOST, newlines=True)

    unforeseen, foreseen, back = [], [], []
    while len(unforeseen) < rounds:
        for _ in range(10):
            ghost = reader.ghost(GHOST, newlines=True)
            typed += next(each for each in rng.permutation(list(LETTERS)) if each != ghost[0])
            unforeseen.append(milliseconds(show))
        for _ in range(10):
            typed += reader.ghost(GHOST, newlines=True)[0]
            foreseen.append(milliseconds(show))
        for _ in range(10):
            typed = typed[:-1]
            back.append(milliseconds(show))
    pasted = milliseconds(lambda: completer.reader().read(text(PASTED)))
    return unforeseen, foreseen, back, PASTED / pasted * 1e3


def completions(completer: Completer, rounds: int) -> list[float]:
    """Milliseconds of eight completions of 200 characters, scored as they are drawn."""
    times = []
    for seed in range(rounds):
        stream = completer.stream("The harbour was", SamplingConfig(count=8, length=200, seed=seed))
        times.append(milliseconds(lambda stream=stream: list(stream)))
    return times


def train_without_end() -> None:
    """What the second process of --busy does: updates at the app's usual sizes, on all cores."""
    config, cores = ModelConfig(len(LETTERS), 256, 2), available_cores()
    crew = crew_for(cores, 32)
    parameters, network = Parameters.initial(config, 1), Network(config, 32, 64, crew=crew)
    gradients = network.gradients
    assert gradients is not None
    adam = Adam(parameters, TrainingConfig(steps=1), crew)
    ids = np.random.default_rng(0).integers(0, len(LETTERS), (64, 32))
    with crew:
        while True:
            network.loss_and_gradients(parameters, ids, ids)
            adam.update(gradients, global_norm(gradients), 1e-4)


@contextlib.contextmanager
def busy(wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    process = subprocess.Popen([sys.executable, __file__, "--train"])
    try:
        time.sleep(2)  # until it trains
        yield
    finally:
        process.kill()
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200, help="keystrokes (completions: a twentieth)")
    parser.add_argument("--busy", action="store_true", help="while another process trains on all cores")
    parser.add_argument("--train", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.train:
        train_without_end()
    state = "while another process trains on all cores" if options.busy else "on a machine that does nothing else"
    print(f"{machine()}\n{options.rounds} keystrokes, {state}; median / 95th percentile\n")
    rows = []
    with busy(options.busy):
        for H, L in SHAPES:
            completer = model(H, L)
            keystrokes(completer, 5)
            unforeseen, foreseen, back, pasted = keystrokes(completer, options.rounds)
            eight = completions(completer, max(3, options.rounds // 20))
            strokes = (told(each) for each in (unforeseen, foreseen, back))
            rows.append((f"{L} × {H}", *strokes, f"{pasted / 1e3:.1f}", told(eight)))
    header = (
        "model",
        f"keystroke + {GHOST} characters of ghost, ms",
        "the same, typed as foreseen",
        "backspace + ghost, ms",
        "pasted text, k ch/s",
        "8 completions × 200 characters, ms",
    )
    print_table(header, rows)


if __name__ == "__main__":
    main()
