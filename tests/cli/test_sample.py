from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chargru.cli import sample as module
from chargru.engine import Backend
from tests.engine.cuda_on_cpu import needs_compiler

from .conftest import Command

ROOT = Path(__file__).resolve().parents[2]
RAW = "\x1b\x07\x9b\u202e\x7f\b"


def records(chargru: Command) -> list[dict[str, Any]]:
    return [json.loads(line) for line in chargru.out.splitlines()]


def test_the_text_runs_on_behind_its_prompt_and_a_seed_repeats_it(chargru: Command, model: Path) -> None:
    argv = ("sample", model, "--prompt", "the cat", "--length", "30", "--seed", "3")
    assert chargru(*argv) == 0
    text = chargru.out
    assert text.startswith("the cat")
    assert len(text) == len("the cat") + 30 + len("\n")
    assert chargru.err == ""
    assert chargru(*argv) == 0
    assert chargru.out == text
    assert chargru(*argv, "--json") == 0
    (record,) = records(chargru)
    assert record["prompt"] + record["text"] + "\n" == text
    assert (record["index"], record["seed"], record["stopped"]) == (0, 3, False)


def test_without_a_seed_every_text_is_new_and_json_says_how_to_get_it_again(chargru: Command, model: Path) -> None:
    found = []
    for _ in range(2):
        assert chargru("sample", model, "--json", "--length", "40") == 0
        found.append(records(chargru)[0])
    assert found[0]["text"] != found[1]["text"]
    assert chargru("sample", model, "--json", "--length", "40", "--seed", str(found[0]["seed"])) == 0
    assert records(chargru)[0] == found[0]


def test_several_completions_are_numbered_blocks_of_the_same_texts(chargru: Command, model: Path) -> None:
    argv = ("sample", model, "--prompt", "a ", "--count", "3", "--length", "12", "--seed", "1")
    assert chargru(*argv) == 0
    blocks = chargru.out
    assert chargru(*argv, "--json") == 0
    texts = [f"--- {each['index'] + 1} of 3 ---\na {each['text']}\n" for each in records(chargru)]
    assert len(texts) == 3
    assert blocks == "\n".join(texts)


def test_temperature_zero_is_greedy(chargru: Command, model: Path) -> None:
    assert chargru("sample", model, "--temperature", "0", "--count", "2", "--json") == 0
    first, second = records(chargru)
    assert first["text"] == second["text"]


def test_a_stop_text_ends_a_completion_and_is_told(chargru: Command, model: Path) -> None:
    assert chargru("sample", model, "--stop", "a", "--length", "5000", "--json") == 0
    (record,) = records(chargru)
    assert record["stopped"]
    assert record["text"].endswith("a")
    assert record["text"].count("a") == 1


def test_a_prompt_may_be_empty_and_a_text_may_have_no_length(chargru: Command, model: Path) -> None:
    assert chargru("sample", model, "--prompt", "", "--length", "5") == 0
    assert len(chargru.out) == 6
    assert chargru("sample", model, "--prompt", "cat", "--length", "0") == 0
    assert chargru.out == "cat\n"


def test_what_the_model_never_saw_is_told_on_stderr(chargru: Command, model: Path) -> None:
    assert chargru("sample", model, "--prompt", "Thé 漢 cat", "--length", "1", "--json") == 0
    (record,) = records(chargru)
    assert record["prompt"] == "Thé 漢 cat"
    assert record["read_as"].startswith("the ")
    assert "漢" in chargru.err


class Stdin:
    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)

    def isatty(self) -> bool:
        return False


