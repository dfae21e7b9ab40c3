"""The Runs screen on real runs in a temporary directory, and on hostile rows of paper."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Input

from chargru.events import Evaluated, Landmarks, Notice, Progress, Sampled, to_record
from chargru.storage.run import Run
from chargru.storage.runs import list_runs
from chargru.tui.app import ChargruApp
from chargru.tui.archive import HouseArchive, RunCurves, RunRow
from chargru.tui.remembered import Remembered
from chargru.tui.screens.deleting import DeleteScreen, question
from chargru.tui.screens.runs import RunsScreen
from chargru.tui.widgets.overlay import Overlay
from chargru.tui.widgets.runtable import RunsTable
from tests.storage.samples import make_checkpoint
from tests.storage.test_lock import holder
from tests.tui.fakes import (
    HOSTILE,
    NASTY,
    FakeModels,
    FakeRunner,
    assert_sound,
    make_app,
    painted,
    press,
    started,
    until,
    words_on,
)

STEPS = (1, 5, 10, 20, 40, 80)


def tell(run: Run, *steps: int, loss: float = 3.0) -> None:
    for step in steps:
        now = loss / (1 + step / 50)
        run.append(to_record(Progress(step, step / 100, step / 50, now, 0.4, 5e-3, 1e4, step / 2, 1.0, 0)))
        run.append(to_record(Evaluated(step, step / 100, now, now, now, step, 4096, False, step / 2)))


def make(root: Path, name: str, updated: str, *, loss: float = 3.0, **changes: Any) -> Run:
    run = Run.create(root, name, {"status": "finished"})
    tell(run, *STEPS, loss=loss)
    run.append(to_record(Landmarks(4.2, 3.1, 2.1, 1.9, 9000)))
    run.append(to_record(Sampled(80, "", f"what {name} wrote", 0.8)))
    run.save(make_checkpoint(80, val_loss=loss / 2.6, **changes), best=True)
    text = (run.path / "run.json").read_text()
    (run.path / "run.json").write_text(text.replace(run.record["updated"], updated))
    return run


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three runs and a broken one; the current directory is a place of its own."""
    root = tmp_path / "runs"
    make(root, "tales-10", "2024-03-03T00:00:00.000+00:00", loss=3.2)
    make(root, "tales-2", "2024-03-02T00:00:00.000+00:00", loss=2.6)
    make(root, "wide", "2024-03-01T00:00:00.000+00:00", loss=4.0, letters="\n abcdefgh")
    broken = make(root, "broken", "2023-01-01T00:00:00.000+00:00")
    for path in broken.checkpoints():
        path.write_bytes(b"nonsense")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return root


def house(root: Path, **rooms: Any) -> ChargruApp:
    return make_app(archive=HouseArchive(str(root)), **rooms)


def names(app: ChargruApp) -> list[str]:
    return [row.name for row in app.screen.query_one(RunsTable)._rows]


def current(app: ChargruApp) -> str:
    row = app.screen.query_one(RunsTable).current
    return row.name if row else ""


def table(path: str) -> list[dict[str, str]]:
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def told(app: ChargruApp, words: str) -> bool:
    return any(words in each.message for each in app._notifications)


async def open_runs(pilot: Pilot[int], app: ChargruApp, *wait: str) -> None:
    await press(pilot, "f6")
    await until(pilot, lambda: isinstance(app.screen, RunsScreen) and all(each in words_on(app) for each in wait))
    await until(pilot, lambda: app.screen.query_one(RunsTable).has_focus)


@pytest.mark.long
async def test_another_theme_colours_every_cell_anew(root: Path) -> None:
    app = house(root)
    async with app.run_test(size=(120, 30)) as pilot:
        await open_runs(pilot, app, "4 runs")
        table = app.screen.query_one(RunsTable)
        before = [str(cell.style) for cell in table.get_row_at(0)]
        app.theme = "chargru-light"
        await until(pilot, lambda: [str(cell.style) for cell in table.get_row_at(0)] != before)
        keys = [column.key for column, _ in table._columns_shown]
        after = [str(cell.style) for cell in table.get_row_at(0)]
        assert {key for key, old, new in zip(keys, before, after, strict=True) if old != new} == {"curve", "age"}


