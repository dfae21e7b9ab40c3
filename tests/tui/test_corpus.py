"""The Corpus screen: finding, pasting, setting by hand, foreseeing, and remembering."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual import events
from textual.pilot import Pilot
from textual.widgets import Button

from chargru.config import TrainRequest
from chargru.text.decoding import UndecodableTextError
from chargru.tui import byhand
from chargru.tui.app import ChargruApp
from chargru.tui.glyphs import ASCII, UNICODE
from chargru.tui.library import Choice, Outlook, TextPreview
from chargru.tui.messages import ForecastRead, PreviewRead
from chargru.tui.remembered import Remembered
from chargru.tui.screens.corpus import CorpusScreen
from chargru.tui.screens.settings import OptionCycle, SettingsScreen
from chargru.tui.widgets import vocabulary
from chargru.tui.widgets.budget import BudgetPicker, TimeInput, remembered_time
from chargru.tui.widgets.choices import COLUMNS, FilterInput, LibraryList, bytes_told, columns_for
from chargru.tui.widgets.forecast import ForecastLine, told
from chargru.tui.widgets.texts import PathInput, TextTree
from tests.tui.fakes import (
    HOSTILE,
    FakeLibrary,
    FakeRunner,
    assert_sound,
    make_app,
    painted,
    press,
    settle,
    until,
    words_on,
)


class Texts(FakeLibrary):
    """Texts of paper, one of them with bad bytes; remembers what it was asked."""

    def __init__(self, *extra: str, gone: Sequence[str] = ()) -> None:
        super().__init__(*extra)
        self.gone = gone
        self.readings: list[dict[str, Any]] = []
        self.foreseen: list[tuple[str, float, dict[str, Any]]] = []

    def recent(self, specs: Sequence[str]) -> list[Choice]:
        return [replace(each, problem="gone" if each.spec in self.gone else "") for each in super().recent(specs)]

    def preview(self, spec: str, *, encoding: str | None = None, replace: bool = False) -> TextPreview:
        self.readings.append({"spec": spec, "encoding": encoding, "replace": replace})
        if spec.endswith("bad.txt") and not replace and encoding is None:
            raise UndecodableTextError("bad.txt does not decode", "replace 3 bytes, first at offset 17", "utf-8", 3, 17)
        self.names = (*self.names, spec)
        return super().preview(spec)

    def forecast(self, spec: str, seconds: float, settings: Mapping[str, Any], **how: Any) -> Outlook | None:
        self.foreseen.append((spec, seconds, dict(settings)))
        return super().forecast(spec, seconds, settings, **how)


def remembered(**choices: object) -> Remembered:
    made = Remembered(None)
    made.change("corpus", **choices)
    return made


def screen(app: ChargruApp) -> CorpusScreen:
    assert isinstance(app.screen_stack[0], CorpusScreen)
    return app.screen_stack[0]


async def ready(pilot: Pilot[int], app: ChargruApp, words: str = "there was tales.") -> None:
    await until(pilot, lambda: words in words_on(app))


async def paste(pilot: Pilot[int], app: ChargruApp, text: str) -> None:
    app.post_message(events.Paste(text))
    await settle(pilot)


@pytest.mark.long
async def test_finding_a_text_by_a_few_letters() -> None:
    app = make_app(library=Texts("poems", "letters"), remembered=remembered(recent=("/mine/my potato diary.txt",)))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        await press(pilot, "slash", *"po")
        await until(pilot, lambda: "there was poems." in words_on(app))
        rows = screen(app).library
        assert [row.spec for row in rows._rows if row] == ["poems", "/mine/my potato diary.txt", "python-reference"]
        label = rows.options[0].prompt
        assert [(span.start, span.end) for span in label.spans if "underline" in str(span.style)] == [(0, 1), (1, 2)]  # type: ignore[union-attr]
        await press(pilot, "down")
        await until(pilot, lambda: "there was /mine/my potato diary.txt." in words_on(app))
        await press(pilot, *"xyz")
        assert "nothing like that" in words_on(app)
        assert screen(app).spec == "/mine/my potato diary.txt"
        assert_sound(app)
        await press(pilot, "escape")
        assert not app.screen.query_one(FilterInput).display
        await until(pilot, lambda: isinstance(app.focused, LibraryList))
        assert len([row for row in rows._rows if row]) == 5
        assert rows.spec == "/mine/my potato diary.txt"


@pytest.mark.long
async def test_recent_texts_are_listed_forgotten_and_grow() -> None:
    runner, library = FakeRunner(), Texts(gone=("/mine/away.txt",))
    kept = remembered(recent=("/mine/one.txt", "/mine/away.txt"), last="/mine/away.txt", budget="45s")
    app = make_app(runner=runner, library=library, remembered=kept)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)  # the last one is gone: that is told, and the first one chosen
        assert any("/mine/away.txt, the text of the last time, is gone" in n.message for n in app._notifications)
        assert "gone" in words_on(app)
        rows = screen(app).library
        rows.choose("/mine/away.txt")
        await press(pilot, "delete")
        await until(pilot, lambda: kept.corpus.recent == ("/mine/one.txt",))
        assert "away.txt" not in [row.title for row in rows.choices]

        await paste(pilot, app, "/mine/new.txt")
        await until(pilot, lambda: kept.corpus.last == "/mine/new.txt")
        await press(pilot, "enter")
        await until(pilot, lambda: runner.requests)
        assert runner.requests == [TrainRequest(corpus="/mine/new.txt", time=45.0)]
        assert kept.corpus.recent == ("/mine/new.txt", "/mine/one.txt")


@pytest.mark.long
async def test_the_last_text_and_time_are_chosen_again() -> None:
    kept = remembered(recent=("/mine/one.txt",), last="/mine/one.txt", budget="10 min")
    app = make_app(library=Texts(), remembered=kept)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app, "there was /mine/one.txt.")
        assert screen(app).library.spec == "/mine/one.txt"
        assert app.screen.query_one(BudgetPicker).seconds() == 600
        await app.run_action("budget(0)", app.screen)
        await until(pilot, lambda: kept.corpus.budget == "30 s")
        await app.run_action("budget(3)", app.screen)
        await until(pilot, lambda: isinstance(app.focused, TimeInput))
        await press(pilot, "ctrl+u", *"7")
        await until(pilot, lambda: kept.corpus.budget == "7")
        app.screen.query_one(TimeInput).value = ""
        screen(app)._foresee()  # as when its time comes before anybody has told of the key
        await settle(pilot)
        assert "a time looks like" in words_on(app)
        await press(pilot, "7")
        await until(pilot, lambda: kept.corpus.budget == "7")
        await press(pilot, "x")
        await until(pilot, lambda: "a time looks like" in words_on(app))
        assert kept.corpus.budget == "7"


def test_times_remembered() -> None:
    assert remembered_time("30 s") == (0, "5m")
    assert remembered_time("45s") == (3, "45s")
    assert remembered_time("soon") == remembered_time("") == (1, "5m")


LESS = [pytest.param(each, marks=pytest.mark.long) for each in (PathInput, TimeInput, FilterInput, TextTree, Button)]


@pytest.mark.parametrize("focused", [LibraryList, *LESS])
async def test_a_path_is_pasted_anywhere(focused: type) -> None:
    app = make_app(library=Texts(), remembered=remembered(budget="45s"))
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, app)
        if focused is FilterInput:
            await press(pilot, "slash")
        app.screen.query(focused).first().focus()
        await settle(pilot)
        await paste(pilot, app, "'/my texts/a file.txt'\n")
        await ready(pilot, app, "there was /my texts/a file.txt.")
        assert app.screen.query_one(PathInput).value == "/my texts/a file.txt"
        assert app.screen.query_one(TimeInput).value == "45s"
        assert app.screen.query_one(FilterInput).value == ""
        assert [n.message for n in app._notifications] == ["quotes and escapes are taken off"]


@pytest.mark.long
async def test_what_is_no_path_is_said() -> None:
    app = make_app(library=Texts())
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        await paste(pilot, app, "Once upon a time\nthere was a king.\n")
        assert "is no path" in "".join(n.message for n in app._notifications)
        await paste(pilot, app, "file:///a%20b/\x1b[31m[@click=app.quit]x[/]")
        await until(pilot, lambda: screen(app).spec.startswith("/a b/"))
        assert_sound(app)
        app.screen.query_one(TimeInput).display = True
        app.screen.query_one(TimeInput).focus()
        await settle(pilot)
        await paste(pilot, app, "90s")  # no path: it stays where it was pasted
        assert app.screen.query_one(TimeInput).value.endswith("90s")


@pytest.mark.long
async def test_names_complete_and_right_accepts(tmp_path: Path) -> None:
    (tmp_path / "A Tale.txt").write_text("x")
    app = make_app(library=Texts())
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        field = app.screen.query_one(PathInput)
        field.focus()
        field.value = f"{tmp_path}/a"
        await press(pilot, "backspace", "A")
        await until(pilot, lambda: field._suggestion == f"{tmp_path}/A Tale.txt")
        await press(pilot, "right")
        await ready(pilot, app, "there was")
        await until(pilot, lambda: screen(app).spec == f"{tmp_path}/A Tale.txt")


@pytest.mark.long
async def test_bad_bytes_are_replaced_by_a_key() -> None:
    runner, library = FakeRunner(), Texts()
    app = make_app("/mine/bad.txt", runner=runner, library=library)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app, "r replaces 3 bytes")
        assert "first at offset 17" in words_on(app)
        screen(app).query_one(PathInput).focus()
        await settle(pilot)
        assert "/ Find" not in words_on(app)  # a slash is a letter of the path there
        assert "esc Leave field" in words_on(app)
        await press(pilot, "escape")
        assert screen(app).focused is screen(app).library
        assert screen(app).spec == "/mine/bad.txt"
        await press(pilot, "enter")
        await until(pilot, lambda: "r replaces its bad bytes" in "".join(n.message for n in app._notifications))
        assert runner.requests == []
        await press(pilot, "r")
        await ready(pilot, app, "there was /mine/bad.txt.")
        assert library.readings[-1] == {"spec": "/mine/bad.txt", "encoding": None, "replace": True}
        assert "1 by hand" in words_on(app)
        turn = screen(app)._forecast_turn
        screen(app).choose("tales")  # another text is read as ever
        assert screen(app)._forecast_turn > turn  # a forecast on its way is not told of it
        await ready(pilot, app)
        assert "1 by hand" not in words_on(app)
        screen(app).choose("/mine/bad.txt")
        await ready(pilot, app, "there was /mine/bad.txt.")
        await press(pilot, "s")
        await until(pilot, lambda: runner.requests)
        assert runner.requests[0].replace_bad_bytes


@pytest.mark.long
async def test_all_settings_by_hand() -> None:
    runner, library = FakeRunner(), Texts()
    app = make_app("/mine/one.txt", runner=runner, library=library)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app, "there was /mine/one.txt.")
        screen(app).library.focus()
        await press(pilot, "a")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
        for option in byhand.options():
            assert app.screen.query(f"#option-{option.name}"), option.name
        app.screen.query_one("#option-hidden_size").focus()
        await press(pilot, *"0")
        assert "hidden_size must be at least 1, not 0" in words_on(app)
        assert_sound(app)
        await press(pilot, "escape")
        await until(pilot, lambda: app.screen is screen(app))
        assert "1 impossible" in words_on(app)
        assert "hidden_size must be at least 1, not 0" in words_on(app)
        await press(pilot, "enter")
        assert runner.requests == []

        await pilot.click("#by-hand")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
        app.screen.query_one("#option-hidden_size").focus()
        await press(pilot, "backspace", *"48", "tab", *"2")
        app.screen.query_one("#option-backend", OptionCycle).focus()
        await press(pilot, "right")
        app.screen.query_one("#option-encoding").focus()
        await press(pilot, *"cp949", "enter")
        await until(pilot, lambda: "4 by hand" in words_on(app))
        await until(pilot, lambda: library.readings[-1]["encoding"] == "cp949")
        given = {"hidden_size": 48, "num_layers": 2, "backend": "numpy", "encoding": "cp949"}
        await until(pilot, lambda: library.foreseen and library.foreseen[-1][2] == given)
        await press(pilot, "enter")
        await until(pilot, lambda: runner.requests)
        assert runner.requests == [TrainRequest(corpus="/mine/one.txt", time=180.0, **given)]  # type: ignore[arg-type]


@pytest.mark.long
async def test_a_budget_by_hand_takes_the_place_of_the_time_and_all_can_be_automatic_again() -> None:
    runner = FakeRunner()
    app = make_app(runner=runner, library=Texts())
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, app)
        await press(pilot, "a")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
        app.screen.query_one("#option-steps").focus()
        await press(pilot, *"20", "escape")
        await until(pilot, lambda: "20 steps, as set by hand, take the place of the time" in words_on(app))
        assert "1 setting by hand" in words_on(app)
        await press(pilot, "a")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
        await press(pilot, "ctrl+r", "escape")
        await until(pilot, lambda: "by hand" not in words_on(app))
        await press(pilot, "a")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
        await press(pilot, *"20", "escape", "enter")
        await until(pilot, lambda: runner.requests)
        assert runner.requests == [TrainRequest(corpus="tales", steps=20)]


@pytest.mark.long
async def test_forecasts_and_answers_to_older_questions() -> None:
    library = Texts()
    app = make_app(library=library)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, app, "about 4 M characters read (3.9 times over) · 256 units · likely 1.55 nats")
        assert library.foreseen == [("tales", 180.0, {})]
        line = app.screen.query_one(ForecastLine)
        await until(pilot, lambda: not line.render().plain.startswith("…"))
        line.wait()
        assert line.render().plain.startswith("… about 4 M")  # a number of what was chosen before is never told as new
        await app.run_action("budget(0)", app.screen)
        await ready(pilot, app, "about 660k characters read (66% of it)")
        await until(pilot, lambda: not line.render().plain.startswith("…"))
        turn = screen(app)._forecast_turn
        app.screen.post_message(ForecastRead(turn - 1, Outlook(1, 1, 1.0, 1.0, 9.99, 9.0, 10.0)))
        app.screen.post_message(PreviewRead("tales", None, "an old problem", turn=screen(app)._turn - 1))
        await settle(pilot)
        assert "9.99" not in words_on(app)
        assert "an old problem" not in words_on(app)
        app.screen.post_message(ForecastRead(turn, None))
        await settle(pilot)
        assert line._outlook is None
        app.remembered.change("chart", units="bits")
        await press(pilot, "f6", "f2")
        app.screen.post_message(ForecastRead(turn, Outlook(512, 2, 4e6, 3.7, 1.55, 1.4, 1.7)))
        await ready(pilot, app, "512 units in 2 layers · likely 2.24 bits (2.02 to 2.45)")


class LooksCloser(Texts):
    """The first look is a glance; the closer one waits until it is let go or told to stop."""

    def __init__(self) -> None:
        super().__init__()
        self.go, self.stopped = threading.Event(), threading.Event()

    def forecast(
        self,
        spec: str,
        seconds: float,
        settings: Mapping[str, Any],
        *,
        closely: bool = False,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Outlook | None:
        found = super().forecast(spec, seconds, settings)
        assert found is not None
        if not closely:
            return replace(found, closely=False)
        while not self.go.wait(0.01):
            if should_stop():
                self.stopped.set()
                return None
        return replace(found, likely=1.48, pilot=(2.0, 1.5, 1.7, 1.4, 1.6))


@pytest.mark.long
async def test_a_glance_is_told_at_once_and_a_closer_look_when_it_is_there() -> None:
    library, runner = LooksCloser(), FakeRunner()
    app = make_app(library=library, runner=runner)
    async with app.run_test(size=(160, 40)) as pilot:
        await ready(pilot, app, "likely 1.55 nats (1.42 to 1.71), looking closer…")
        library.go.set()
        await ready(pilot, app, "likely 1.48 nats (1.42 to 1.71)")
        assert "looking closer" not in words_on(app)
        await press(pilot, "s")
        await until(pilot, lambda: runner.requests)
        assert runner.requests[0].pilot == (2.0, 1.5, 1.7, 1.4, 1.6)  # it need not be made again


@pytest.mark.long
async def test_a_training_that_begins_ends_the_closer_look() -> None:
    library, runner = LooksCloser(), FakeRunner()
    app = make_app(library=library, runner=runner)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, app, "likely 1.55 nats")
        await press(pilot, "s")
        await until(pilot, lambda: runner.requests)
        await until(pilot, library.stopped.is_set)
        assert runner.requests[0].pilot is None


def test_a_forecast_says_as_much_as_fits() -> None:
    outlook = Outlook(256, 2, 4.1e6, 3.7, 1.55, 1.4, 1.7, left_out=("dropout", "seq_len"))
    lengths = []
    for cells in (200, 100, 80, 60, 40, 20):
        text = "".join(part for part, _ in told(outlook, cells, "nats"))
        assert cell_len(text) <= cells
        assert "likely 1.55 nats" in text
        lengths.append(len(text))
    assert lengths == sorted(lengths, reverse=True)
    assert "not counting your dropout, seq len" in "".join(part for part, _ in told(outlook, 200, "nats"))
    glance = replace(outlook, closely=False, left_out=())
    assert "(1.40 to 1.70), looking closer…" in "".join(part for part, _ in told(glance, 200, "nats"))
    for cells in range(20, 100):
        assert "".join(part for part, _ in told(glance, cells, "nats")).endswith(" …")
    on_gpu = replace(outlook, gpu="NVIDIA [red]", left_out=())
    assert "256 units in 2 layers on NVIDIA [red] · likely" in "".join(part for part, _ in told(on_gpu, 200, "nats"))
    assert "NVIDIA" not in "".join(part for part, _ in told(on_gpu, 90, "nats"))
    short = Outlook(64, 1, 1e6, 2_800.0, 1.0, 0.0, 2.0, measured=False)
    text = "".join(part for part, _ in told(short, 200, "nats"))
    assert "2.8k times over" in text
    assert "likely" not in text


@pytest.mark.parametrize(
    "size", [pytest.param((60, 18), marks=pytest.mark.long), (80, 24), pytest.param((160, 48), marks=pytest.mark.long)]
)
@pytest.mark.long
async def test_what_matters_is_on_the_screen(size: tuple[int, int]) -> None:
    kept = remembered(budget="7m", recent=tuple(f"/mine/{text}" for text in HOSTILE))
    app = make_app(library=Texts(*HOSTILE), remembered=kept)
    async with app.run_test(size=size) as pilot:
        await ready(pilot, app)
        await until(pilot, lambda: "likely 1.55 nats" in words_on(app))
        for words in ("library", "chars", "your own", "custom", "7m", "Start ⏎", "1.1 M characters"):
            assert words in words_on(app), words
        assert_sound(app)
        await press(pilot, *["down"] * (2 * len(HOSTILE) + 2))
        assert_sound(app)
        await press(pilot, "f")
        await until(pilot, lambda: isinstance(app.focused, TextTree))
        assert_sound(app)
        assert ("library-head" in {node.id for node in app.screen.query("*") if node.region}) is (size[0] >= 100)
        await press(pilot, "f")
        await until(pilot, lambda: isinstance(app.focused, LibraryList))


@pytest.mark.long
async def test_the_tree_chooses_files_and_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "below" / "deep").mkdir(parents=True)
    (tmp_path / "below" / "a.txt").write_text("x")
    monkeypatch.chdir(tmp_path / "below")
    app = make_app(library=Texts())
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        await press(pilot, "f")
        await until(pilot, lambda: "a.txt" in words_on(app))
        assert screen(app).spec == "tales", "looking at the files chooses none"
        await press(pilot, "down", "down")
        await until(pilot, lambda: screen(app).spec == str(tmp_path / "below" / "a.txt"))
        assert screen(app).library.spec == ""
        await press(pilot, "up")
        await until(pilot, lambda: screen(app).spec == str(tmp_path / "below" / "deep"))
        await press(pilot, "backspace")
        await until(pilot, lambda: app.screen.query_one(TextTree).path == tmp_path)


@pytest.mark.long
async def test_without_unicode_the_screen_has_none_of_its_own() -> None:
    kept = remembered()
    kept.change("app", characters="ascii")
    app = make_app(library=Texts(), remembered=kept)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, app)
        lines = painted(app)
        assert "(*) 3 min" in "\n".join(lines) or "* 3 min" in "\n".join(lines)
        assert "⏎" not in "\n".join(lines[:-1])


def test_columns_drop_in_their_order() -> None:
    assert columns_for(200) == list(COLUMNS)
    seen = [[column.name for column in columns_for(width)] for width in range(10, 90)]
    assert seen[0] == []
    assert ["characters"] in seen
    assert ["characters", "vocabulary"] in seen
    assert ["characters", "vocabulary", "script"] in seen
    assert ["size", "characters", "vocabulary", "script"] in seen
    for width in range(10, 90):
        assert sum(column.width + 1 for column in columns_for(width)) <= max(width - 15, 0)


def test_bytes() -> None:
    assert [bytes_told(size) for size in (None, 0, 742, 163_000, 1_100_000, 40_000_000_000)] == [
        "", "0 B", "742 B", "163 kB", "1.1 MB", "40 GB",
    ]  # fmt: skip


def test_characters_as_they_can_be_seen() -> None:
    seen = [vocabulary.visible(character, UNICODE) for character in " \n\tea\u0301\u200d\x1b\u202e한\xa0"]
    assert seen == ["␣", "⏎", "⇥", "e", "a", "U+0301", "U+200D", "U+001B", "U+202E", "한", "U+00A0"]
    assert [vocabulary.visible(character, ASCII) for character in " \n\t"] == ["'_'", "\\n", "\\t"]


@pytest.mark.parametrize("marks", [UNICODE, ASCII])
@pytest.mark.parametrize("cells", [20, 40, 60, 100])
def test_characters_keep_to_their_room(marks: Any, cells: int) -> None:
    common = tuple((character, 100 - 10 * place) for place, character in enumerate("e \n한\u0301t[x"))
    rare = tuple((character, place + 1) for place, character in enumerate("\x1b\ud800]Qz\u202eö"))
    for line in vocabulary.short(common, rare, cells, marks):
        assert cell_len(line.plain) <= cells
    lines = vocabulary.table(common, rare, 3, 1_000, max(cells, 46), marks)
    assert len(lines) == 9
    assert all(cell_len(line.plain) <= max(cells, 46) for line in lines)
    assert lines[1].plain.count(marks.bar) > lines[8].plain.count(marks.bar) > 0
    assert "10%" in lines[1].plain
    assert vocabulary.table((), (), 0, 0, cells, marks) == vocabulary.short((), (), cells, marks) == []
