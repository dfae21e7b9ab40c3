"""All runs: where they are, what is listed, and what a user's word for one means."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from chargru.errors import RunError
from chargru.storage import checkpoint as checkpoint_file
from chargru.storage import metrics, regular
from chargru.storage.runs import Run, delete, find_model, find_run, list_runs, rename, runs_root

from .samples import make_checkpoint
from .test_lock import holder


def make_run(root: Path, name: str, updated: str | None = None, *, saved: bool = True) -> Run:
    run = Run.create(root, name, {})
    if saved:
        run.save(make_checkpoint(1), best=True)
        run.save(make_checkpoint(2), best=False)
    if updated:
        text = (run.path / "run.json").read_text()
        (run.path / "run.json").write_text(text.replace(run.record["updated"], updated))
    return run


def test_the_root_is_what_is_asked_for_or_the_user_s_or_the_checkout_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("CHARGRU_HOME", str(tmp_path / "home"))
    assert runs_root("out") == Path("out")
    assert runs_root("~/out") == tmp_path / "out"
    assert runs_root() == tmp_path / "home" / "runs"
    monkeypatch.setenv("CHARGRU_HOME", "")
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "chargru").is_dir() and (checkout / "corpora").is_dir():
        assert runs_root() == checkout / "checkpoints"
    assert list(tmp_path.iterdir()) == [], "asking makes nothing"


def test_an_installed_program_keeps_runs_with_the_user_s_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from chargru.storage import runs

    monkeypatch.delenv("CHARGRU_HOME", raising=False)
    monkeypatch.setattr(runs, "__file__", str(tmp_path / "site-packages" / "chargru" / "storage" / "runs.py"))
    monkeypatch.setattr(platformdirs, "user_data_path", lambda name, appauthor: tmp_path / "data" / name)
    assert runs_root() == tmp_path / "data" / "chargru" / "runs"


def test_runs_are_listed_the_last_changed_first_and_broken_ones_do_not_break_the_list(tmp_path: Path) -> None:
    make_run(tmp_path, "old", "2020-01-01T00:00:00.000+00:00", saved=False)
    make_run(tmp_path, "new", "2099-01-01T00:00:00.000+00:00", saved=False)
    make_run(tmp_path, "middle", "2021-01-01T00:00:00.000+00:00", saved=False)
    (make_run(tmp_path, "broken").path / "run.json").write_text("{")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "run.json").write_text("{}")
    (tmp_path / "nowhere").symlink_to("missing")
    listed = list_runs(tmp_path)
    assert [run.name for run in listed] == ["new", "broken", "middle", "old"]
    assert [bool(run.problem) for run in listed] == [False, True, False, False]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="rights do not bind this user")
def test_a_run_without_the_right_to_read_it_is_listed_as_such(tmp_path: Path) -> None:
    run = make_run(tmp_path, "closed")
    run.path.chmod(0)
    try:
        assert [bool(each.problem) for each in list_runs(tmp_path)] == [True]
    finally:
        run.path.chmod(0o700)


def test_a_missing_root_has_no_runs_and_a_file_is_told(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "missing") == []
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be listed"):
        list_runs(tmp_path / "file")


def test_listing_opens_nothing_but_the_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        make_run(tmp_path, name).append({"step": 1})
    opened: list[str] = []
    real = regular.open_regular

    def watched(path: Path) -> Any:
        opened.append(path.name)
        return real(path)

    for module in (regular, checkpoint_file, metrics):
        monkeypatch.setattr(module, "open_regular", watched)
    runs = list_runs(tmp_path)
    assert opened == ["run.json"] * 3
    assert [run.tail() for run in runs] == [[{"step": 1}]] * 3
    assert opened[3:] == ["metrics.jsonl"] * 3


def test_a_name_a_directory_and_a_file_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path / "root", "한국어")
    best = run.path / "step-000001.safetensors"
    assert find_model("한국어", tmp_path / "root") == best
    assert find_model("\u1112\u1161\u11ab국어", tmp_path / "root") == best, "as a Mac spells it"
    assert find_model(str(run.path), tmp_path) == best
    assert find_model(str(run.path) + "/", tmp_path) == best
    latest = run.path / "step-000002.safetensors"
    assert find_model(str(latest), tmp_path) == latest
    monkeypatch.chdir(run.path)
    assert find_model(".", tmp_path) == Path("step-000001.safetensors")
    assert find_model("step-000002.safetensors", tmp_path) == Path("step-000002.safetensors")


def test_a_run_goes_before_a_file_of_the_same_name_unless_it_is_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "root", "tales")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tales").write_text("the text")
    assert find_model("tales", tmp_path / "root").parent == run.path
    assert find_model("./tales", tmp_path / "root") == Path("tales")


def test_what_is_not_found_is_told_with_near_names(tmp_path: Path) -> None:
    make_run(tmp_path, "alice-in-wonderland")
    make_run(tmp_path, "python-reference")
    with pytest.raises(RunError, match="there is no run and no checkpoint 'Alice in wonderlnd'") as raised:
        find_model("Alice in wonderlnd", tmp_path)
    assert raised.value.hint == "did you mean alice-in-wonderland?"
    for spec in ("", "zzzz", "../x", "missing.safetensors", "/no/where", "a\0b", "n" * 5000, "\x1b[31m\n", "~nobody/x"):
        with pytest.raises(RunError) as raised:
            find_model(spec, tmp_path)
        assert raised.value.message.isprintable()
        assert raised.value.hint
    with pytest.raises(RunError, match="there is no run"):
        find_model("anything", tmp_path / "missing")


def test_a_directory_that_is_no_run_and_a_run_without_checkpoints_are_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    make_run(tmp_path, "fresh", saved=False)
    with pytest.raises(RunError, match="holds neither"):
        find_model("empty", tmp_path)
    with pytest.raises(RunError, match="run fresh has no checkpoint"):
        find_model("fresh", tmp_path)


def test_a_run_is_found_without_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path / "root", "fresh", saved=False)
    assert find_run("fresh", tmp_path / "root").path == run.path
    assert find_run(str(run.path), tmp_path).path == run.path
    monkeypatch.chdir(run.path.parent)
    assert find_run("./fresh", tmp_path).name == "fresh"
    with pytest.raises(RunError, match="there is no run 'frehs'") as raised:
        find_run("frehs", tmp_path / "root")
    assert raised.value.hint == "did you mean fresh?"
    for spec in ("", "a\0b", "n" * 5000, "../x"):
        with pytest.raises(RunError):
            find_run(spec, tmp_path)


def test_a_run_is_renamed_to_a_safe_name_that_is_free(tmp_path: Path) -> None:
    run = make_run(tmp_path, "tales")
    make_run(tmp_path, "taken")
    (tmp_path / "empty").mkdir()
    for name in ("taken", "TAKEN", "empty"):
        with pytest.raises(RunError, match=r"there is a run named .* already"):
            rename(run, name)
    assert rename(run, "Tales") is run
    renamed = rename(run, "My Tales")
    assert (renamed.name, renamed.path) == ("my-tales", tmp_path / "my-tales")
    assert renamed.latest()[1].step == 2
    assert sorted(each.name for each in tmp_path.iterdir()) == ["empty", "my-tales", "taken"]
    with pytest.raises(RunError):
        rename(run, "again")
    assert not (tmp_path / "again").exists()


def test_a_rename_that_fails_leaves_the_run_and_no_empty_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path, "tales")

    def refused(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "rename", refused)
    with pytest.raises(RunError, match="was not renamed: Permission denied"):
        rename(run, "other")
    assert [each.name for each in tmp_path.iterdir()] == ["tales"]


def test_deleting_removes_the_run_and_nothing_of_others(tmp_path: Path) -> None:
    run, other = make_run(tmp_path, "tales"), make_run(tmp_path, "other")
    run.append({"step": 1})
    (run.path / "text.txt").write_text("a text from standard input, kept by the run")
    assert delete(run) == []
    assert not run.path.exists()
    assert other.latest()[1].step == 2
    (other.path / "notes.txt").write_text("mine")
    assert delete(other) == [other.path / "notes.txt"]
    assert [each.name for each in other.path.iterdir()] == ["notes.txt"]
    assert list_runs(tmp_path) == []


def test_a_run_in_use_is_neither_renamed_nor_deleted(tmp_path: Path) -> None:
    run = make_run(tmp_path, "tales")
    with holder(run.path) as process:
        for change in (lambda: rename(run, "other"), lambda: delete(run)):
            with pytest.raises(RunError, match="in use"):
                change()
        process.kill()
    assert run.latest()[1].step == 2
    assert [each.name for each in tmp_path.iterdir()] == ["tales"]


def test_a_deletion_that_fails_is_told_and_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path, "tales")

    def refused(path: Any, **_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refused)
        with pytest.raises(RunError, match="was not deleted completely: Permission denied"):
            delete(run)
    assert [each.name for each in list_runs(tmp_path)] == ["tales"]
    assert delete(run) == []
    assert list(tmp_path.iterdir()) == []
