"""The doors to the real rooms, tried on a real run of a few steps."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from chargru.config import SamplingConfig, TrainRequest
from chargru.errors import ChargruError, RunError, TextError
from chargru.events import Finished, Progress
from chargru.training.session import open_session
from chargru.tui.archive import HouseArchive
from chargru.tui.library import HouseLibrary
from chargru.tui.models import HouseModels

TEXT = "the rain fell on the walls of the old harbour, and nobody came. " * 40


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with one finished run in it."""
    place = tmp_path_factory.mktemp("runs")
    text = place.parent / "rain.txt"
    text.write_text(TEXT, encoding="utf-8")
    request = TrainRequest(
        corpus=str(text), out=str(place), steps=6, hidden_size=8, num_layers=1, batch_size=4, seq_len=16, threads=1
    )
    assert isinstance(list(open_session(request).run())[-1], Finished)
    return place


def test_the_library_has_texts_and_previews() -> None:
    library = HouseLibrary()
    assert "python-stdlib" in {choice.spec for choice in library.choices()}
    preview = library.preview("python-reference")
    assert preview.vocabulary > 20
    assert preview.lines
    for spec in ("-", "no-such-text-anywhere"):
        with pytest.raises(TextError):
            library.preview(spec)


def test_a_run_is_listed_opened_and_completes(out: Path) -> None:
    models = HouseModels(str(out))
    (row,) = HouseArchive(str(out)).runs()
    assert (row.corpus, row.shape, row.step, row.problem) == ("rain.txt", "GRU 8", 6, "")
    assert row.best_loss is not None
    checkpoint = models.newest(row.path)
    assert models.newest(str(checkpoint)) == checkpoint
    assert models.describe(checkpoint).startswith("model at step ")
    stream = models.open(checkpoint).stream("the rain", SamplingConfig(count=3, length=20, seed=1))
    assert stream.reading.text == "the rain"
    texts = ["".join(pieces) for pieces in zip(*stream, strict=True)]
    assert [len(text) for text in texts] == [20] * 3


def test_a_run_goes_on_with_as_much_again(out: Path) -> None:
    archive = HouseArchive(str(out))
    (row,) = archive.runs()
    assert archive.going_on(row.path, str(out)) == TrainRequest(resume=row.path, out=str(out), steps=12)
    assert any(isinstance(event, Progress) for event in archive.history(row.path))


def test_what_is_no_run_says_so(tmp_path: Path) -> None:
    archive = HouseArchive(str(tmp_path))
    assert archive.runs() == []
    assert archive.history(str(tmp_path / "gone")) == []
    with pytest.raises(RunError):
        HouseModels(str(tmp_path)).newest(str(tmp_path / "gone"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "run.json").write_text(json.dumps({"created": "2026-01-01T00:00:00+00:00"}))
    (row,) = archive.runs()
    assert row.step is None
    with pytest.raises(ChargruError):
        archive.going_on(row.path, None)


def test_the_app_imports_nothing_heavy_before_its_first_screen() -> None:
    code = (
        "import sys, chargru.tui.app, chargru.tui.screens.corpus;"
        "print([m for m in ('numpy', 'textual_plot', 'safetensors', 'cupy', 'click', 'tqdm', 'tomlkit',"
        "'multiprocessing')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
