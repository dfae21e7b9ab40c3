"""Everything that only a GPU can show, in one command and under nine minutes; the figures go to gpu_results.md.

    benchmarks/gpu_check.sh [--text tinyshakespeare.txt] [--only tests,speed] [--learn 180] [--precision bf16]

In this order: the GPU and what it does a second, the tests on it, the learning run, speed, sampling and memory,
NVIDIA's compute-sanitizer over every kernel where it is installed, and torch.compile at one shape. Each part is a
process with a time limit, and what is known is written after each, so a part that fails or hangs costs its own figures
only. Needs Python with NumPy, CuPy, pytest, safetensors and tqdm, and for the comparisons torch; nothing has to be
installed of this project.

Without a GPU it says so in one line and changes nothing. The exit code is 0 when every part that ran was without fault.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import gpu_report as report
from gpu_report import NOT_RUN, Part

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RESULTS = HERE / "gpu_results.md"
NO_GPU = 3
TOTAL = 536.0  # seconds for everything

FACTS = """
import dataclasses, json, sys
from gpu_common import device, machine
from chargru.engine.device_rates import measure
from chargru.engine.selfcheck import differs
from chargru.training.device_speed import device_speed
gpu = device()
speed = device_speed(gpu)
json.dump({"machine": machine(gpu), "check": differs(gpu), "rates": dataclasses.asdict(measure(gpu)),
           "step": speed.step, "rate": speed.rate}, open(sys.argv[1], "w"))
"""


def python(*words: str) -> list[str]:
    return [sys.executable, *words]


def parts(options: argparse.Namespace) -> list[Part]:
    plain = ("-o", "addopts=", "-o", "filterwarnings=default", "-W", "ignore::pytest.PytestConfigWarning")
    tests = ("-m", "pytest", *plain, "-p", "no:cacheprovider", "-m", "gpu", "-q", "-rs", "tests/gpu")

    def learn(out: Path) -> list[str]:
        words = ["--text", options.text, "--time", str(options.learn), "--json", str(out)]
        words += ["--precision", options.precision] if options.precision else []
        return python(str(HERE / "gpu_learning.py"), *words)

    found = [
        Part("gpu", 40, lambda out: python("-c", FACTS, str(out)), report.show_facts, report.FACT_ROWS),
        Part("tests", 105, lambda out: python(*tests, f"--junitxml={out}"), report.show_tests, report.TEST_ROWS),
        Part("learning", options.learn + 25, learn, report.show_learning, report.LEARNING_ROWS),
        Part("speed", 90, lambda out: _benchmark("speed", out, 70), report.show_speed, report.SPEED_ROWS),
        Part("sampling", 30, lambda out: _benchmark("sample", out, 20), report.show_sampling, report.SAMPLING_ROWS),
        Part("memory", 20, lambda out: _benchmark("memory", out, 12), report.show_memory, report.MEMORY_ROWS),
    ]
    for tool in ("memcheck", "racecheck"):
        sanitize = python(str(HERE / "gpu_sanitize.py"))
        command = ["compute-sanitizer", "--tool", tool, "--error-exitcode", "7", *sanitize]
        found.append(Part(tool, 45, lambda out, command=command: command, report.show_sanitizer, report.SANITIZER_ROWS))
    compiled = ("--compile", "--shapes", "1", "--rounds", "2")
    found.append(
        Part(
            "compiled", 45, lambda out: _benchmark("speed", out, 40, *compiled), report.show_speed, report.COMPILED_ROWS
        )
    )
    return [part for part in found if not options.only or part.name in options.only.split(",")]


def _benchmark(name: str, out: Path, limit: float, *words: str) -> list[str]:
    return python(str(HERE / f"gpu_{name}.py"), "--json", str(out), "--limit", str(limit), *words)


def no_gpu() -> str | None:
    """Why there is no GPU to measure on; None when there is one, or when asking ends in another way."""
    asked = subprocess.run(
        python("-c", "from gpu_common import device; device()"),
        env=environment(), cwd=ROOT, capture_output=True, text=True, errors="replace", check=False, timeout=60,
    )  # fmt: skip
    lines = asked.stderr.strip().splitlines()
    return (lines[-1] if lines else "no GPU") if asked.returncode == NO_GPU else None


# -- running ----------------------------------------------------------------------------------------------------------


def run(part: Part, out: Path, seconds: float) -> dict[str, Any]:
    """Run one part for at most so many seconds: how it ended, what it said last, and its figures if there are any."""
    command = part.command(out)
    if shutil.which(command[0]) is None:
        return {"ended": f"{NOT_RUN}: {command[0]} is not installed"}
    start = time.monotonic()
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(), text=True, errors="replace", start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        said, _ = process.communicate(timeout=seconds)
        ended = "done" if process.returncode == 0 else f"failed with code {process.returncode}"
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
        ended = f"ended after {seconds:.0f} s"
    print(said, flush=True)
    taken = time.monotonic() - start
    return {
        "ended": ended,
        "code": process.returncode,
        "seconds": taken,
        "said": said.splitlines()[-12:],
        "figures": figures(out),
    }


def environment() -> dict[str, str]:
    """This checkout is found without being installed."""
    paths = [str(ROOT), str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}


def figures(out: Path) -> Any:
    """What a part wrote: JSON, or pytest's XML; None for nothing or half of it."""
    try:
        text = out.read_text(encoding="utf-8")
        return report.tests_in(text) if text.lstrip().startswith("<?xml") else json.loads(text)
    except (OSError, ValueError, ElementTree.ParseError):
        return None


def keep(path: Path, text: str) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", default="tales", help="what the learning run learns: a file, or a name")
    parser.add_argument("--learn", type=float, default=180.0, help="seconds of the learning run")
    parser.add_argument("--precision", default="", help="what the learning run multiplies")
    parser.add_argument("--only", default="", help="parts, with commas between them")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--blank", action="store_true", help="write a report in which nothing has been run")
    options = parser.parse_args(words)
    if Path(options.text).exists():
        options.text = str(Path(options.text).resolve())
    everything = parts(argparse.Namespace(**{**vars(options), "only": ""}))
    if options.blank:
        keep(options.results, report.render(everything, {}))
        return 0
    if (reason := no_gpu()) is not None:
        print(f"{reason}; nothing was run and nothing is changed", file=sys.stderr)
        return NO_GPU
    results: dict[str, dict[str, Any]] = {}
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for part in parts(options):
            left = TOTAL - (time.monotonic() - begin)
            if left < 5:
                results[part.name] = {"ended": f"{NOT_RUN}: the time was over"}
                continue
            print(f"== {part.name}: up to {min(part.seconds, left):.0f} s", flush=True)
            result = run(part, Path(folder) / part.name, min(part.seconds, left))
            results[part.name] = result
            keep(options.results, report.render(everything, results))
    print(f"{options.results} is written; {time.monotonic() - begin:.0f} s")
    return int(any(result.get("code", 0) != 0 for result in results.values()))


if __name__ == "__main__":
    sys.exit(main())
