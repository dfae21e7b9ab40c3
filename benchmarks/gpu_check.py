"""Everything that only a GPU can show, in one command and under nine minutes; the figures go to gpu_results.md.

    benchmarks/gpu_check.sh [--text tinyshakespeare.txt] [--only tests,speed] [--learn 180] [--precision bf16]
                            [--results FILE]

In this order: the GPU and what it does a second, the tests on it, the learning run, speed, sampling and memory,
NVIDIA's compute-sanitizer over every kernel where it is installed, and torch.compile at one shape. Each part is a
process with a time limit, and what is known is written after each, so a part that fails, hangs or is killed costs its
own figures only. What the parts wrote and said stays in a folder beside the results; with --only, sections of other
parts stay what they were. The results are printed at the end as well. Needs Python with NumPy, CuPy, pytest,
safetensors and tqdm, and for the comparisons torch; nothing has to be installed of this project.

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
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import gpu_process
import gpu_report as report
from gpu_report import NOT_RUN, Part

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RESULTS = HERE / "gpu_results.md"
NO_GPU = 3
TOTAL = 530.0  # seconds for everything

FACTS = """
import dataclasses, json, sys
from gpu_common import device, machine
from chargru.engine.device_rates import measure
from chargru.engine.selfcheck import differs
from chargru.training.device_speed import device_speed
gpu = device()
print(machine(gpu), flush=True)
speed = device_speed(gpu)
json.dump({"machine": machine(gpu), "check": differs(gpu), "rates": dataclasses.asdict(measure(gpu)),
           "step": speed.step, "rate": speed.rate}, open(sys.argv[1], "w"))
"""


LOOK = f"""
import sys
from chargru.engine.backend import open_device
from chargru.errors import BackendError
try:
    open_device()
except BackendError as error:
    print(f"no GPU to measure on: {{error.message}}", file=sys.stderr)
    sys.exit({NO_GPU})
"""


def python(*words: str) -> list[str]:
    return [sys.executable, *words]


def parts(options: argparse.Namespace) -> list[Part]:
    plain = ("-o", "addopts=", "-o", "filterwarnings=default", "-W", "ignore::pytest.PytestConfigWarning")
    told = ("-v", "-rs", "--tb=short", "-o", "faulthandler_timeout=40")  # where a test hangs is told, too
    tests = ("-m", "pytest", *plain, *told, "-p", "no:cacheprovider", "-m", "gpu", "tests/gpu")

    def learn(out: Path) -> list[str]:
        words = ["--text", options.text, "--time", str(options.learn), "--json", str(out)]
        words += ["--precision", options.precision] if options.precision else []
        return python(str(HERE / "gpu_learning.py"), *words)

    found = [
        Part("gpu", 40, lambda out: python("-c", FACTS, str(out)), report.show_facts, report.FACT_ROWS),
        Part("tests", 90, lambda out: python(*tests, f"--junitxml={out}"), report.show_tests, report.TEST_ROWS),
        Part("learning", options.learn + 30, learn, report.show_learning, report.LEARNING_ROWS),
        Part("speed", 85, lambda out: _benchmark("speed", out, 70), report.show_speed, report.SPEED_ROWS),
        Part("sampling", 30, lambda out: _benchmark("sample", out, 18), report.show_sampling, report.SAMPLING_ROWS),
        Part("memory", 20, lambda out: _benchmark("memory", out, 12), report.show_memory, report.MEMORY_ROWS),
    ]
    # errors that libraries provoke and handle themselves are none; backtraces through Python would hide the kernels
    quiet = ("--report-api-errors", "no", "--show-backtrace", "no", "--print-limit", "20")
    for tool in ("memcheck", "racecheck"):
        sanitize = python(str(HERE / "gpu_sanitize.py"))
        command = [sanitizer(), "--tool", tool, *quiet, "--error-exitcode", "7", *sanitize]
        found.append(Part(tool, 45, lambda out, command=command: command, report.show_sanitizer, report.SANITIZER_ROWS))
    compiled = ("--compile", "--shapes", "1", "--rounds", "2")
    found.append(
        Part(
            "compiled", 45, lambda out: _benchmark("speed", out, 40, *compiled), report.show_speed, report.COMPILED_ROWS
        )
    )
    return [part for part in found if not options.only or part.name in options.only.split(",")]


def sanitizer() -> str:
    """Where compute-sanitizer is: on the path, or where CUDA's toolkit puts it."""
    usual = Path("/usr/local/cuda/bin/compute-sanitizer")
    return str(usual) if shutil.which(usual.name) is None and usual.exists() else usual.name


