from __future__ import annotations

from pathlib import Path

import pytest

from chargru.cli import demo
from chargru.config import TrainRequest
from chargru.events import Finished

from .conftest import Command


@pytest.fixture
def requests(model: Path, monkeypatch: pytest.MonkeyPatch) -> list[TrainRequest]:
    """The training is skipped: its result is a model that is there already."""
    found: list[TrainRequest] = []

    def trained(request: TrainRequest) -> Finished:
        found.append(request)
        reason = "interrupted" if request.time == 7 else "done"
        return Finished(reason, str(model), 1.0, 8, 1.0, 1.0)

    monkeypatch.setattr(demo, "run_training", trained)
    monkeypatch.delenv("CHARGRU_DEMO_SECONDS", raising=False)
    return found


def test_without_a_terminal_three_prompts_are_completed(chargru: Command, requests: list[TrainRequest]) -> None:
    assert chargru() == 0
    assert requests == [TrainRequest(corpus="tales", time=30.0, name="demo")]
    assert chargru.app_calls == []
    for index in (1, 2, 3):
        assert f"--- {index} of 3 ---\n" in chargru.out
    assert len(chargru.out) > 3 * 240


def test_its_time_can_be_set(chargru: Command, requests: list[TrainRequest], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARGRU_DEMO_SECONDS", "2s")
    assert chargru() == 0
    assert requests[0].time == 2.0
    for wrong in ("soon", "0.1"):
        monkeypatch.setenv("CHARGRU_DEMO_SECONDS", wrong)
        assert chargru() == 2
    assert "Traceback" not in chargru.err


def test_an_interrupted_demo_is_130_and_completes_nothing(
    chargru: Command, requests: list[TrainRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHARGRU_DEMO_SECONDS", "7")
    assert chargru() == 130
    assert chargru.out == ""
