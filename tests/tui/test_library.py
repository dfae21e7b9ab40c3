"""The door to the texts, on real files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from chargru.errors import TextError
from chargru.text import library as texts
from chargru.tui import library as door
from chargru.tui.library import HouseLibrary, TextPreview

RAIN = "the rain fell on the walls of the old harbour, and nobody came.\n" * 60


def count_looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    looks: list[str] = []
    look = texts.look

    def counted(spec: str, **reading: object) -> object:
        looks.append(spec)
        return look(spec, **reading)  # type: ignore[arg-type]

    monkeypatch.setattr(texts, "look", counted)
    return looks


def test_recent_texts_are_looked_at_from_outside_only(tmp_path: Path) -> None:
    (tmp_path / "rain [red].txt").write_text(RAIN)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    specs = [str(tmp_path / "rain [red].txt"), str(tmp_path), str(tmp_path / "gone"), str(tmp_path / "loop"), "a\0b"]
    rows = HouseLibrary().recent(specs)
    assert [row.spec for row in rows] == specs
    assert [row.problem for row in rows[:3]] == ["", "", "gone"]
    assert all(row.problem for row in rows[2:])
    assert (rows[0].title, rows[0].size, rows[0].characters) == ("rain [red].txt", len(RAIN), None)
    assert all(row.recent for row in rows)


def test_a_preview_is_kept_until_the_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = count_looks(monkeypatch)
    path = tmp_path / "rain.txt"
    path.write_text(RAIN)
    house = HouseLibrary()
    first = house.preview(str(path))
    assert house.preview(str(path)) is first
    assert len(looks) == 1
    assert house.preview(str(path), encoding="latin-1").encoding == "iso8859-1"
    path.write_text(RAIN + "It stopped.")
    os.utime(path, (1, 1))
    assert house.preview(str(path)).characters == len(RAIN) + 11
    house.preview(str(tmp_path))
    house.preview(str(tmp_path))  # the files below may have changed: read again
    assert looks.count(str(tmp_path)) == 2
    monkeypatch.setattr(door, "_KEPT", 2)
    for number in range(5):
        (tmp_path / f"{number}").write_text("x" * (number + 1))
        house.preview(str(tmp_path / f"{number}"))
    assert len(house._previews) <= 5


def test_a_preview_tells_what_the_text_room_found(tmp_path: Path) -> None:
    path = tmp_path / "rain.txt"
    path.write_bytes(RAIN.replace("\n", "\r\n").encode("utf-8-sig"))
    preview = HouseLibrary().preview(str(path))
    assert (preview.encoding, preview.how, preview.line_ends) == ("utf-8-sig", "by its mark", "CRLF")
    assert preview.commonest[0][0] == " "
    assert preview.read == preview.characters == len(RAIN)
    assert preview.size == path.stat().st_size
    assert any("by heart" in warning for warning in preview.warnings)
    assert preview.source == str(path)


def test_a_forecast_knows_the_sizes_given_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from chargru.training import speed as room

    monkeypatch.setattr(room, "machine_speed", lambda threads=None: 2e10 * (threads or 1))
    looks = count_looks(monkeypatch)
    path = tmp_path / "rain.txt"
    path.write_text(RAIN)
    house = HouseLibrary()
    house.preview(str(path))
    short = house.forecast(str(path), 30.0, {})
    long = house.forecast(str(path), 300.0, {"hidden_size": 96, "num_layers": 2, "dropout": 0.3, "seed": 4})
    quick = house.forecast(str(path), 30.0, {"threads": 4})
    assert short is not None
    assert long is not None
    assert quick is not None
    assert len(looks) == 1, "the text that the preview read is used again"
    assert 0 <= short.low <= short.likely <= short.high
    assert quick.characters > short.characters
    assert (long.units, long.layers, long.left_out) == (96, 2, ("dropout",))
    assert short.left_out == ()
    with pytest.raises(TextError):
        house.forecast(str(tmp_path / "gone"), 30.0, {})


def test_a_closer_look_reads_a_text_to_its_end_and_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chargru.training import prior, speed
    from chargru.training.pilot import Pilot

    asked: list[int] = []

    def fake(train: Any, *_: object) -> Pilot:
        asked.append(len(train))
        return Pilot(2.0, 1.5, 1.7, 1.4, 1.6)

    monkeypatch.setattr(prior, "pilot", fake)
    monkeypatch.setattr(speed, "machine_speed", lambda threads=None: 2e10)
    path = tmp_path / "rain.txt"
    path.write_text(RAIN * (1_200_000 // len(RAIN)))
    house = HouseLibrary()
    glance = house.forecast(str(path), 30.0, {})
    close = house.forecast(str(path), 30.0, {}, closely=True)
    assert glance is not None
    assert close is not None
    assert (glance.closely, close.closely) == (False, True)
    assert asked == [int(0.9 * path.stat().st_size)]
    assert close.high - close.low < glance.high - glance.low
    again = house.forecast(str(path), 60.0, {})
    assert again is not None
    assert again.closely  # what was found out serves every budget
    assert len(asked) == 1
    assert house.forecast(str(tmp_path / "rain.txt"), 30.0, {}, should_stop=lambda: True) is None


def test_a_huge_sparse_file_is_read_from_its_beginning_only(tmp_path: Path) -> None:
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.write(RAIN.encode() * 300)
        file.truncate(40_000_000_000)  # what follows is a hole
    preview = HouseLibrary().preview(str(path))
    assert isinstance(preview, TextPreview)
    assert preview.read == 1_000_000
    assert preview.size == preview.characters == 40_000_000_000
    assert not preview.whole
    assert "first 1,000,000 characters" in preview.notes[0]
