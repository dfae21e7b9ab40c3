"""Saving that the disk refuses is told and goes on; run.json follows."""

from __future__ import annotations

from chargru.errors import CheckpointError, RunError
from chargru.events import Notice, Saved
from chargru.training.keeper import Keeper


def test_saved_and_noted(make_trainer):
    trainer = make_trainer(steps=5)
    keeper = Keeper(trainer.directory)
    assert not keeper.saved
    told = keeper.save(trainer._checkpoint(), best=True)
    assert told == Saved(0, str(trainer.directory.path_of(0)), True)
    assert keeper.saved
    assert trainer.directory.record["status"] == "running"
    keeper.note("finished", 7, 3.5, 1.25)
    again = type(trainer.directory).open(trainer.directory.path).record
    assert [again[name] for name in ("status", "step", "seconds", "best_loss")] == ["finished", 7, 3.5, 1.25]


def test_a_full_disk_is_a_notice(make_trainer, monkeypatch):
    trainer = make_trainer(steps=5)
    keeper = Keeper(trainer.directory)

    def full(*_, **__):
        raise CheckpointError("step was not saved: no space left on the disk")

    monkeypatch.setattr(trainer.directory, "save", full)
    told = keeper.save(trainer._checkpoint(), best=False)
    assert isinstance(told, Notice)
    assert "no space left" in told.message
    assert "no space left" in keeper.problem
    assert told.unsaved
    assert not keeper.saved

    def full_record(**_):
        raise RunError("run.json was not written")

    monkeypatch.setattr(trainer.directory, "update", full_record)
    keeper.note("finished", 7, 3.5, None)
