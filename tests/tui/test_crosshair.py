"""What the curves say at one step."""

from __future__ import annotations

import pytest

from chargru.config import TrainRequest
from chargru.events import Event, Recovered
from chargru.tui.crosshair import crosshair_at, next_step, steps_of
from chargru.tui.state import TrainingState
from tests.tui.fakes import evaluated, progress, started


def after(*events: Event) -> TrainingState:
    state = TrainingState.begin(TrainRequest(corpus="tales", time=30))
    for event in events:
        state.apply(event)
    return state


def test_the_nearest_step_and_the_validation_known_by_then() -> None:
    state = after(started(), progress(20, loss=3.0), evaluated(20), progress(40, loss=2.0), progress(60, loss=2.2))
    told = crosshair_at(state, 47.0)
    assert told is not None
    assert (told.step, told.raw, told.val_step) == (40, 2.0, 20)
    assert told.val_loss == evaluated(20).val_loss
    assert told.smooth is not None
    assert 2.0 < told.smooth < 3.0
    assert told.gap == pytest.approx(evaluated(20).val_loss - told.smooth)


def test_before_anything_and_before_the_first_progress() -> None:
    assert crosshair_at(after(started()), 10) is None
    told = crosshair_at(after(started(), evaluated(0)), 10)
    assert told is not None
    assert (told.step, told.raw, told.smooth, told.gap, told.val_step) == (0, None, None, None, 0)


def test_where_training_went_back_the_newer_part_counts() -> None:
    recovered = Recovered(60, 20, 1, 3e-3, "not finite")
    state = after(started(), progress(20, loss=3.0), progress(40, loss=8.0), recovered, progress(30, loss=2.8))
    state.apply(progress(50, loss=2.5))
    for step, loss in ((39, 2.8), (41, 2.5), (20, 3.0)):
        told = crosshair_at(state, step)
        assert told is not None
        assert told.raw == loss


def test_steps_to_stand_on() -> None:
    state = after(started(), *(progress(step) for step in range(10, 100, 10)))
    assert steps_of(state, 25, 55) == [30, 40, 50]
    assert steps_of(after(started(), evaluated(7)), 0, 10) == [7]


def test_the_next_step_is_a_stride_away_and_never_the_same_one() -> None:
    known = [0.0, 10.0, 20.0, 30.0, 40.0]
    assert next_step(known, None, -1, 5) == 40
    assert next_step(known, 40, -1, 5) == 30
    assert next_step(known, 10, 1, 25) == 30
    assert next_step(known, 40, -1, 25) == 20
    assert next_step(known, 40, 1, 5) == 40
    assert next_step(known, 0, -1, 5) == 0
    assert next_step([], 3, 1, 5) is None