@pytest.mark.long
async def test_runs_are_sorted_filtered_marked_and_overlaid(root: Path) -> None:
    remembered = Remembered(None)
    app = house(root, remembered=remembered)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_runs(pilot, app, "4 runs", "tales-10")
        assert names(app) == ["tales-10", "tales-2", "wide", "broken"]
        await press(pilot, "s")
        assert remembered.runs.order == "best"
        assert names(app)[0] == "tales-2"
        assert names(app)[-1] == "broken"
        assert current(app) == "tales-10", "the cursor stays on its run"
        await press(pilot, "s")
        assert names(app) == ["broken", "tales-2", "tales-10", "wide"]

        await press(pilot, "slash", *"tls-")
        assert names(app) == ["tales-2", "tales-10"]
        assert "2 of 4 with tls-" in words_on(app)
        await press(pilot, "enter", "home", "space", "down", "space")
        assert "2 marked" in words_on(app)
        await until(pilot, lambda: "● tales-2" in words_on(app) and "▲ tales-10" in words_on(app))
        assert "not the same measure" not in words_on(app)
        assert_sound(app)

        await press(pilot, "escape")
        assert len(names(app)) == 4
        await press(pilot, "end")
        await until(
            pilot, lambda: "not the same measure: 2 different texts" in words_on(app) or "• wide" in words_on(app)
        )
        await press(pilot, "space")
        await until(pilot, lambda: "■ wide" in words_on(app))
        assert "3 marked" in words_on(app)
        for key, words in (("x", "by time of training"), ("x", "by characters read"), ("b", "bits"), ("l", "linear")):
            await press(pilot, key)
            await until(pilot, lambda words=words: words in words_on(app))
            assert_sound(app)
        assert (remembered.runs.across, remembered.chart.units, remembered.chart.axis) == (
            "characters",
            "bits",
            "linear",
        )
        await press(pilot, "escape")
        assert "marked" not in words_on(app)


@pytest.mark.long
async def test_different_texts_do_not_compare_and_that_is_said(root: Path) -> None:
    from chargru.storage.checkpoint import CorpusIdentity

    other = CorpusIdentity("alice", "alice", "cd" * 32, 99, "utf-8")
    make(root, "alice", "2025-01-01T00:00:00.000+00:00", corpus=other, letters="abc")
    app = house(root)
    async with app.run_test(size=(100, 30)) as pilot:
        await open_runs(pilot, app, "5 runs")
        await press(pilot, "space", "down", "space")
        words = "not the same measure: 2 different texts, vocabularies of different sizes"
        await until(pilot, lambda: words in words_on(app))


@pytest.mark.long
async def test_the_cursor_stays_on_its_run_when_the_columns_change(root: Path) -> None:
    app = house(root)
    async with app.run_test(size=(100, 30)) as pilot:
        await open_runs(pilot, app, "4 runs")
        table = app.screen.query_one(RunsTable)
        await press(pilot, "down", "down")
        before = current(app)
        assert before != names(app)[0]
        columns = table._columns_shown
        table._columns_shown = columns[:-1]  # as if the size had changed since, and nobody had said so yet
        table.show(table._rows, {}, table._look)
        assert (current(app), table._columns_shown) == (before, columns)


def test_a_poll_while_the_app_is_being_left_is_none() -> None:
    RunsScreen()._poll()  # there is no screen on the stack any more, nor an app


@pytest.mark.long
async def test_the_mouse_marks_sorts_and_plays(root: Path) -> None:
    app = house(root)
    async with app.run_test(size=(100, 30)) as pilot:
        await open_runs(pilot, app, "4 runs")
        table = app.screen.query_one(RunsTable)
        await pilot.click(table, offset=(1, 2))
        await until(pilot, lambda: "1 marked" in words_on(app))
        assert current(app) == "tales-2"
        await pilot.click(table, offset=(8, 3))
        assert (current(app), app.current_mode) == ("wide", "runs")
        heading = painted(app)[1].index("run")
        await pilot.click(table, offset=(heading + 1, 0))
        await until(pilot, lambda: names(app) == ["broken", "tales-2", "tales-10", "wide"])
        line = app.screen.query_one("#runs-line")
        await pilot.click(line, offset=(painted(app)[line.region.y].index("sort"), 0))
        await until(pilot, lambda: app.remembered.runs.order == "corpus")
        await pilot.click(table, offset=(8, 1), times=2)
        await until(pilot, lambda: app.current_mode == "play")


