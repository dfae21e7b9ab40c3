"""Whether the app stays as small and as quick as it was: an hour of a training's events, as fast as they can be taken.

    python benchmarks/app_memory.py [--ticks 36000] [--size 160x48]

Ten ticks are a second. Each carries a Progress, now and then an evaluation, a sample, a save, a notice, a changed rate
or a recovery, through the pump into the app with the Train screen open, headless. The chart is drawn once a simulated
second. Memory is what is resident of this process; a tenth of the ticks are left for warming up.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import math
import statistics
import time

from common import machine, print_table

from chargru.config import TrainRequest
from chargru.events import (
    Evaluated,
    Event,
    Landmarks,
    Notice,
    Progress,
    RateChanged,
    Recovered,
    Sampled,
    Saved,
    Started,
)
from chargru.training.clock import resident_memory
from chargru.tui.app import ChargruApp
from chargru.tui.messages import TrainingWanted

LIMIT = 20e6  # bytes that it may grow by after warming up
SAMPLE = "The boat came in before the tide had turned, and nobody on the quay said a word about it. "
STARTED = Started(
    "tales", "", "tales", 162_739, 146_465, 16_273, 69, 256, 1, 300_000, 32, 64, "time", 3600.0, "CPU", "numpy", 2, 1,
    0, 0.0,
)  # fmt: skip


class Fed:
    """A runner whose mailbox this program fills."""

    def __init__(self) -> None:
        self.mail: list[Event] = []

    def start(self, request: TrainRequest) -> None:
        """Nothing trains here."""

    def send(self, word: str) -> None:
        """Nobody listens."""

    def drain(self) -> list[Event]:
        events, self.mail = self.mail, []
        return events

    def close(self, grace: float) -> None:
        """Nothing to close."""


def at(tick: int, ticks: int) -> list[Event]:
    """What a training tells in this tenth of a second."""
    step, fraction = 5 * tick, tick / ticks
    loss = 1.2 + 3 * math.exp(-tick / 900) + 0.03 * math.sin(tick)
    told: list[Event] = [
        Progress(step, fraction, step / 70, loss, 0.3, 5e-3, 60_000.0, tick / 10, (ticks - tick) / 10, 10**8)
    ]
    if tick % 20 == 0:
        told.append(Sampled(step, "", SAMPLE[tick % 40 :] * 3, 0.8))
    if tick % 100 == 0:
        told.append(Evaluated(step, fraction, loss + 0.1, loss, loss + 0.1, step, 4096, False, tick / 10))
        told.append(Saved(step, f"step-{step:06}.safetensors", True))
    if tick % 3000 == 1500:
        told += [Notice(f"something to know at {tick}"), RateChanged(step, 4e-3, 0.8)]
    if tick % 9000 == 4500:
        told.append(Recovered(step, step - 100, 1, 3e-3, "the loss was not finite"))
    return told


async def run(ticks: int, size: tuple[int, int]) -> list[tuple[int, int, float, float]]:
    """(tick, resident bytes, median milliseconds of a tick, of a redraw) at eleven places."""
    runner = Fed()
    app = ChargruApp(runner=runner)
    app.animation_level = "none"
    marks, tick_times, redraw_times = [], list[float](), list[float]()
    async with app.run_test(size=size) as pilot:
        app.post_message(TrainingWanted(TrainRequest(corpus="tales", time=3600)))
        while app.current_mode != "train":
            await pilot.pause(0.01)
        runner.mail = [STARTED, Landmarks(4.23, 3.3, 2.1, 1.7, 146_465)]
        for tick in range(1, ticks + 1):
            runner.mail += at(tick, ticks)
            start = time.perf_counter()
            app._pump.tick()
            await pilot.pause(0)
            tick_times.append(time.perf_counter() - start)
            if tick % 10 == 0:
                start = time.perf_counter()
                for chart in app.screen.query(".loss-chart"):
                    chart.redraw()
                await pilot.pause(0)
                redraw_times.append(time.perf_counter() - start)
            if tick % (ticks // 10) == 0:
                gc.collect()
                middle = [1e3 * statistics.median(each[-50:]) for each in (tick_times, redraw_times)]
                marks.append((tick, resident_memory(), *middle))
                tick_times.clear()
                redraw_times.clear()
    return marks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ticks", type=int, default=36_000)
    parser.add_argument("--size", default="160x48")
    options = parser.parse_args()
    columns, rows = (int(each) for each in options.size.split("x"))
    start = time.perf_counter()
    marks = asyncio.run(run(options.ticks, (columns, rows)))
    took = time.perf_counter() - start
    print(
        f"{machine()}; {options.ticks:,} ticks ({options.ticks / 36000:.2g} h) at {columns} × {rows} in {took:.0f} s\n"
    )
    table = [
        (f"{tick / 10 / 60:.1f} min", f"{memory / 1e6:.1f} MB", f"{ms:.1f} ms", f"{redraw:.1f} ms")
        for tick, memory, ms, redraw in marks
    ]
    print_table(("simulated", "resident", "a tick taken in and painted", "the chart drawn"), table)
    grown = marks[-1][1] - marks[0][1]
    verdict = f"{'holds' if grown < LIMIT else 'misses'} {LIMIT / 1e6:.0f} MB"
    print(f"grown after warming up: **{grown / 1e6:.1f} MB** ({verdict})")


if __name__ == "__main__":
    main()
