"""Events folded into the state that the screens read."""

from __future__ import annotations

import math

from chargru.config import TrainRequest
from chargru.events import (
    Evaluated,
    Event,
    Failed,
    Finished,
    Landmarks,
    Notice,
    Paused,
    RateChanged,
    Recovered,
    Resumed,
)
from chargru.tui.scales import Scale
from chargru.tui.state import LOG_LINES, Phase, TrainingState
from tests.tui.fakes import evaluated, progress, sampled, saved, some_training, started


def after(*events: Event) -> TrainingState:
    state = TrainingState.begin(TrainRequest(corpus="tales", time=30))
    for event in events:
        state.apply(event)
    return state


def test_from_asking_to_the_end() -> None:
    state = TrainingState()
    assert (state.phase, state.active, state.corpus) == (Phase.IDLE, False, "")
    state = after()
    assert (state.phase, state.active, state.corpus) == (Phase.STARTING, True, "tales")
    for event in some_training():
        state.apply(event)
    assert state.phase is Phase.TRAINING
    assert state.steps_total == 3000
    assert state.fraction == 1840 / 3000
    assert state.train.last == (1840, progress(1840).loss)
    assert state.validation.last == (1800, evaluated(1800).val_loss)
    assert state.sampled == sampled(1840)
    assert state.checkpoint == saved(1840).path
    state.apply(Finished("done", "checkpoints/tales/best", 1.52, 3000, 180.0, 57_000.0))
    assert (state.phase, state.active, state.fraction) == (Phase.FINISHED, False, 1.0)
    assert state.checkpoint == "checkpoints/tales/best"
    assert state.ending() == "done after 3,000 steps, validation loss 1.520"


def test_pause_resume_and_stop() -> None:
    state = after(started(), progress(20), Paused(20))
    assert state.phase is Phase.PAUSED
    state.apply(Resumed(20))
    assert state.phase is Phase.TRAINING
    state.stopping()
    for event in (Paused(21), Resumed(21), progress(40)):  # late words do not undo the stop
        state.apply(event)
    assert state.phase is Phase.STOPPING
    state.apply(Finished("stopped", "x", None, 40, 3.0, 1.0))
    assert state.ending() == "stopped and saved after 40 steps"
    assert state.can_go_on


def test_stopping_nothing_changes_nothing() -> None:
    state = TrainingState()
    state.stopping()
    assert state.phase is Phase.IDLE


def test_a_recovery_leaves_a_gap_and_a_mark() -> None:
    recovered = Recovered(60, 40, 1, 3e-3, "the loss was not finite")
    state = after(started(), progress(40, loss=2.0), progress(60, loss=2.5), recovered, progress(50, loss=2.1))
    assert [len(segment) for segment in state.train.segments] == [2, 1]
    assert state.marks == [(60, 2.5)]
    assert "back to step 40" in state.log[-1].text


def test_a_recovery_before_any_loss_has_no_height() -> None:
    state = after(started(), Recovered(1, 0, 1, 3e-3, "not finite"))
    assert math.isnan(state.marks[0][1])


def test_failure() -> None:
    state = after(started(), Failed("the disk is full", "free some space"))
    assert (state.phase, state.active, state.can_go_on) == (Phase.FAILED, False, False)
    assert state.log[-1].text == "the disk is full"
    assert after(started(), saved(20), Failed("killed", "")).can_go_on


def test_the_total_is_exact_for_steps_and_unknown_at_first_for_time() -> None:
    assert after(started(budget="steps", budget_amount=500.0)).steps_total == 500
    assert after(started(), progress(3)).steps_total is None


def test_the_log_is_bounded() -> None:
    state = after(*(Notice(f"notice {number}") for number in range(LOG_LINES + 50)))
    assert len(state.log) == LOG_LINES
    assert state.log[-1].text == f"notice {LOG_LINES + 49}"


def test_history_stands_in_front_of_what_came_since() -> None:
    state = after(started(step=100, fraction=0.1), progress(120, loss=1.8), evaluated(120))
    state.remember([started(), progress(50, loss=2.5), evaluated(50), progress(100, loss=2.0), progress(110, loss=9.0)])
    assert [x for segment in state.train.segments for x, _ in segment] == [50, 100, 120]
    assert [x for segment in state.validation.segments for x, _ in segment] == [50, 120]
    assert state.evaluated == evaluated(120)


def test_a_run_that_goes_on_knows_its_last_evaluation() -> None:
    state = after(started(step=100, fraction=0.1))
    state.remember([evaluated(50), evaluated(100), evaluated(150)])
    assert state.evaluated == evaluated(100)


