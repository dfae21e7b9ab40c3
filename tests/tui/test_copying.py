"""Copying: what was copied is told, and a terminal that takes no copies is no dead end."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from chargru.tui import copying
from tests.tui.fakes import HOSTILE, NASTY, make_app, press, settle, until


def test_what_is_told() -> None:
    assert copying.told("a" * 214, "completion 2").startswith("copied completion 2, 214 characters (")
    assert copying.told("a", "the path").startswith("copied the path, 1 character (")
    assert "more than many terminals take" in copying.told("한" * 30_000, "it")
    assert "\n" not in copying.told("a", NASTY)


def test_saving_never_overwrites(tmp_path: Path) -> None:
    names = [copying.save(text, tmp_path, "copied.txt").name for text in ("one\r\n", "two", "three")]
    assert names == ["copied.txt", "copied-2.txt", "copied-3.txt"]
    assert (tmp_path / "copied.txt").read_bytes() == b"one\r\n"
    assert (tmp_path / "copied-3.txt").read_text() == "three"
    (tmp_path / "copied-4.txt").symlink_to(tmp_path / "elsewhere")
    assert copying.save("four", tmp_path, "copied.txt").name == "copied-5.txt"
    assert not (tmp_path / "elsewhere").exists()
    with pytest.raises(OSError, match="gone"):
        copying.save("five", tmp_path / "gone", "copied.txt")


async def test_copying_and_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        written: list[str] = []
        monkeypatch.setattr(app._driver, "write", written.append)

        def told() -> list[str]:
            return [each.message for each in app._notifications]

        assert "Save what was copied" not in [each.title for each in app.get_system_commands(app.screen)]
        await press(pilot, "ctrl+s")
        assert not list(tmp_path.iterdir())
        for text in HOSTILE:
            app.copy(text, NASTY)
            payload = written.pop().removeprefix("\x1b]52;c;").removesuffix("\a")
            assert base64.b64decode(payload).decode("utf-8") == copying.clean(text)
        app.copy("", "completion 1")
        assert not written
        app.copy_to_clipboard("by ctrl+c")
        await until(pilot, lambda: any("copied the selection, 9 characters" in each for each in told()))
        assert any("nothing in completion 1" in each for each in told())
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: any(str(tmp_path / "chargru-copied.txt") in each for each in told()))
        assert (tmp_path / "chargru-copied.txt").read_text() == "by ctrl+c"
        commands = {each.title: each.callback for each in app.get_system_commands(app.screen)}
        await commands["Save what was copied"]()  # type: ignore[misc]
        await until(pilot, lambda: (tmp_path / "chargru-copied-2.txt").exists())

        def full(*_: object) -> Path:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(copying, "save", full)
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: any("cannot be saved here: No space left" in each for each in told()))
        await settle(pilot)