def test_a_prompt_file_is_the_prompt(
    chargru: Command, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "prompt.txt"
    path.write_text("the cat\nsat")
    assert chargru("sample", model, "--prompt-file", path, "--length", "0") == 0
    assert chargru.out == "the cat\nsat\n"
    monkeypatch.setattr("sys.stdin", Stdin(b"on a"))
    assert chargru("sample", model, "--prompt-file", "-", "--length", "0") == 0
    assert chargru.out == "on a\n"


def test_an_empty_prompt_file_is_an_empty_prompt(
    chargru: Command, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "prompt.txt"
    path.touch()
    assert chargru("sample", model, "--prompt-file", path, "--length", "0") == 0
    monkeypatch.setattr("sys.stdin", Stdin(b""))
    assert chargru("sample", model, "--prompt-file", "-", "--length", "0") == 0


def test_a_prompt_file_that_cannot_be_read_is_one_line(chargru: Command, model: Path, tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(bytes(range(256)) * 8)
    for path in (tmp_path / "missing", tmp_path, binary):
        assert chargru("sample", model, "--prompt-file", path) == 1
        assert chargru.out == ""
        assert len(chargru.err.splitlines()) == 2  # what, and a hint
        assert chargru.err.startswith("chargru: ")


@pytest.mark.parametrize(
    "argv",
    [
        ["--prompt", "a", "--prompt-file", "b"],
        ["--length", "-1"],
        ["--temperature", "nan"],
        ["--top-p", "1.5"],
        ["--count", "0"],
        ["--seed", "x"],
    ],
)
def test_wrong_usage_is_two(argv: list[str], chargru: Command, model: Path) -> None:
    assert chargru("sample", model, *argv) == 2
    assert chargru.out == ""


def test_an_unknown_or_broken_model_is_one_line(chargru: Command, model: Path, tmp_path: Path) -> None:
    assert chargru("sample", "nobody") == 1
    assert "nobody" in chargru.err
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(model.read_bytes()[:-1])
    assert chargru("sample", broken) == 1
    assert "Traceback" not in chargru.err
    assert chargru.out == ""


def test_a_run_is_found_by_its_name(chargru: Command, model: Path) -> None:
    assert chargru("sample", "small", "--out", model.parents[1], "--length", "3") == 0
    assert chargru("sample", model.parent, "--length", "3") == 0


def test_a_terminal_sees_symbols_and_a_pipe_the_text_itself(
    chargru: Command, hostile_model: Path, as_terminal: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    argv = ("sample", hostile_model, "--prompt", "\x1b[2J", "--length", "300", "--seed", "1", "--count", "2")
    assert chargru(*argv) == 0
    piped = chargru.out
    assert all(character in piped for character in RAW)
    assert chargru(*argv, "--json") == 0
    assert chargru.out.isascii()
    assert not any(character in chargru.out for character in RAW)
    assert json.loads(chargru.out.splitlines()[0])["text"] in piped
    terminal = as_terminal("stdout")
    assert chargru(*argv) == 0
    assert not any(character in terminal.getvalue() for character in RAW)
    assert "␛[2J" in terminal.getvalue()


class FakeStream:
    """A stream whose chunks say what had been written to stdout when they were drawn."""

    def __init__(self, chunks: list[str | BaseException]) -> None:
        self.reading = SimpleNamespace(text="P", notes=())
        self.texts = [""]
        self.stopped = [False]
        self.chunks = chunks
        self.seen: list[str] = []

    def __iter__(self) -> Iterator[list[str]]:
        for chunk in self.chunks:
            self.seen.append(sys.stdout.getvalue())  # type: ignore[attr-defined]
            if isinstance(chunk, BaseException):
                raise chunk
            yield [chunk]


@pytest.fixture
def streaming(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeStream]:
    def install(*chunks: str | BaseException) -> FakeStream:
        stream = FakeStream(list(chunks))
        monkeypatch.setattr(module, "load_model", lambda *_: SimpleNamespace(stream=lambda *_: stream))
        monkeypatch.setattr("sys.stdout", io.StringIO())
        return stream

    return install


def test_text_is_shown_as_it_is_drawn(chargru: Command, streaming: Callable[..., FakeStream]) -> None:
    stream = streaming("one ", "two ", "three")
    assert chargru("sample", "x") == 0
    assert stream.seen == ["P", "Pone ", "Pone two "]


def test_ctrl_c_leaves_the_text_so_far_and_130(chargru: Command, streaming: Callable[..., FakeStream]) -> None:
    streaming("one ", KeyboardInterrupt())
    assert chargru("sample", "x") == 130
    assert sys.stdout.getvalue() == "Pone \n"  # type: ignore[attr-defined]


def test_a_reader_that_leaves_is_no_failure(model: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "chargru", "sample", str(model), "--length", "1000000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) == 0


# -- on a GPU ---------------------------------------------------------------------------------------------------------


@needs_compiler
@pytest.mark.parametrize("backend", ["auto", "cupy"])
def test_many_completions_are_drawn_on_a_gpu(
    chargru: Command, model: Path, gpu: list[str], monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    monkeypatch.setattr(module, "_MANY", 1)
    argv = ("sample", model, "--backend", backend, "--count", "4", "--length", "9", "--seed", "2", "--json")
    assert chargru(*argv) == 0
    assert gpu == [backend]
    texts = [record["text"] for record in records(chargru)]
    assert [len(text) for text in texts] == [9] * 4
    assert chargru(*argv) == 0
    assert [record["text"] for record in records(chargru)] == texts


@pytest.mark.long
def test_few_completions_never_ask_for_a_gpu(chargru: Command, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def choose(*_: object) -> Backend:
        raise AssertionError("asked")

    monkeypatch.setattr("chargru.engine.choose_backend", choose)
    assert chargru("sample", model, "--count", "3", "--length", "50") == 0
    assert chargru("sample", model, "--backend", "numpy", "--count", "4096", "--length", "6") == 0


def test_a_gpu_that_is_not_to_be_had_is_told(chargru: Command, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chargru.engine.backend.cupy_installed", lambda: False)
    assert chargru("sample", model, "--backend", "cupy", "--length", "5") == 1
    assert "CuPy is not installed" in chargru.err
    assert "pip install" in chargru.err
    monkeypatch.setattr("chargru.engine.backend.gpu_present", lambda: True)
    monkeypatch.setattr("chargru.completion.on_device.WORTH", 0.0)
    monkeypatch.setattr(module, "_MANY", 1)
    assert chargru("sample", model, "--length", "5") == 0
    assert "computing on the processor: an NVIDIA GPU is here, but CuPy is not installed" in chargru.err
