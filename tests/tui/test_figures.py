"""Which figures are told, and which give way where room is scarce."""

from __future__ import annotations

import itertools
import math

from chargru.config import TrainRequest
from chargru.events import Evaluated, Event, Landmarks, RateChanged
from chargru.tui.scales import Scale
from chargru.tui.state import TrainingState
from chargru.tui.widgets.figures import GAP, Row, figures, fitting, panel
from tests.tui.fakes import evaluated, progress, started

LANDMARKS = Landmarks(4.17, 3.05, 2.05, 1.62, 1_003_854)


def after(*events: Event) -> TrainingState:
    state = TrainingState.begin(TrainRequest(corpus="tales", time=30))
    for event in events:
        state.apply(event)
    return state


def told(state: TrainingState, scale: Scale) -> dict[str, str]:
    return {row.name: row.value for row in panel(state, scale)}


def test_everything_in_bits_when_bits_are_chosen() -> None:
    state = after(started(), LANDMARKS, progress(1000, loss=2 * math.log(2)), evaluated(1000))
    nats, bits = told(state, Scale()), told(state, Scale(bits=True))
    assert (nats["training loss"], bits["training loss"]) == ("1.386", "2.000")
    loss = evaluated(1000).val_loss
    assert nats["validation loss"] == f"{loss:.3f}" == bits["nats per character"]
    assert bits["validation loss"] == f"{loss / math.log(2):.3f}" == nats["bits per character"]
    assert bits["best"] == f"{loss / math.log(2):.3f} @ 1,000"
    assert nats["perplexity"] == bits["perplexity"] == f"{math.exp(loss):.2f}"
    line = {name: value for _, name, value in figures(state, Scale(bits=True))}
    assert (line["loss"], line["nats"]) == ("2.000", f"{loss:.2f}")
    assert line["beats"] == "5-gram"


def test_this_model_stands_on_the_ladder_where_it_belongs() -> None:
    rows = panel(after(started(), LANDMARKS, progress(20), Evaluated(20, 0, 1.8, None, 1.8, 20, 9, True, 1.0)), Scale())
    names = [row.name for row in rows]
    begin = names.index("uniform")
    assert names[begin : begin + 5] == ["uniform", "letters", "3-gram", "this model", "5-gram"]
    assert "better than the 3-gram model, 0.18 above the 5-gram" in names
    worse = panel(
        after(started(), LANDMARKS, progress(20), Evaluated(20, 0, 9.0, None, 9.0, 20, 9, True, 1.0)), Scale()
    )
    row = next(row for row in worse if row.name.startswith("not yet better"))
    assert row.tone == ""  # no tick at what is not reached


def test_a_changed_learning_rate_and_no_improvement_are_told() -> None:
    stale = Evaluated(900, 0.3, 1.7, 1.2, 1.5, 500, 100, True, 9.0, 6)
    state = after(started(), progress(900), stale, RateChanged(900, 6.4e-3, 1.25))
    assert told(state, Scale())["learning rate"] == "5.1e-3 ×1.25"
    assert "no better for 6 evaluations, the best is kept" in told(state, Scale())
    assert ("no better for", "6 evals") in [(name, value) for _, name, value in figures(state, Scale())]


def test_before_the_first_figures() -> None:
    rows = told(after(started()), Scale())
    assert rows["training loss"] == rows["validation loss"] == rows["best"] == "–"
    assert rows["steps"] == "0"


def test_the_least_important_rows_give_way() -> None:
    rows = [Row("a", "1", 0), GAP, Row("b", "2", 8), Row("c", "3", 1), GAP]
    assert [row.name for row in fitting(rows, 4)] == ["a", "", "c"]
    assert [row.name for row in fitting(rows, 2)] == ["a", "c"]
    assert [row.name for row in fitting(rows, 0)] == ["a"]
    state = after(started(), LANDMARKS, progress(1000), evaluated(1000))
    assert {"training loss", "validation loss", "best"} == {row.name for row in fitting(panel(state, Scale()), 3)}


def test_the_ladder_is_there_whole_or_not_at_all_and_no_gap_doubles() -> None:
    rows = panel(after(started(), LANDMARKS, progress(1000), evaluated(1000)), Scale())
    ladder = {"uniform", "letters", "3-gram", "this model", "5-gram"}
    heights = {len(ladder & {row.name for row in fitting(rows, height)}) for height in range(1, len(rows) + 1)}
    assert heights == {0, 5}
    for height in range(1, len(rows) + 1):
        kept = fitting(rows, height)
        assert not any(row.gap and after.gap for row, after in itertools.pairwise(kept))