def test_what_is_resumed_is_called_by_its_directory() -> None:
    assert TrainingState.begin(TrainRequest(resume="somewhere/runs/tales-2")).corpus == "tales-2"


def test_a_validation_loss_that_is_not_finite_is_a_gap() -> None:
    broken = Evaluated(20, 0.1, math.nan, None, 2.0, 10, 100, True, 1.0)
    assert len(after(started(), evaluated(10), broken, evaluated(30)).validation.segments) == 2


def test_the_smoothed_curve_goes_along_and_begins_anew_after_a_recovery() -> None:
    recovered = Recovered(60, 20, 1, 3e-3, "not finite")
    state = after(started(), progress(20, loss=3.0), progress(40, loss=2.0), recovered, progress(30, loss=2.5))
    assert [x for segment in state.smooth.segments for x, _ in segment] == [20, 40, 30]
    (_, second), (last,) = state.smooth.segments
    assert 2.0 < second[1] < 3.0
    assert last == (30, 2.5)


def test_learning_rates_and_where_it_went_on_are_kept_for_the_chart() -> None:
    state = after(started(step=500), progress(520), RateChanged(540, 6.4e-3, 1.25))
    assert list(state.resumed_at) == [500]
    assert state.rate_scale == 1.25
    assert (state.log[-1].kind, state.log[-1].step) == ("rate", 540)
    assert "6.4e-3, 1.25 times the plan's" in state.log[-1].text
    assert after(started()).rate_scale == 1
    again = after(started(), progress(20), RateChanged(20, 5.1e-3, 1.25 * 0.8))
    assert again.log[-1].text == "learning rate 5.1e-3, as planned again"


def test_overfitting_is_told_from_the_fourth_evaluation_on() -> None:
    assert after(started(), evaluated(100)).overfitting == 0
    for stale, told in ((3, 0), (4, 4), (9, 9)):
        looked = Evaluated(900, 0.3, 1.7, 1.2, 1.5, 500, 100, True, 9.0, stale)
        assert after(started(), looked).overfitting == told


def test_a_training_that_was_renamed_is_found_where_it_is_now() -> None:
    ended = Finished("stopped", "checkpoints/tales/step-000500.safetensors", 1.4, 500, 18.0, 5.0)
    state = after(started(), progress(500), saved(500), ended)
    state.moved("checkpoints/other", "checkpoints/new")
    assert state.checkpoint == "checkpoints/tales/step-000500.safetensors"
    state.moved("checkpoints/tales", "checkpoints/new")
    assert state.checkpoint == "checkpoints/new/step-000500.safetensors"
    assert (state.started.path, state.saved.path) == ("checkpoints/new", state.checkpoint)  # type: ignore[union-attr]


def test_samples_know_the_validation_of_their_time() -> None:
    state = after(started(), sampled(0), evaluated(100), sampled(100, "better"))
    assert [(each.step, each.val_loss) for each in state.samples] == [(0, None), (100, evaluated(100).val_loss)]


def test_what_is_told_before_the_first_figures_is_a_note_and_bounded() -> None:
    state = after(started(), *(Notice(f"note {n}") for n in range(20)), progress(20), Notice("later"))
    assert state.notes[-1] == "note 19"
    assert len(state.notes) == 8
    assert state.logged == 21
    assert state.log[0].elapsed is None
    assert state.log[-1].elapsed == progress(20).elapsed


def test_history_brings_samples_landmarks_and_marks_too() -> None:
    landmarks = Landmarks(4.2, 3.0, 2.0, 1.6, 1000)
    state = after(started(step=100, fraction=0.1), progress(120, loss=1.8), sampled(120, "new"))
    state.remember(
        [
            started(),
            landmarks,
            progress(50, loss=2.5),
            RateChanged(50, 4e-3, 0.8),
            Recovered(70, 50, 1, 2e-3, "not finite"),
            started(step=60),
            progress(60, loss=2.4),
            sampled(60, "old"),
            sampled(110, "undone"),
        ]
    )
    assert state.landmarks == landmarks
    assert [each.sampled.text for each in state.samples] == ["old", "new"]
    assert [x for segment in state.smooth.segments for x, _ in segment] == [50, 60, 120]
    assert list(state.resumed_at) == [60, 100]
    assert [each.step for each in state.rates] == [50]
    assert state.marks == [(70, 2.5)]
    assert state.phase is Phase.TRAINING
    assert [line.text for line in state.log] == []


def test_the_ending_is_told_in_the_chosen_unit() -> None:
    state = after(started(), Finished("done", "x", math.log(2), 40, 3.0, 1.0))
    assert state.ending().endswith("validation loss 0.693")
    assert state.ending(Scale(bits=True)).endswith("validation loss 1.000 bits")
