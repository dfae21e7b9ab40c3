"""What a text may do to the app: markup, control characters, suggestions, columns, copies. See test_traps.py."""

from __future__ import annotations

import ast
import unicodedata
from pathlib import Path

import pytest
import wcwidth
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.widgets import Static

from chargru.config import TrainRequest
from chargru.events import Notice
from chargru.tui import formatting
from chargru.tui.messages import GhostSeen, TrainingWanted
from chargru.tui.widgets.chart import LossChart
from chargru.tui.widgets.completion import CompletionCard
from chargru.tui.widgets.prompt import PromptArea
from tests.tui.fakes import (
    FakeLibrary,
    FakeModel,
    FakeModels,
    FakeRunner,
    assert_sound,
    hear,
    make_app,
    painted,
    press,
    progress,
    sampled,
    saved,
    settle,
    started,
    until,
)
from tests.tui.sinks import attributes, bare_statics, markup_sinks, python_files

TUI = Path(__file__).resolve().parents[2] / "chargru" / "tui"


# -- 4: no markup is read in data --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", python_files(TUI), ids=lambda path: str(path.relative_to(TUI)))
def test_4_no_call_hands_data_to_markup(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert markup_sinks(source) == []
    assert bare_statics(source) == []


@pytest.mark.parametrize(
    "planted",
    [
        "Static(f'{name}')",
        "yield Static(shown(name), id='x')",
        "Label('a [b] c')",
        "self.app.notify(shown(text))",
        "self.border_title = f'sample {n}'",
        "self.border_subtitle = shown(n)",
        "Input(placeholder=f'{path}')",
        "Input(tooltip=one_line(path, 3))",
        "table.add_row(name, shown(corpus))",
        "table.add_column(str(n))",
        "Option(one_line(title, 3))",
        "Button('Take ' + name)",
        "Select[str]([], prompt=f'{name}')",
        "panel.tooltip = 'a' if x else f'{name}'",
    ],
)
def test_4_a_planted_call_is_found(planted: str) -> None:
    assert markup_sinks(planted) != []


def test_4_what_is_safe_is_not_complained_of() -> None:
    fine = (
        "Static(f'{name}', markup=False); Static('words'); Label(Content(shown(x))); self.notify(t, markup=False)\n"
        "self.border_title = Content(f'{x}'); self.placeholder = f'{seed:d} {loss:.2f}';"
        "table.add_row(Text(x)); Option(Content.assemble(a, b));"
        "Static(markup=False)"
    )
    assert markup_sinks(fine) == []
    assert bare_statics(fine) == []
    assert bare_statics("Static(id='x')") != []
    assert bare_statics("Static(name)") != []


class Leaky(App[int]):
    """An app with the trap wide open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def compose(self) -> ComposeResult:
        yield Static(self.text)


@pytest.mark.parametrize("text", ["[@click=app.quit]leave[/]", "\x1b[31mred", "\u202etxt.exe", "a\x9bb", "nul\x00"])
async def test_4_5_what_every_screen_is_checked_with_finds_an_open_sink(text: str) -> None:
    app = Leaky(text)
    async with app.run_test(size=(80, 24)):
        with pytest.raises(AssertionError):
            assert_sound(app)  # type: ignore[arg-type]


# -- 5: nothing that a terminal obeys ----------------------------------------------------------------------------------


@pytest.mark.long
async def test_5_without_the_guard_the_checks_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = FakeRunner()
    app = make_app(runner=runner)
    async with app.run_test(size=(80, 24)) as pilot:
        app.post_message(TrainingWanted(TrainRequest(corpus="tales", time=30)))
        await until(pilot, lambda: app.current_mode == "train")
        await hear(pilot, app, started(), progress(20), sampled(20, "red \x1b[31m and \u202e back"))
        assert_sound(app)
        monkeypatch.setattr(formatting, "safe_display", lambda text, newlines=True: text)
        await hear(pilot, app, sampled(40, "red \x1b[31m and \u202e back again"))
        with pytest.raises(AssertionError):
            assert_sound(app)
        monkeypatch.undo()
        await hear(pilot, app, sampled(60, "calm"))
        assert_sound(app)


# -- 7: suggestions ----------------------------------------------------------------------------------------------------


def suggesters(source: str) -> list[str]:
    """Suggesters that fold case or keep answers, by the calls that make them; "fine" for those that do neither."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ClassDef) or not any("Suggest" in ast.unparse(base) for base in node.bases):
            continue
        calls = [ast.unparse(each) for each in ast.walk(node) if isinstance(each, ast.Call)]
        made = [call for call in calls if call.startswith("super().__init__(")]
        right = made and "use_cache=False" in made[0] and "case_sensitive=True" in made[0]
        found.append("fine" if right else node.name)
    if "SuggestFromList(" in source:
        found.append("SuggestFromList")
    return found


def test_7_a_suggester_keeps_case_and_no_answers() -> None:
    every = [each for path in python_files(TUI) for each in suggesters(path.read_text(encoding="utf-8"))]
    assert set(every) <= {"fine"}
    made = "class Paths(Suggester):\n def __init__(self):\n  super().__init__({})"
    assert suggesters(made.format("use_cache=False, case_sensitive=True")) == ["fine"]
    assert suggesters(made.format("use_cache=False")) == ["Paths"]
    assert suggesters("class Paths(Suggester):\n pass") == ["Paths"]
    assert suggesters("Input(suggester=SuggestFromList(names))") == ["SuggestFromList"]


@pytest.mark.long
async def test_7_ghost_text_is_as_typed_asked_anew_never_late_and_one_line() -> None:
    model = FakeModel(story="Once Upon\nThen it rained.")
    app = make_app(models=FakeModels("tales-1", model=model))
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, "f4")
        await until(pilot, lambda: app.screen.query(PromptArea))
        prompt = app.screen.query_one(PromptArea)
        await until(pilot, lambda: prompt.has_focus and "tales-1" in "".join(painted(app)))
        await press(pilot, *"Onc")
        await until(pilot, lambda: prompt.ghost)
        read = [text for reader in model.readers for text in reader.texts]
        assert "Onc" in read
        assert "onc" not in read  # nothing lower-cased on the way
        assert "Once Upon⏎" in "".join(painted(app))
        assert "Then" not in "".join(painted(app))  # it stops at the end of the line and says so
        await press(pilot, "e", "backspace")
        again = [*read, "Onc"]
        await until(pilot, lambda: sum(reader.texts.count("Onc") for reader in model.readers) >= again.count("Onc"))
        await until(pilot, lambda: prompt.ghost.startswith("e Upon"))
        app.screen.post_message(GhostSeen(0, "an answer to what was asked long ago"))
        await settle(pilot)
        assert "long ago" not in "".join(painted(app))
        await press(pilot, "right")
        assert prompt.text == "Once Upon\n"
        await press(pilot, "tab")
        assert not prompt.has_focus


