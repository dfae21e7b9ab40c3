"""What stands above the chart, and what it says can be done next."""

from __future__ import annotations

import dataclasses

from chargru.config import TrainRequest
from chargru.events import Event, Failed, Finished, Landmarks, Notice, Paused, Recovered
from chargru.tui.scales import Scale
from chargru.tui.state import TrainingState
from chargru.tui.widgets.banner import NOTE_SECONDS, Words, words_for
from tests.tui.fakes import evaluated, progress, saved, started


def said(*events: Event, recording: str = "") -> Words | None:
    state = TrainingState.begin(TrainRequest(corpus="tales", time=30), recording)
    for event in events:
        state.apply(event)
    return words_for(state, Scale(bits=True))


def keys(words: Words | None) -> list[str]:
    assert words is not None
    return [way.key for way in words.ways]


def test_nothing_to_say() -> None:
    assert said() is None
    assert said(started(), progress(20), evaluated(20)) is None


def test_a_note_of_the_beginning_goes_after_a_while() -> None:
    note = Notice("the text is short")
    words = said(started(), note, progress(20, elapsed=3.0))
    assert words is not None
    assert (words.title, words.text, words.tone) == ("Note", "the text is short", "note")
    assert said(started(), note, progress(20, elapsed=3.0), progress(40, elapsed=4 + NOTE_SECONDS)) is None
    # a run that goes on has seconds behind it already
    assert said(started(step=9), note, progress(20, elapsed=900.0), progress(40, elapsed=905.0)) is not None


def test_every_end_has_a_way_on() -> None:
    finished = Finished("done", "x", 1.4, 3000, 180.0, 57_000.0)
    words = said(started(), Landmarks(4.2, 3.0, 2.0, 1.6, 9), progress(20), finished)
    assert words is not None
    assert words.text == "done after 3,000 steps, validation loss 2.020 bits, in 3:00: better than the 5-gram model."
    assert keys(words) == ["F4", "r", "F2"]
    killed = Failed("killed", "use a smaller network")
    assert keys(said(started(), killed)) == ["F2"]
    words = said(started(), saved(20), killed)
    assert keys(words) == ["r", "F2"]
    assert words is not None
    assert words.text == "killed — use a smaller network."


def test_paused_recovered_and_no_longer_better() -> None:
    assert keys(said(started(), progress(20), Paused(20))) == ["F8", "F4", "x"]
    recovered = said(started(), progress(20), Recovered(30, 20, 1, 3e-3, "not finite"))
    assert recovered is not None
    assert recovered.text == "not finite at step 30; on from step 20 with learning rate 3.0e-3"
    assert said(started(), Recovered(30, 20, 1, 3e-3, "not finite"), progress(90)) is None
    stale = dataclasses.replace(evaluated(90), stale=4, best_step=50)
    words = said(started(), progress(90), stale)
    assert words is not None
    assert (words.tone, "of step 50, is kept" in words.text) == ("warning", True)


def test_a_model_that_could_not_be_saved_is_told_until_one_is() -> None:
    full = Notice("not saved: No space left on device; nothing is saved yet, training goes on", unsaved=True)
    words = said(started(), progress(900, elapsed=90.0), full)
    assert words is not None
    assert (words.title, words.tone, keys(words)) == ("Not saved", "failed", ["s"])
    assert words.text.startswith("No space left on device")
    assert said(started(), progress(900, elapsed=90.0), full, saved(950)) is None


def test_a_recording_speaks_of_no_model() -> None:
    finished = Finished("done", "", 1.4, 300, 18.0, 5.0)
    words = said(started(), progress(20), finished, recording="a recording of 0:18")
    assert words is not None
    assert keys(words) == ["F2"]
    assert keys(said(started(), progress(20), Paused(20), recording="a recording")) == ["F8", "x"]


def test_how_far_the_reading_of_a_large_text_is() -> None:
    reading = [Notice("reading the text: 30%"), Notice("reading the text: 60%")]
    words = said(*reading)
    assert words is not None
    assert (words.title, words.text, words.tone) == ("Starting", "reading the text: 60%…", "waiting")
    assert said(*reading, started(), progress(20)) is None
