from __future__ import annotations

import io
import json
import math
import os
import sys
from collections.abc import Callable
from typing import Any

import pytest

from chargru.cli.output import narrate, prepare_streams, put, put_bold, put_record

from .fakes import HOSTILE

RAW = ("\x1b", "\x9b", "\x07", "\u202e", "\x7f", "\x00")


def test_a_terminal_gets_symbols_and_a_pipe_gets_the_text(
    as_terminal: Callable[[str], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    put(HOSTILE + "\n")
    assert capsys.readouterr().out == HOSTILE + "\n"
    terminal = as_terminal("stdout")
    put(HOSTILE + "\n")
    shown = terminal.getvalue()
    assert not any(character in shown for character in RAW)
    assert "red" in shown
    assert shown.endswith("\n")


def test_narration_is_safe_wherever_it_goes(capsys: pytest.CaptureFixture[str]) -> None:
    narrate(HOSTILE)
    assert not any(character in capsys.readouterr().err for character in RAW)


def test_bold_is_for_coloured_terminals_only(
    as_terminal: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    put_bold("a")
    assert capsys.readouterr().out == "a"
    terminal = as_terminal("stdout")
    put_bold("a")
    monkeypatch.setenv("NO_COLOR", "1")
    put_bold("b")
    assert terminal.getvalue() == "\x1b[1ma\x1b[0mb"


def test_a_record_is_one_line_of_plain_ascii_that_any_parser_reads(capsys: pytest.CaptureFixture[str]) -> None:
    put_record({"text": HOSTILE + "ü\n", "loss": math.inf, "deep": [{"x": math.nan}], "kept": 1.5})
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert all(" " <= character <= "~" for character in line[:-1])
    assert json.loads(line) == {"text": HOSTILE + "ü\n", "loss": None, "deep": [{"x": None}], "kept": 1.5}


def test_an_old_locale_gets_escapes_instead_of_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding="latin-1"))
    prepare_streams()
    put("é 語")
    assert written.getvalue() == b"\xe9 \\u8a9e"


def test_a_file_name_that_is_no_text_goes_out_as_it_came_in(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding="utf-8"))
    prepare_streams()
    put(os.fsdecode(b"/runs/\xff"))
    assert written.getvalue() == b"/runs/\xff"
    assert isinstance(sys.stdout, io.TextIOWrapper)
