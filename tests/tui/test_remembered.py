"""Remembered choices: read field by field, written so that nobody else's work in the file is lost."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path

import pytest

from chargru.errors import ConfigError
from chargru.tui import choices_file
from chargru.tui.remembered import SECTIONS, PlayChoices, Remembered

OWN = """\
# mine
[play]   # how I like it
temperature = 0.5  # not too bold
colour_of_cats = "grey"

[another]
program = ["keeps", "this"]
"""


def kept(path: Path) -> dict[str, object]:
    return tomllib.loads(path.read_text("utf-8"))


def test_without_a_file_everything_is_as_designed_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    remembered = Remembered(path)
    assert remembered.problems == []
    assert remembered.play == PlayChoices()
    assert remembered.write() == []
    assert not path.parent.exists()


def test_a_change_is_there_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    remembered, called = Remembered(path), []
    remembered.changed = lambda: called.append(1)
    remembered.change("play", temperature=0.9, ghost=False)
    remembered.change("corpus", last="über/한글 [x].txt", recent=("b.txt", 'a"\n.txt'))
    remembered.change("play", temperature=0.9)
    assert len(called) == 2
    assert remembered.write() == []
    again = Remembered(path)
    assert again.problems == []
    assert (again.play.temperature, again.play.ghost) == (0.9, False)
    assert again.corpus.last == "über/한글 [x].txt"
    assert again.corpus.recent == ("b.txt", 'a"\n.txt')
    assert set(kept(path)["play"]) == {"temperature", "ghost"}  # type: ignore[call-overload]
    assert path.read_text("utf-8").startswith("# What chargru remembers")


def test_every_field_of_every_section_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    remembered = Remembered(path)
    for section, kind in SECTIONS.items():
        remembered_section = getattr(remembered, section)
        assert isinstance(remembered_section, kind)
        others = {
            name: {bool: lambda v: not v, int: lambda v: v + 1, float: lambda v: v / 2 + 0.125}.get(
                type(value), lambda v: v
            )(value)
            for name, value in remembered_section.to_dict().items()
        }
        remembered.change(section, **others)
    remembered.write()
    again = Remembered(path)
    assert again.problems == []
    for section in SECTIONS:
        assert getattr(again, section) == getattr(remembered, section)


def test_comments_and_other_keys_stay(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(OWN, "utf-8")
    path.chmod(0o600)
    remembered = Remembered(path)
    assert remembered.problems == []
    assert remembered.play.temperature == 0.5
    remembered.change("play", temperature=1.25, count=5)
    remembered.change("app", theme="chargru-light")
    assert remembered.write() == []
    text = path.read_text("utf-8")
    for words in ("# mine", "# how I like it", "temperature = 1.25  # not too bold", 'colour_of_cats = "grey"'):
        assert words in text
    assert kept(path)["another"] == {"program": ["keeps", "this"]}
    assert Remembered(path).play.count == 5
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("temperature = -3", "config.toml: play.temperature must be at least 0, not -3; using 0.8"),
        ('temperature = "hot"', "config.toml: play.temperature must be a number, not 'hot'; using 0.8"),
        ("temperature = nan", "config.toml: play.temperature must be a finite number, not nan; using 0.8"),
        ("count = 2.5", "config.toml: play.count must be a whole number, not 2.5; using 3"),
        ("count = true", "config.toml: play.count must be a whole number, not True; using 3"),
        ("ghost = 1", "config.toml: play.ghost must be true or false, not 1; using true"),
        ("stop = 7", 'config.toml: play.stop must be a text in quotes, not 7; using ""'),
        ("temperatur = 1", "config.toml: play.temperatur is not a setting; is play.temperature meant?"),
    ],
)
def test_a_wrong_field_costs_only_itself(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f"[play]\n{line}\nlength = 77\n")
    remembered = Remembered(path)
    assert remembered.problems == [told]
    assert remembered.play == PlayChoices(length=77)
    remembered.change("play", top_k=4)
    assert remembered.write() == []
    assert line in path.read_text()  # what is wrong is the user's to put right


def test_wrong_lists_and_wrong_tables_are_told(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('play = 3\n[corpus]\nrecent = ["a", 1]\n[app]\nscreen = "attic"\n')
    remembered = Remembered(path)
    assert remembered.problems == [
        "config.toml: app.screen must be one of corpus, train, play, runs, not 'attic'; using \"corpus\"",
        "config.toml: corpus.recent must be a list of texts, not ['a', 1]; using none",
        "config.toml: [play] must be a table, not 3; using the defaults",
    ]
    remembered.change("play", count=2)
    assert remembered.write() == ["config.toml: [play] must be a table; play.count is not remembered"]
    assert kept(path)["play"] == 3


def test_an_impossible_change_is_refused(tmp_path: Path) -> None:
    remembered = Remembered(tmp_path / "config.toml")
    with pytest.raises(ConfigError):
        remembered.change("play", temperature=-1.0)
    assert remembered.write() == []


@pytest.mark.parametrize("content", [b"[play\ntemp", b"\xff\xfe[play]", b"a = 1\na = 2\n", b"x = " + b"[" * 5000])
def test_a_broken_file_is_told_and_never_overwritten(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    remembered = Remembered(path)
    (problem,) = remembered.problems
    assert str(path) in problem
    assert "\n" not in problem
    remembered.change("play", temperature=1.5)
    assert remembered.write() == []  # told once is enough
    assert path.read_bytes() == content
    path.write_text("# repaired\n")
    assert remembered.write() == []
    assert Remembered(path).play.temperature == 1.5


def test_what_is_no_plain_file_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    os.mkfifo(path)
    assert "not a plain file" in Remembered(path).problems[0]
    (tmp_path / "directory").mkdir()
    assert "not a plain file" in Remembered(tmp_path / "directory").problems[0]


def test_two_apps_do_not_undo_each_other(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    one, other = Remembered(path), Remembered(path)
    one.change("play", temperature=0.1, count=1)
    other.change("play", temperature=0.2)
    other.change("app", theme="chargru-light")
    one.write()
    other.write()
    both = Remembered(path)
    assert (both.play.count, both.play.temperature, both.app.theme) == (1, 0.2, "chargru-light")


def test_a_directory_that_takes_no_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "config.toml"
    remembered = Remembered(path)
    remembered.change("play", count=2)
    monkeypatch.setattr(choices_file, "write_atomic", full)
    assert remembered.write() == [
        f"{path} cannot be written: No space left on device. Choices are kept for this time only."
    ]
    monkeypatch.undo()
    assert remembered.write() == []
    assert Remembered(path).play.count == 2
    blocked = Remembered(path / "not a directory" / "config.toml")
    (problem,) = blocked.problems
    assert "Choices are kept for this time only." in problem
    blocked.change("play", count=4)
    assert blocked.write() == []  # told once is enough


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, path = tmp_path / "elsewhere" / "mine.toml", tmp_path / "config.toml"
    target.write_text("# dotfiles\n")
    path.symlink_to(target)
    remembered = Remembered(path)
    remembered.change("play", count=2)
    assert remembered.write() == []
    assert path.is_symlink()
    assert target.read_text().startswith("# dotfiles\n")
    assert Remembered(path).play.count == 2


def test_a_name_that_is_not_utf_8_is_told_and_the_rest_remembered(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    remembered = Remembered(path)
    remembered.change("corpus", last="b\udcff.txt", budget="30 s")
    (problem,) = remembered.write()
    assert "corpus.last" in problem
    assert Remembered(path).corpus.budget == "30 s"
