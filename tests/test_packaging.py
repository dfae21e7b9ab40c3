"""The wheel works outside the checkout: the bundled texts are in it, and nothing of the tests is."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# run from the unpacked wheel, not from the checkout that is installed in this environment
INSIDE = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from chargru.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    place = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(place), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, text=True)
    (wheel,) = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place / "site")
    return place / "site"


@pytest.mark.long
def test_the_wheel_carries_the_program_and_its_texts_only(unpacked):
    names = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    needed = {
        "bundled_corpora/tales.txt",
        "py.typed",
        "tui/styles/base.tcss",
        "tui/demo.jsonl",
        "engine/fused/gru.cu",
        "engine/fused/fused.cu",
        "engine/fused/cell.cuh",
    }
    assert {f"chargru/{name}" for name in needed} <= names
    assert all(name.startswith(("chargru/", "chargru-")) for name in names)
    assert any(name.endswith("entry_points.txt") for name in names)


@pytest.mark.long
def test_the_wheel_trains_and_samples_outside_the_checkout(unpacked, tmp_path):
    def chargru(*arguments):
        command = [sys.executable, "-I", "-c", INSIDE, str(unpacked), *arguments]
        environment = os.environ | {"CHARGRU_HOME": str(tmp_path / "home")}
        return subprocess.run(
            command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True, encoding="utf-8"
        ).stdout

    assert "tales" in chargru("corpora")
    path = Path(chargru("train", "tales", "--steps", "5", "--hidden-size", "8", "--name", "w").strip())
    assert path.is_relative_to(tmp_path / "home")
    assert len(chargru("sample", "w", "--prompt", "The sea", "--length", "20")) > 20
