"""The texts that Python brings along: there, the same every time, and in one piece."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from chargru.errors import TextError
from chargru.text import python_texts
from chargru.text.python_texts import python_reference, python_stdlib


def fake_topics(monkeypatch: pytest.MonkeyPatch, topics: dict[str, str]) -> None:
    module = types.ModuleType("pydoc_data.topics")
    module.topics = topics  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", module)


def test_the_reference_is_prose_and_the_same_every_time() -> None:
    part = python_reference()
    text = part.document.text
    assert part.complete
    assert len(text) > 300_000
    assert text.count(" the ") > 2_000
    assert "\n****" not in text
    assert part.document == python_reference().document


def test_topics_in_order_paragraphs_once(monkeypatch: pytest.MonkeyPatch) -> None:
    long = "A paragraph that is long enough to be noticed when it comes a second time, as this one does."
    fake_topics(
        monkeypatch, {"b": f"B\n*\n\n{long}\n\nshort", "a": f"Title A\n*******\n\n{long}\n\nshort\n\n   code\n"}
    )
    assert python_reference().document.text == f"Title A\n\n{long}\n\nshort\n\n   code\n\nB\n*\n\nshort\n"


def test_without_help_topics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(TextError, match="help topics") as caught:
        python_reference()
    assert caught.value.hint


def test_a_part_of_the_reference() -> None:
    part = python_reference(1_000)
    assert len(part.document.text) == 1_000
    assert not part.complete
    assert part.size is not None
    assert part.size > 300_000


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    files = {"b.py": "b = 1\n", "a.py": "a = 1\n", "data.txt": "no", "pkg/c.py": "c = 1\n", "pkg/empty.py": ""}
    skipped = ["test/t.py", "site-packages/s.py", "encodings/e.py", "pkg/tests/t.py", "__pycache__/p.py", ".x/h.py"]
    for name, text in {**files, **dict.fromkeys(skipped, "no")}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    return tmp_path


def test_the_source_in_order_without_tests(library: Path) -> None:
    part = python_stdlib()
    assert part.document.text == "a = 1\n\nb = 1\n\nc = 1\n"
    assert part.complete
    assert part.document.notes[0].startswith("3 files of the standard library of Python 3.")


def test_the_source_is_capped_at_whole_files(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python_texts, "STDLIB_CHARACTERS", 15)
    assert python_stdlib().document.text == "a = 1\n\nb = 1\n"
    part = python_stdlib(3)
    assert part.document.text == "a = 1\n"
    assert not part.complete


def test_source_in_another_encoding_is_skipped_and_told(library: Path) -> None:
    (library / "k.py").write_bytes(b"# caf\xe9\n")
    document = python_stdlib().document
    assert "caf" not in document.text
    assert document.notes[1] == "skipped: 1 file that could not be read as UTF-8"


def test_without_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path / "nowhere"))
    with pytest.raises(TextError, match="not installed"):
        python_stdlib()


def test_the_source_of_this_python() -> None:
    part = python_stdlib(200_000)
    assert 50_000 < len(part.document.text) <= 200_000
    assert part.document == python_stdlib(200_000).document
    assert "import " in part.document.text