def _benchmark(name: str, out: Path, limit: float, *words: str) -> list[str]:
    return python(str(HERE / f"gpu_{name}.py"), "--json", str(out), "--limit", str(limit), *words)


def no_gpu() -> str | None:
    """Why there is no GPU to measure on; None when there is one, or when asking ends in another way."""
    try:
        asked = subprocess.run(
            python("-c", LOOK), env=environment(), cwd=ROOT, capture_output=True, text=True, errors="replace",
            check=False, timeout=60,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return None  # the parts have limits of their own
    lines = asked.stderr.strip().splitlines()
    return (lines[-1] if lines else "no GPU") if asked.returncode == NO_GPU else None


# -- running ----------------------------------------------------------------------------------------------------------


def run(part: Part, out: Path, seconds: float) -> dict[str, Any]:
    """Run one part for at most so many seconds: how it ended, what it said, and its figures if there are any."""
    command = part.command(out)
    if shutil.which(command[0]) is None:
        return {"ended": f"{NOT_RUN}: {command[0]} is not installed"}
    log = out.with_suffix(".log")
    out.unlink(missing_ok=True)
    ended = gpu_process.run(command, log, seconds, ROOT, environment())
    said = gpu_process.shown(log)
    print(*said, sep="\n", flush=True)
    return {
        "ended": ended.how,
        "code": ended.code,
        "seconds": ended.seconds,
        "said": said,
        "figures": figures(part, out),
    }


def environment() -> dict[str, str]:
    """This checkout is found without being installed; NumPy leaves the threads to us; any terminal takes our signs."""
    paths = [str(ROOT), str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
    set_to = {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **set_to}


def figures(part: Part, out: Path) -> Any:
    """What a part wrote: JSON, or pytest's XML; None for nothing or half of it. Tests that were ended said some."""
    try:
        text = out.read_text(encoding="utf-8")
        return report.tests_in(text) if text.lstrip().startswith("<?xml") else json.loads(text)
    except (OSError, ValueError, ElementTree.ParseError):
        log = out.with_suffix(".log")
        return report.tests_said(log.read_text(encoding="utf-8", errors="replace")) if part.name == "tests" else None


def keep(path: Path, text: str) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def no_text(wanted: str) -> str:
    """Why there is no such text to learn; empty when there is: found out before anything is run."""
    import common  # noqa: F401  which makes the package importable

    from chargru.errors import ChargruError
    from chargru.text import library

    try:
        library.preview(wanted, lines=1)
    except ChargruError as error:
        return error.message
    return ""


def stop(number: int, frame: object) -> None:
    """What is known is written, and the running part's process ended, on SIGTERM as on Ctrl-C."""
    raise KeyboardInterrupt


def main(words: list[str] | None = None) -> int:
    begin = time.monotonic()
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
    if problem := no_text(options.text):
        parser.error(problem)
    folder = options.results.resolve().with_suffix(".parts")
    folder.mkdir(parents=True, exist_ok=True)
    before = report.sections(options.results) if options.only else {}
    results: dict[str, dict[str, Any]] = {}
    signal.signal(signal.SIGTERM, stop)
    try:
        for part in parts(options):
            left = TOTAL - (time.monotonic() - begin)
            if left < 5:
                results[part.name] = {"ended": f"{NOT_RUN}: the time was over"}
                continue
            print(f"== {part.name}: up to {min(part.seconds, left):.0f} s", flush=True)
            results[part.name] = {"ended": "ended from outside", "code": 1}  # until it is known
            results[part.name] = run(part, folder / part.name, min(part.seconds, left))
            keep(options.results, report.render(everything, results, before))
    except KeyboardInterrupt:
        name = next(reversed(results))
        results[name]["figures"] = figures(next(each for each in everything if each.name == name), folder / name)
    text = report.render(everything, results, before)
    keep(options.results, text)
    print(f"{text}\n{options.results} is written; {time.monotonic() - begin:.0f} s")
    return int(any(result.get("code", 0) != 0 for result in results.values()))


if __name__ == "__main__":
    sys.exit(main())
