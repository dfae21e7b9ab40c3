"""The client and the real trainer, from a directory that is not the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargru.config import TrainRequest
from chargru.events import Event, Finished, RateChanged, Saved, Started
from chargru.worker.client import WorkerClient

from .test_client import collect, ended, is_progress


def is_rate_changed(event: Event) -> bool:
    return isinstance(event, RateChanged)


def test_a_real_training_pauses_saves_and_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text("the cat sat on a mat.\n" * 100)
    request = TrainRequest(
        corpus="text.txt", steps=10**6, hidden_size=8, num_layers=1, threads=1, out=str(tmp_path / "runs"), name="r"
    )
    with WorkerClient() as client:
        client.start(request)
        events = collect(client, is_progress)
        assert any(isinstance(event, Started) and event.run == "r" for event in events)
        assert client.send("pause")
        assert client.send("faster")
        (changed,) = (e for e in collect(client, is_rate_changed) if is_rate_changed(e))
        assert changed.scale == 1.25
        assert client.send("save")
        collect(client, lambda event: isinstance(event, Saved))
        assert client.send("resume")
        collect(client, is_progress)
        assert client.stop()
        last = collect(client, ended)[-1]
        assert isinstance(last, Finished)
        assert last.reason == "stopped"
        assert Path(last.checkpoint).is_file()
        assert client.wait(10) == 0
        assert client.stderr_tail == ""
