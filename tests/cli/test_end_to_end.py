"""Whole command lines with the real trainer, in processes and on pseudo-terminals of their own."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Command

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("--hidden-size", "8", "--layers", "1", "--threads", "1")
HOSTILE = "\x1b]0;x\x07\x1b[2J\x9b1m\u202e\x7f\b"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("the cat sat. on a mat the rat sat.\n" * 60)
    return path


def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "CHARGRU_HOME": str(tmp_path / "home"), "TERM": "xterm-256color"}


def command(*argv: str) -> list[str]:
    return [sys.executable, "-m", "chargru", *argv]


def on_terminal(argv: list[str], tmp_path: Path) -> tuple[int, bytes]:
    """Run it on a pseudo-terminal; exit code, and every byte that the terminal was sent."""
    parent, child = pty.openpty()
    process = subprocess.Popen(argv, stdin=child, stdout=child, stderr=child, cwd=ROOT, env=environment(tmp_path))
    os.close(child)
    sent = b""
    while True:
        try:
            chunk = os.read(parent, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not chunk:
            break
        sent += chunk
    os.close(parent)
    return process.wait(30), sent


@pytest.mark.long
def test_train_interrupt_resume_sample_evaluate(corpus: Path, tmp_path: Path, chargru: Command) -> None:
    process = subprocess.Popen(
        command("train", str(corpus), "--steps", "1000000", *SMALL, "--name", "mine", "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment(tmp_path),
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["event"] == "progress":
                break
        process.send_signal(signal.SIGTERM)  # SIGINT would be ignored where pytest is a background job
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in err
    last = json.loads(out.splitlines()[-1])
    assert (last["event"], last["reason"]) == ("finished", "interrupted")
    assert Path(last["checkpoint"]).is_file()
    steps = last["steps"]

    budget = str(steps + 20)
    assert chargru("train", "--resume", "mine", "--steps", budget) == 0
    assert f"from step {steps:,}" in chargru.err
    checkpoint = chargru.out.strip()
    assert Path(checkpoint).is_file()
    assert chargru("sample", "mine", "--prompt", "the ", "--length", "20") == 0
    assert len(chargru.out) == 25
    assert chargru("eval", "mine", corpus, "--json") == 0
    assert 0 < json.loads(chargru.out)["nats_per_char"] < 4
    assert chargru("train", "--resume", "mine") == 1  # its budget is spent, and it says so
    assert "budget" in chargru.err


@pytest.mark.long
def test_the_demo_trains_and_writes(tmp_path: Path) -> None:
    done = subprocess.run(
        command(),
        capture_output=True,
        text=True,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        env={**environment(tmp_path), "CHARGRU_DEMO_SECONDS": "1"},
        check=True,
    )
    assert "--- 3 of 3 ---" in done.stdout
    assert "Traceback" not in done.stderr


def test_standard_input_is_a_corpus(corpus: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        command("train", "-", "--steps", "3", *SMALL),
        input=corpus.read_bytes(),
        capture_output=True,
        cwd=ROOT,
        env=environment(tmp_path),
        check=True,
    )
    assert Path(os.fsdecode(done.stdout.strip())).is_file()


@pytest.mark.long
def test_nothing_hostile_reaches_a_terminal(tmp_path: Path) -> None:
    corpus = tmp_path / f"evil{HOSTILE.replace('/', '')}.txt"
    corpus.write_text(HOSTILE * 60, encoding="utf-8")
    code, sent = on_terminal(command("train", str(corpus), "--steps", "8", *SMALL, "--name", "evil"), tmp_path)
    assert code == 0
    assert_harmless(sent)
    code, sent = on_terminal(
        command("sample", "evil", "--prompt", HOSTILE, "--length", "200", "--stop", "\x07\x07\x07"), tmp_path
    )
    assert code == 0
    assert "␛]0;x␇␛[2J".encode() in sent
    assert_harmless(sent)
    for argv in (("runs",), ("eval", "evil", str(corpus)), ("sample", HOSTILE), ("train", HOSTILE)):
        assert_harmless(on_terminal(command(*argv), tmp_path)[1])


def assert_harmless(sent: bytes) -> None:
    """Only our own bold type, tqdm's moves of the cursor, and line ends."""
    text = re.sub(r"\x1b\[(1m|0m|A)", "", sent.decode("utf-8"))
    odd = {character for character in text if ord(character) < 32 or 127 <= ord(character) < 160} - set("\r\n")
    assert not odd
    assert "\u202e" not in text
