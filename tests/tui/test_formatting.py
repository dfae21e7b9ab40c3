"""Numbers, times and texts as people read them."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from chargru.tui import formatting as say
from tests.tui.fakes import HOSTILE


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (0, "0"),
        (742, "742"),
        (999.4, "999"),
        (999.6, "1k"),
        (9_940, "9.9k"),
        (9_960, "10k"),
        (57_600, "58k"),
        (999_499, "999k"),
        (999_500, "1 M"),
        (1_115_394, "1.1 M"),
        (2.5e9, "2.5 G"),
        (math.nan, "–"),
        (math.inf, "–"),
    ],
)
def test_quantity_has_at_most_three_digits(number: float, told: str) -> None:
    assert say.quantity(number) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0:00"), (31.9, "0:31"), (725, "12:05"), (3723, "1:02:03"), (183_840, "2d 03:04"), (-1, "–"), (math.nan, "–")],
)
def test_duration(seconds: float, told: str) -> None:
    assert say.duration(seconds) == told


def test_figures_of_the_status_line() -> None:
    assert say.clock(31, 20) == "0:31<0:20"
    assert say.rate(57_600) == "58k ch/s"
    assert say.small(0.0051) == "5.1e-3"
    assert say.bits(math.log(2)) == "1.00"
    assert say.nats(None) == say.nats(math.nan) == "–"
    assert say.nats(math.inf) == "∞"
    assert say.memory(412_000_000) == "412 MB"
    assert say.memory(1_300_000_000) == "1.3 GB"
    assert say.memory(0) == "–"
    assert (say.shape(256, 1), say.shape(256, 2)) == ("GRU 256", "GRU 2×256")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("3m", 180),
        ("3 min", 180),
        ("1:30", 90),
        ("1:00:00", 3600),
        ("2h", 7200),
        ("1h30m", 5400),
    ],
)
def test_budgets_that_people_type(text: str, seconds: float) -> None:
    assert say.parse_budget(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "soon", "-3m", "0", "40d", "m", "1..5m", "1:2:3:4", "3m m", ".", "1e9", "²", "nan"]
)
def test_budgets_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="time"):
        say.parse_budget(text)


def test_shown_composes_hangul_and_disarms_controls() -> None:
    decomposed = "\u1112\u1161\u11ab"
    assert say.shown(decomposed) == "한"
    assert "\x1b" not in say.shown("\x1b[31m")


@given(st.text(max_size=80) | st.sampled_from(HOSTILE), st.integers(min_value=1, max_value=40))
def test_one_line_is_one_line_and_fits(text: str, cells: int) -> None:
    line = say.one_line(text, cells)
    assert "\n" not in line
    assert cell_len(line) <= cells
    line.encode("utf-8")


@given(st.text(alphabet="ab한글", max_size=60), st.integers(min_value=1, max_value=30))
def test_tail_keeps_the_end(text: str, cells: int) -> None:
    kept = say.tail(text, cells)
    assert cell_len(kept) <= max(cells, 1)
    assert text.endswith(kept.removeprefix("…"))


def test_fit_drops_the_least_important_and_keeps_the_order() -> None:
    parts = [(0, "loss 1.62"), (2, "bits 2.34"), (1, "best 1.70")]
    assert say.fit(parts, 31) == ["loss 1.62", "bits 2.34", "best 1.70"]
    assert say.fit(parts, 30) == ["loss 1.62", "best 1.70"]
    assert say.fit(parts, 12) == ["loss 1.62"]


def test_moment_tells_the_hour_today_and_the_day_before() -> None:
    now = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
    assert say.moment("2026-05-04T09:30:00+00:00", now) == "09:30"
    assert say.moment("2026-05-03T09:30:00+00:00", now) == "2026-05-03"
    assert say.moment("\x1b[2J", now) == "␛[2J"


@pytest.mark.parametrize(
    ("iso", "told"),
    [
        ("2026-05-10T11:59:30+00:00", "just now"),
        ("2026-05-10T12:00:30+00:00", "just now"),
        ("2026-05-10T11:57:00+00:00", "3 min ago"),
        ("2026-05-10T07:00:00+00:00", "5 h ago"),
        ("2026-05-10T09:00:00+02:00", "5 h ago"),
        ("2026-05-09T11:00:00+00:00", "yesterday"),
        ("2026-05-08T13:00:00+00:00", "2 days ago"),
        ("2026-05-04T12:00:00", "6 days ago"),
        ("2026-05-03T12:00:00+00:00", "2026-05-03"),
        ("2027-01-01T00:00:00+00:00", "2027-01-01"),
        ("", "–"),
        ("\x1b[31m", "␛[31m"),
    ],
)
def test_how_long_ago(iso: str, told: str) -> None:
    assert say.ago(iso, datetime(2026, 5, 10, 12, 0, tzinfo=UTC)) == told