@pytest.mark.long
async def test_a_run_is_renamed_by_the_rules_of_names(root: Path) -> None:
    app = house(root)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_runs(pilot, app, "4 runs")
        app.training.started = started(path=str(root / "tales-2"))
        await press(pilot, "down", "n")
        assert app.screen.query_one(Input).value == "tales-2"
        await press(pilot, *["backspace"] * 7, *"My")
        app.screen.query_one(Input).value = "My [/b] Tales!\x1b"
        await until(pilot, lambda: "→ my-b-tales" in words_on(app))
        assert_sound(app)
        await press(pilot, "enter")
        await until(pilot, lambda: "my-b-tales" in names(app) and told(app, "renamed to my-b-tales"))
        assert current(app) == "my-b-tales"
        assert (root / "my-b-tales" / "run.json").is_file()
        assert app.training.started.path == str(root / "my-b-tales")  # the Train screen goes on with it
        await press(pilot, "n")
        app.screen.query_one(Input).value = "wide"
        await press(pilot, "enter")
        await until(pilot, lambda: told(app, "there is a run named wide already"))
        await press(pilot, "n", "escape")
        await until(pilot, lambda: app.screen.query_one(RunsTable).has_focus)


@pytest.mark.long
async def test_deleting_asks_first_and_takes_broken_ones_too(root: Path) -> None:
    app = house(root)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_runs(pilot, app, "4 runs")
        await press(pilot, "end", "d")
        await until(pilot, lambda: isinstance(app.screen, DeleteScreen) and "Delete broken?" in words_on(app))
        assert "1 checkpoint" in words_on(app)
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        assert len(list_runs(root)) == 4, "Enter keeps"
        (root / "broken" / "notes.txt").write_text("mine")
        await press(pilot, "d")
        await until(pilot, lambda: isinstance(app.screen, DeleteScreen))
        await press(pilot, "y")
        await until(pilot, lambda: told(app, "1 run deleted; not of a run, so left: notes.txt"))
        await until(pilot, lambda: len(names(app)) == 3)
        await press(pilot, "home", "space", "down", "space", "d")
        await until(pilot, lambda: "Delete 2 runs?" in words_on(app))
        assert_sound(app)
        await press(pilot, "y")
        await until(pilot, lambda: names(app) == ["wide"])
        assert [run.name for run in list_runs(root)] == ["wide"]


@pytest.mark.long
async def test_metrics_are_exported_and_paths_copied(root: Path) -> None:
    app = house(root)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_runs(pilot, app, "4 runs")
        await press(pilot, "e")
        await until(pilot, lambda: told(app, "tales-10.csv"))
        rows = table("tales-10.csv")
        assert [int(row["step"]) for row in rows if row["event"] == "evaluated"] == list(STEPS)
        await press(pilot, "space", "down", "space", "e")
        await until(pilot, lambda: told(app, "the metrics of 2 runs are in"))
        assert {row["run"] for row in table("tales-10-and-1-more.csv")} == {
            "tales-10",
            "tales-2",
        }
        await press(pilot, "y")
        assert app.copied == str(root / "tales-2")


@pytest.mark.long
async def test_a_run_that_another_process_trains_is_live_moves_and_is_left_alone(root: Path) -> None:
    runner = FakeRunner()
    app = house(root, runner=runner)
    run = Run.open(root / "wide")
    with holder(run.path) as process:
        async with app.run_test(size=(160, 48)) as pilot:
            await open_runs(pilot, app, "4 runs", f"in training by process {process.pid}")
            assert names(app)[0] == "wide", "what is in training was changed last"
            tell(run, 160, loss=1.0)
            await until(pilot, lambda: app.screen.query_one(RunsTable).current.step == 160)  # type: ignore[union-attr]
            assert "160" in words_on(app)
            (series,) = app.screen.query_one(Overlay)._series
            assert series.curves.validation[-1][-1][0] == 160
            run.append(to_record(Notice(NASTY)))
            await until(pilot, lambda: "notices" in words_on(app))
            assert_sound(app)
            for key in ("d", "n", "r"):
                await press(pilot, key)
                assert isinstance(app.screen, RunsScreen)
            assert len([each for each in app._notifications if "wide" in each.message]) == 3
            assert runner.requests == []
            process.kill()
            process.wait()
            await until(pilot, lambda: "in training" not in words_on(app))
            await press(pilot, "r")
            await until(pilot, lambda: runner.requests)


