"""What a frame costs: drawing the chart, painting the whole Train screen, and a key in Play until it is on the screen.

    python benchmarks/frame_cost.py [--rounds 30] [--keys 40] [--hidden-size 512]

Chart and screen are drawn headless, with two curves of 1,000 points. Keys are typed at eight a second into the real app
in a pseudo-terminal of 100 × 30, with a real model of that many units whose ghost text is computed meanwhile; the time
counts from the byte that is sent until the character stands on the terminal's screen (pyte, in the same process).
"""

from __future__ import annotations

import argparse
import asyncio
import math
import re
import statistics
import sys
import tempfile
import time
from functools import partial

from app_memory import STARTED, Fed
from common import machine, print_table
from terminal import Terminal

from chargru.config import TrainRequest
from chargru.events import Evaluated, Event, Landmarks, Progress, Sampled
from chargru.training.session import open_session
from chargru.tui.app import ChargruApp
from chargru.tui.messages import TrainingWanted

SIZES = ((80, 24), (100, 30), (160, 48))
POINTS = 1000
TYPED = "qzxjkvwq"  # what no ghost text writes
BETWEEN = 0.125  # seconds between two keys


def curves() -> list[Event]:
    """A training with so many points on both curves."""
    told: list[Event] = [STARTED, Landmarks(4.23, 3.3, 2.1, 1.7, 146_465)]
    for index in range(1, POINTS + 1):
        loss = 1.2 + 3 * math.exp(-index / 100) + 0.03 * math.sin(index)
        share = index / POINTS
        told.append(Progress(index, share, share, loss, 0.3, 5e-3, 6e4, 180 * share, 180 - 180 * share, 10**8))
        told.append(Evaluated(index, share, loss + 0.1, loss, loss + 0.1, index, 4096, False, 180 * share))
    return [*told, Sampled(POINTS, "", "The boat came in before the tide had turned. " * 8, 0.8)]


async def drawn(size: tuple[int, int], rounds: int) -> tuple[float, float]:
    """Median seconds of a redraw of the chart, and of painting the whole screen."""
    runner = Fed()
    app = ChargruApp(runner=runner)
    app.animation_level = "none"
    charts, screens = [], []
    async with app.run_test(size=size) as pilot:
        app.post_message(TrainingWanted(TrainRequest(corpus="tales", time=180)))
        while app.current_mode != "train":
            await pilot.pause(0.01)
        runner.mail = curves()
        app._pump.tick()
        await pilot.pause(0.2)
        for _ in range(rounds):
            start = time.perf_counter()
            for chart in app.screen.query(".loss-chart"):
                chart.redraw()
            app.screen._compositor.render_strips()
            charts.append(time.perf_counter() - start)
            await pilot.pause(0)
            for widget in app.screen.walk_children():
                widget.refresh()
            await pilot.pause(0)
            start = time.perf_counter()
            app.screen._compositor.render_strips()
            screens.append(time.perf_counter() - start)
    return statistics.median(charts), statistics.median(screens)


def keys(hidden_size: int, count: int) -> list[float]:
    """Seconds from each key to the screen."""
    with tempfile.TemporaryDirectory() as home:
        request = TrainRequest(
            corpus="tales", steps=2, hidden_size=hidden_size, num_layers=1, batch_size=4, seq_len=16,
            out=f"{home}/runs", name="big", seed=1,
        )  # fmt: skip
        for _ in open_session(request).run():
            pass
        app = Terminal(
            [sys.executable, "-m", "chargru", "tui"], 100, 30, watch=True, environment={"CHARGRU_HOME": home}
        )
        app.until(lambda: "tales" in app.text(), 30, "the first frame")
        app.calm()
        app.press("\x1bOS")  # F4
        app.until(lambda: "big" in app.text(), 30, "the model in Play")
        app.calm()
        times = []
        for index in range(count):
            typed = "".join(TYPED[each % len(TYPED)] for each in range(index + 1))[-2 * len(TYPED) :]
            start = time.perf_counter()
            app.press(typed[-1])
            times.append(app.until(partial(stands, app, typed), 10, f"the key {typed[-1]}"))
            while (left := start + BETWEEN - time.perf_counter()) > 0:
                app.take(left)
        app.close()
    return times


def stands(app: Terminal, typed: str) -> bool:
    """Whether this stands on the screen, broken over lines or not."""
    return typed in re.sub(r"[\s│]", "", app.text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--keys", type=int, default=40)
    parser.add_argument("--hidden-size", type=int, default=512)
    options = parser.parse_args()
    print(f"{machine()}; medians of {options.rounds} rounds\n")
    rows = []
    for size in SIZES:
        chart, screen = asyncio.run(drawn(size, options.rounds))
        rows.append((f"{size[0]} × {size[1]}", f"{1e3 * chart:.1f} ms", f"{1e3 * screen:.1f} ms"))
    print_table(("terminal", "the chart computed and drawn", "all of the Train screen painted"), rows)
    times = sorted(keys(options.hidden_size, options.keys))
    figures = (statistics.median(times), times[int(0.95 * (len(times) - 1))], times[-1])
    print_table(
        (f"key to screen in Play, H{options.hidden_size}, {len(times)} keys", "median", "95 %", "slowest"),
        [("", *(f"{1e3 * each:.0f} ms" for each in figures))],
    )


if __name__ == "__main__":
    main()
