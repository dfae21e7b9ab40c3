"""How soon training on a large text begins, and how much memory it takes: the first time, and once its ids are kept.

The text is made of the Python sources of this machine, shuffled and numbered over and over, in a temporary directory,
and removed afterwards.

python benchmarks/large_text.py [--size 1000] [--time 20] [--where DIR]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from pathlib import Path

from common import machine, print_table

_EVERY = 0.02  # seconds between two looks at the memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1000, help="of the text, in millions of bytes")
    parser.add_argument("--time", type=float, default=20.0, help="seconds of training")
    parser.add_argument("--where", help="directory for the text and its ids: four times the size must be free")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(train(Path(given.child), given.time)))
        return
    rows = []
    with tempfile.TemporaryDirectory(dir=given.where) as directory:
        text = Path(directory, "large.txt")
        write_text(text, given.size * 1_000_000)
        print(f"{machine()}; {text.stat().st_size / 1e9:.2f} GB of text, {given.time:.0f} s of training\n")
        for name in ("first time", "ids kept"):
            found = in_child(text, given.time, Path(directory))
            rows.append(
                (
                    name,
                    f"{found['first_update']:.1f} s",
                    mib(found["own"]),
                    mib(found["peak"]),
                    mib(found["peak"] - found["own"]),
                    mib(found["anonymous"]),
                    mib(found["together"]),
                    f"{found['end']:.0f} s",
                    f"{found['scored']:,} of {found['held_out']:,}",
                )
            )
    head = (
        "",
        "first update after",
        "after imports",
        "peak RSS",
        "beyond imports",
        "peak RssAnon",
        "with helpers",
        "end after",
        "scored",
    )
    print_table(head, rows)


def write_text(path: Path, size: int) -> None:
    """At least `size` bytes of Python: all modules of the standard library in ever new orders, each under a number."""
    sources = []
    for source in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        data = source.read_bytes()
        sources.append(data.replace(b"\r", b""))
    chance, written, number = random.Random(1), 0, 0
    with path.open("wb") as file:
        while written < size:
            chance.shuffle(sources)
            for source in sources:
                number += 1
                written += file.write(b"# %d %d\n" % (number, chance.randrange(10**9)) + source)


def in_child(text: Path, seconds: float, home: Path) -> dict[str, float]:
    """Train in a process of its own, whose cache and runs lie in `home`."""
    command = [sys.executable, __file__, "--child", str(text), "--time", str(seconds)]
    done = subprocess.run(
        command, env={**os.environ, "CHARGRU_HOME": str(home)}, stdout=subprocess.PIPE, check=True, text=True
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def train(text: Path, seconds: float) -> dict[str, float]:
    """What the child measures, in seconds since it began to open the text and in bytes."""
    from chargru.config import TrainRequest
    from chargru.events import Evaluated, Notice, Progress, Started
    from chargru.training.session import open_session

    found: dict[str, float] = {"own": status("VmHWM")}
    anonymous = [0]

    def watch() -> None:
        while True:
            anonymous[0] = max(anonymous[0], status("RssAnon"))
            time.sleep(_EVERY)

    threading.Thread(target=watch, daemon=True).start()
    begin = time.perf_counter()
    for event in open_session(TrainRequest(corpus=str(text), time=seconds)).run():
        now = time.perf_counter() - begin
        if isinstance(event, Started):
            found["held_out"] = event.val_chars
        elif isinstance(event, Progress):
            found.setdefault("first_update", now)
            found["together"] = max(found.get("together", 0.0), event.memory)
        elif isinstance(event, Evaluated):
            found["scored"] = event.chars
        elif isinstance(event, Notice):
            print(event.message, file=sys.stderr)
    return found | {"end": now, "peak": status("VmHWM"), "anonymous": anonymous[0]}


def status(name: str) -> int:
    """A figure of /proc/self/status, in bytes; Linux only."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    return 0


def mib(count: float) -> str:
    return f"{count / 2**20:.0f} MiB"


if __name__ == "__main__":
    main()