class HostileArchive(FakeModels):
    """Rows in which everything that is data is hostile."""

    def runs(self) -> list[RunRow]:
        facts = tuple((text, text) for text in HOSTILE)
        rows = [
            RunRow(
                text, f"runs/{number}", text, text, 1, 1.0, text, text, "live", 1.0, (2.0, 1.0), 1, facts, HOSTILE, 8
            )
            for number, text in enumerate(HOSTILE)
        ]
        return [*rows, RunRow(NASTY, "runs/nasty", NASTY, NASTY, None, None, NASTY, NASTY, NASTY)]

    def curves(self, runs: Sequence[str]) -> list[RunCurves]:
        points = (((1, 1.0, 3.0), (2, 2.0, 1e-9), (3, 3.0, 1e300)),)
        return [RunCurves(run, points, points, (("uniform", 4.0),), (1, NASTY, NASTY), HOSTILE) for run in runs]

    def differences(self, runs: Sequence[str]) -> list[str]:
        return [NASTY]

    def name_for(self, typed: str) -> str:
        return typed

    def export(self, runs: Sequence[str]) -> str:
        return NASTY


@pytest.mark.long
@pytest.mark.parametrize("size", [(60, 18), (160, 48)])
async def test_hostile_runs_stay_data(size: tuple[int, int]) -> None:
    app = make_app(models=HostileArchive())
    async with app.run_test(size=size) as pilot:
        await open_runs(pilot, app, "[red")
        for _ in range(8):
            await press(pilot, "space", "down")
            await until(pilot, lambda: app.screen.query_one(Overlay)._series)
            assert_sound(app)
        await press(pilot, "space", "i", "e", "y", "end")
        await until(pilot, lambda: told(app, "8 runs are marked"))
        assert_sound(app)
        await press(pilot, "slash")
        app.screen.query_one(Input).value = NASTY
        await press(pilot, "escape", "end", "n")
        assert_sound(app)
        await press(pilot, "escape", "escape", "d")
        await until(pilot, lambda: isinstance(app.screen, DeleteScreen))
        assert_sound(app)
        assert app.is_running


@pytest.mark.long
async def test_without_runs_the_way_to_the_first_one_is_shown_and_trouble_is_told(tmp_path: Path) -> None:
    app = house(tmp_path / "none")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "f6")
        await until(pilot, lambda: "Nothing was trained yet" in words_on(app))
        for key in ("s", "d", "n", "e", "r", "y", "space", "x"):
            await press(pilot, key)
        (tmp_path / "none").write_text("a file")
        await until(pilot, lambda: "The runs cannot be read" in words_on(app))
        assert_sound(app)


@pytest.mark.long
async def test_hundreds_of_runs_are_listed(tmp_path: Path) -> None:
    class Many(FakeModels):
        def runs(self) -> list[RunRow]:
            return [RunRow(f"run-{n}", f"runs/{n}", "tales", "GRU 64", n, 1.0 + n, "2024-01-01") for n in range(400)]

    app = make_app(models=Many())
    async with app.run_test(size=(80, 24)) as pilot:
        await open_runs(pilot, app, "400 runs")
        await press(pilot, "end")
        assert current(app) == "run-399"
        assert app.screen.query_one(DataTable).row_count == 400
        await press(pilot, "slash", *"run-39", "enter", "s")
        assert names(app)[0] == "run-39"
        assert_sound(app)


@pytest.mark.long
async def test_details_fill_their_panel_and_keys_have_names_in_ascii(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "linux")
    app = house(root)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_runs(pilot, app, "enter play", "space mark")
        await press(pilot, "i")
        await until(pilot, lambda: "nats, " in words_on(app))  # "best 1.5 nats, 2.2 bits": not cut at twenty cells


def test_the_question_names_what_goes_and_how_much() -> None:
    rows = [RunRow(f"run-{n}", "", "", "", 1, 1.5, "", size=2_000_000, models=("a", "b")) for n in range(12)]
    one, many = question(rows[:1]).plain, question(rows).plain
    assert "Delete run-0?" in one
    assert "run-0: 2 checkpoints, best 1.500, 2 MB" in one
    assert "Delete 12 runs?" in many
    assert "and 4 more runs" in many
    assert "24 MB of models" in many