# -- 9: columns --------------------------------------------------------------------------------------------------------

# No Devanagari or Tamil: about their spacing vowel signs no two terminals, and no two libraries, agree.
SCRIPTS = (
    unicodedata.normalize("NFD", "한글로 쓴 이야기"),
    "日本語と漢字",
    "👩‍👩‍👧‍👦 🇩🇪 ❤️",
    "e\u0301\u0308\u0323ga\u0308n\u0303",
    "ภาษาไทย",
    "עברית العربية",
)
WIDE = " ".join(SCRIPTS)
NORMALIZE = unicodedata.normalize  # a test below takes it away


def columns_of(app: App[int]) -> list[str]:
    """What is wrong with the columns of the painted lines, by the widths of two libraries."""
    wrong = []
    for line in painted(app):  # type: ignore[arg-type]
        ours, theirs = cell_len(line), wcwidth.wcswidth(line)
        if not ours == theirs == app.size.width:
            wrong.append(f"{ours} and {theirs} cells instead of {app.size.width}: {line!r}")
        if NORMALIZE("NFC", line) != line:
            wrong.append(f"decomposed: {line!a}")
    return wrong


@pytest.mark.long
async def test_9_wide_and_combining_characters_keep_the_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = FakeRunner()
    model = FakeModel(pieces=SCRIPTS, notes=SCRIPTS)
    app = make_app(runner=runner, models=FakeModels(*SCRIPTS, model=model), library=FakeLibrary(*SCRIPTS))
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        assert columns_of(app) == []
        app.post_message(TrainingWanted(TrainRequest(corpus=SCRIPTS[0], time=30)))
        await until(pilot, lambda: app.current_mode == "train")
        told = [Notice(each) for each in SCRIPTS]
        await hear(pilot, app, started(corpus=WIDE, device=WIDE), progress(20), saved(20), *told)
        for text in SCRIPTS:
            await hear(pilot, app, sampled(20, text * 9))
            assert columns_of(app) == []
        await press(pilot, "f4")
        await until(pilot, lambda: app.screen.query("#prompt"))
        app.screen.query_one("#prompt").insert(WIDE)  # type: ignore[attr-defined]
        await press(pilot, "enter")
        await until(pilot, lambda: any(card.text and not card.writing for card in app.screen.query(CompletionCard)))
        assert columns_of(app) == []
        await press(pilot, "f6")
        await until(pilot, lambda: "日本語" in "".join(painted(app)))
        assert columns_of(app) == []
        await press(pilot, "f3")
        await until(pilot, lambda: app.current_mode == "train" and app.screen.query(LossChart))
        assert columns_of(app) == []
        monkeypatch.setattr(formatting.unicodedata, "normalize", lambda form, text: text)
        await hear(pilot, app, sampled(40, SCRIPTS[0] * 9))
        await until(pilot, lambda: columns_of(app) != [])  # the guard is away, and it is seen


# -- 10: copying -------------------------------------------------------------------------------------------------------


@pytest.mark.long
async def test_10_a_copy_is_told_and_can_be_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = make_app(models=FakeModels("tales-1"))
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, "f4")
        await until(pilot, lambda: app.screen.query(PromptArea) and "tales-1" in "".join(painted(app)))
        await press(pilot, *"Once", "enter")
        await until(pilot, lambda: any(card.text and not card.writing for card in app.screen.query(CompletionCard)))
        app.screen.query(CompletionCard).first().focus()
        await press(pilot, "y")
        await until(pilot, lambda: app._notifications)
        assert app.clipboard.startswith("Once and then it rained.")
        told = " ".join(each.message for each in app._notifications)
        assert "copied" in told
        assert "ctrl+s" in told  # the way out where the terminal takes no OSC 52
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: list(tmp_path.glob("*")))
        (saved_to,) = tmp_path.glob("*")
        await until(pilot, lambda: saved_to.read_text(encoding="utf-8") == app.clipboard)


def test_10_nothing_is_copied_without_a_word() -> None:
    """One way to the clipboard, the one that tells."""
    users = [path.name for path in python_files(TUI) if "copy_to_clipboard" in attributes(path.read_text("utf-8"))]
    assert users == ["shell.py"]
    assert "copy_to_clipboard" in attributes("self.app.copy_to_clipboard(text)")
