"""Every screen and state as it was last approved: what is painted now must be the same, character by character.

Pictures are SVG files in tests/tui/snapshots (svg.py says how they are made, scenes.py how each state is reached), at
two sizes and in two themes. After a wanted change `make snapshots` writes them anew; look at them before they are kept.

Not pytest-textual-snapshot: its last version pins syrupy 4, which needs pytest < 9, and this suite runs on pytest 9.
What is painted also depends on Textual itself, so only the version in constraints-dev.txt is compared; with any
other the tests are skipped and say so.
"""

from __future__ import annotations

import difflib
import importlib.metadata
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.fakes import settle
from tests.tui.scenes import SCENES, Scene, Stage, hold_still, stage
from tests.tui.svg import lines_of, looks_of

ROOT = Path(__file__).resolve().parents[2]
PLACE = Path(__file__).with_name("snapshots")
UPDATE = bool(os.environ.get("CHARGRU_UPDATE_SNAPSHOTS"))
SIZES = ((80, 24), (120, 36))
THEMES = {"dark": "chargru", "light": "chargru-light"}
SHOWN = 40  # lines of a difference


def pinned(package: str) -> str:
    found = re.search(rf"^{package}==(\S+)$", (ROOT / "constraints-dev.txt").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


OTHER = [
    f"{package} {importlib.metadata.version(package)} instead of {pinned(package)}"
    for package in ("textual", "textual-plot", "rich")
    if importlib.metadata.version(package) != pinned(package)
]


def cases() -> Iterator[object]:
    for found in SCENES.values():
        for size in (found.size,) if found.size else SIZES:
            quick = found.quick and size == SIZES[0]
            marks = () if quick else (pytest.mark.long,)
            yield pytest.param(found, size, id=f"{found.name}-{size[0]}x{size[1]}", marks=marks)


def names() -> set[str]:
    sizes = {found.name: (found.size,) if found.size else SIZES for found in SCENES.values()}
    return {
        f"{name}-{size[0]}x{size[1]}-{theme}.svg" for name in sizes for size in sizes[name] if size for theme in THEMES
    }


def difference(before: str, after: str) -> str:
    """What changed, in few lines: the characters, or, where they are the same, the looks of which lines."""
    old, new = lines_of(before), lines_of(after)
    if old != new:
        told = list(difflib.unified_diff(old, new, "approved", "painted", n=0, lineterm=""))
    else:
        told = ["the characters are the same, the looks are not; the first of each line:"]
        for y, (a, b) in enumerate(zip(looks_of(before), looks_of(after), strict=False), 1):
            changed = sorted(x for x in {*a, *b} if a.get(x) != b.get(x))
            if changed:
                x = changed[0]
                told += [f"line {y}, column {x + 1}, {len(changed)} cells: {a.get(x)} -> {b.get(x)}"]
    more = [f"… and {len(told) - SHOWN} lines more"] if len(told) > SHOWN else []
    return "\n".join([*told[:SHOWN], *more])


@pytest.mark.skipif(bool(OTHER), reason=f"pictures are of other versions: {', '.join(OTHER)}")
@pytest.mark.parametrize(("found", "size"), list(cases()))
async def test_the_screen_is_as_approved(
    found: Scene, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "texts"
    directory.mkdir()
    hold_still(monkeypatch, directory)
    for name, value in found.environment.items():
        monkeypatch.setenv(name, value)
    app, runner = stage(found)
    wrong: list[str] = []
    async with app.run_test(size=size) as pilot:
        on_stage = Stage(app, pilot, runner)
        await found.play(on_stage)
        for word, theme in THEMES.items():
            app.theme = theme
            await settle(pilot)
            app.stylesheet.update(app.screen, animate=False)  # Textual forgets the command palette
            picture = await on_stage.picture()
            path = PLACE / f"{found.name}-{size[0]}x{size[1]}-{word}.svg"
            if UPDATE:
                path.write_text(picture, encoding="utf-8")
            elif not path.exists():
                wrong.append(f"{path.name} is missing: make snapshots")
            elif (approved := path.read_text(encoding="utf-8")) != picture:
                painted = tmp_path / path.name
                painted.write_text(picture, encoding="utf-8")
                wrong.append(f"{path.name}: what is painted now is in {painted}\n{difference(approved, picture)}")
    assert not wrong, "\n\n".join(wrong)


def test_no_picture_is_left_of_a_state_that_is_gone() -> None:
    strangers = sorted(path.name for path in PLACE.iterdir() if path.name not in names())
    if UPDATE:
        for name in strangers:
            (PLACE / name).unlink()
        return
    assert not strangers
    assert sum(path.stat().st_size for path in PLACE.iterdir()) < 2_500_000


def test_a_changed_character_and_a_changed_colour_are_both_seen() -> None:
    before = (
        '<svg xmlns="http://www.w3.org/2000/svg"><style>.a{fill:#fff}</style>\n'
        '<g><text y="16"><tspan x="0" class="a">loss</tspan><tspan x="60" class="a">1.62</tspan></text></g>\n</svg>'
    )
    assert lines_of(before) == ["loss  1.62"]
    assert "-loss  1.62\n+loss  1.63" in difference(before, before.replace("1.62", "1.63"))
    assert "line 1, column 1, 8 cells: 'l' fill:#fff -> 'l' fill:#ccc" in difference(
        before, before.replace("#fff", "#ccc")
    )
