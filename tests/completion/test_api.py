"""The examples of docs/api.md run, in their order, with a small model, and mean what they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import chargru
from chargru.config import TrainRequest
from chargru.training.session import open_session

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """A run called "tales" in a home of its own."""
    monkeypatch.setenv("CHARGRU_HOME", str(tmp_path))
    request = TrainRequest(corpus="tales", name="tales", steps=2, hidden_size=8, num_layers=1, evaluations=1, threads=1)
    list(open_session(request).run())
    return tmp_path / "runs" / "tales"


@pytest.mark.skipif(not PAGE.is_file(), reason="no docs beside the tests")
def test_the_pages_examples_run(trained, capsys):
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) > 5
    names = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    assert len(names["first"]) == len(names["second"]) == 80
    assert names["nats"].shape == (40,)
    assert names["found"].text == "The harbour was qiet."
    assert len(names["text"]) == 400
    assert len(names["index"]) > 100_000
    out = capsys.readouterr().out
    assert "8 units" in out
    assert "% is new" in out
    assert "no such run" in out


def test_load_takes_a_name_a_directory_and_a_file(trained):
    (file,) = trained.glob("step-*.safetensors")
    found = [chargru.load(each) for each in ("tales", str(trained), trained, file)]
    assert {each.describe() for each in found} == {found[0].describe()}
    assert chargru.load("tales", out=trained.parent).path == file
