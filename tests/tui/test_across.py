"""Curves side by side: what is on the x axis."""

from __future__ import annotations

from chargru.tui.across import placed, unit

SEGMENTS = (((0, 0.0, 4.0), (10, 1.5, 3.0)), ((20, 0.0, 2.0), (30, 4.5, 1.0)))


def test_points_by_steps_by_time_and_by_characters() -> None:
    assert placed(SEGMENTS, "steps", 0) == [[(0.0, 4.0), (10.0, 3.0)], [(20.0, 2.0), (30.0, 1.0)]]
    assert placed(SEGMENTS, "characters", 512)[1] == [(10240.0, 2.0), (15360.0, 1.0)]
    assert placed(SEGMENTS, "characters", 0) == []
    assert placed(SEGMENTS, "time", 512) == [[(0.0, 4.0), (1.5, 3.0)], [(4.5, 1.0)]], "no time, no point"


def test_the_unit_of_time_suits_the_longest_run() -> None:
    assert unit("time", 299) == ("s", 1.0)
    assert unit("time", 301) == ("min", 60.0)
    assert unit("time", 5 * 3600 + 1) == ("h", 3600.0)
    assert unit("time", 1e9) == ("h", 3600.0)
    assert unit("steps", 1e6) == ("step", 1.0)
    assert unit("characters", 1e6) == ("chars", 1.0)
