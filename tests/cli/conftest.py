from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chargru.cli.main import run
from chargru.config import TrainRequest
from chargru.engine import Backend
from chargru.events import Finished
from chargru.training.session import open_session
from tests.engine.cuda_on_cpu import emulated_device


class Command:
    """Runs command lines in this process and keeps what they said."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.app_calls: list[str | float | None] = []
        self.out = ""
        self.err = ""

    def __call__(self, *argv: str | Path) -> int:
        def run_app(corpus: str | None, demo: float | None = None) -> int:
            self.app_calls.append(corpus if demo is None else demo)
            return 0

        code = run([str(each) for each in argv], run_app)
        self.out, self.err = self._capsys.readouterr()
        return code


@pytest.fixture
def chargru(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command line in this process, with a home of its own for its runs."""
    monkeypatch.setenv("CHARGRU_HOME", str(tmp_path / "home"))
    return Command(capsys)


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture
def as_terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Make sys.stdout or sys.stderr (by name) a terminal, and give what was written to it."""

    def replace(name: str) -> Terminal:
        terminal = Terminal()
        monkeypatch.setattr(f"sys.{name}", terminal)
        return terminal

    return replace


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that a few real updates have made, of letters, spaces and full stops."""
    return _train(tmp_path_factory.mktemp("model"), "the cat sat. on a mat the rat sat.\n" * 40)


@pytest.fixture(scope="session")
def hostile_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that can write little else than control characters."""
    return _train(tmp_path_factory.mktemp("hostile"), "\x1b]0;x\x07\x1b[2J\x9b1m\u202e\x7f\b" * 60)


def _train(directory: Path, text: str) -> Path:
    corpus = directory / "text.txt"
    corpus.write_text(text, encoding="utf-8")
    request = TrainRequest(
        corpus=str(corpus),
        steps=8,
        hidden_size=8,
        num_layers=1,
        out=str(directory / "runs"),
        name="small",
        evaluations=1,
    )
    last = list(open_session(request).run())[-1]
    assert isinstance(last, Finished)
    return Path(last.checkpoint)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A machine with a GPU, for which no work is too little; which backends were asked for."""
    asked = []

    def choose(name: str, precision: str = "float32", verify: object = None) -> Backend:
        asked.append(name)
        return Backend("cupy", "Imaginary GPU", gpu=emulated_device())

    monkeypatch.setattr("chargru.engine.choose_backend", choose)
    monkeypatch.setattr("chargru.completion.on_device.WORTH", 0.0)
    return asked
