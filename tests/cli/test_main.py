"""The group: what is imported when, who gets the terminal, and how failures are told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import chargru as package
from chargru.cli import train
from chargru.config import TrainRequest
from chargru.errors import BackendError, ConfigError, RunError

from .conftest import Command
from .fakes import HOSTILE

ROOT = Path(__file__).resolve().parents[2]


def modules_after(*argv: str) -> set[str]:
    """What a fresh interpreter has imported after this command line."""
    script = (
        "import json, sys\n"
        "from chargru.__main__ import main\n"
        f"code = main({list(argv)!r})\n"
        "sys.stderr.write('\\n' + json.dumps([code, sorted(sys.modules)]))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    code, modules = json.loads(done.stderr.splitlines()[-1])
    assert code == 0
    return set(modules)


@pytest.mark.parametrize("argv", [("--help",), ("train", "--help"), ("--version",)])
def test_help_imports_nothing_heavy(argv: tuple[str, ...]) -> None:
    modules = modules_after(*argv)
    heavy = {"numpy", "textual", "tqdm", "rich", "safetensors", "threadpoolctl", "platformdirs", "asyncio"}
    assert modules & heavy == set()
    assert not {name for name in modules if name.startswith(("chargru.engine", "chargru.storage", "chargru.tui"))}


def test_the_package_itself_imports_nothing_and_loads_models(model: Path) -> None:
    script = (
        "import sys, chargru; sys.exit('numpy' in sys.modules or len([m for m in sys.modules if 'chargru' in m]) > 1)"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0
    assert len(package.load(str(model)).complete("the ", length=5)[0]) == 5
    assert len(package.load("small", out=str(model.parents[1])).complete("", length=5)[0]) == 5


def test_every_command_explains_itself(chargru: Command) -> None:
    assert chargru("--help") == 0
    assert "Exit codes" in chargru.out
    commands = ("tui", "train", "sample", "eval", "corpora", "runs", "doctor")
    order = [chargru.out.index(f"\n  {name} ") for name in commands]
    assert order == sorted(order)
    for name in commands:
        assert chargru(name, "-h") == 0
        assert f"Usage: chargru {name}" in chargru.out
        assert chargru.err == ""
    assert chargru("--version") == 0
    assert package.__version__ in chargru.out


def test_the_app_needs_both_ends_of_a_terminal(chargru: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    assert chargru("tui") == 1
    assert "needs a terminal" in chargru.err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert chargru() == 0
    assert chargru("tui") == 0
    assert chargru("tui", "tales") == 0
    assert chargru.app_calls == [None, None, "tales"]


def test_the_demo_plays_a_recording_of_its_own(chargru: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert chargru("tui", "--demo") == 0
    assert chargru("tui", "--demo", "--pace", "1.5") == 0
    assert chargru.app_calls == [3.0, 1.5]
    assert chargru("tui", "tales", "--demo") == 2
    assert "leave CORPUS out" in chargru.err
    assert chargru("tui", "--pace", "2") == 2
    assert "--demo only" in chargru.err
    assert len(chargru.app_calls) == 2


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    def install(error: BaseException) -> None:
        def opener(_: TrainRequest) -> train.Trains:
            raise error

        monkeypatch.setattr(train, "open_trainer", opener)

    return install


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (RunError("the run is gone", "make another"), 1, "chargru: the run is gone\n  make another\n"),
        (BackendError("two\nlines"), 1, "chargru: two lines\n"),
        (ConfigError("impossible"), 2, "chargru: impossible\n"),
        (
            MemoryError(),
            1,
            "chargru: out of memory\n  take a smaller --hidden-size, --batch-size or text\n",
        ),
        (
            ZeroDivisionError("surprise"),
            1,
            "chargru: internal error: ZeroDivisionError: surprise\n  run it again with --debug for the traceback\n",
        ),
        (OSError(5, "Input/output error"), 1, "chargru: internal error: OSError"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_a_failure_is_one_line_and_its_code(
    error: BaseException, code: int, said: str, chargru: Command, failing: Callable[[BaseException], None]
) -> None:
    failing(error)
    assert chargru("train", "tales") == code
    assert said in chargru.err
    assert "Traceback" not in chargru.err
    assert chargru.out == ""


@pytest.mark.parametrize("argv", [("--debug", "train", "tales"), ("train", "tales", "--debug")])
def test_debug_shows_the_traceback(
    argv: tuple[str, ...], chargru: Command, failing: Callable[[BaseException], None]
) -> None:
    failing(RunError("the run is gone"))
    assert chargru(*argv) == 1
    assert "Traceback" in chargru.err
    assert chargru.err.endswith("chargru: the run is gone\n")


def test_no_failure_says_anything_raw(chargru: Command, failing: Callable[[BaseException], None]) -> None:
    errors: tuple[BaseException, ...] = (RunError(HOSTILE, HOSTILE), ValueError(HOSTILE))
    for error in errors:
        failing(error)
        for flags in ([], ["--debug"]):
            assert chargru("train", "tales", *flags) == 1
            assert not any(character in chargru.err for character in "\x1b\x9b\x07\u202e\x7f\x00")
    for argv in ([HOSTILE], ["train", "a", f"--{HOSTILE}"], ["train", "a", "--time", HOSTILE], ["train", "a", HOSTILE]):
        assert chargru(*argv) == 2
        assert chargru.err.startswith("chargru: ")
        assert not any(character in chargru.err for character in "\x1b\x9b\x07\u202e\x7f\x00")


def test_an_unknown_command_is_wrong_usage_with_a_way_out(chargru: Command) -> None:
    assert chargru("trian") == 2
    assert "chargru --help" in chargru.err
