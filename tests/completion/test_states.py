"""All recent states, every so many of the older ones, never more than the bound."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.completion.states import LEAST, MOST, States


def filled(positions):
    states = States(1 << 30)  # so heavy that the least is kept
    for position in range(1, positions + 1):
        states.append(position, np.array([position]))
    return states


@pytest.mark.parametrize("positions", [0, 1, 63, 64, 65, 1_000, 20_000])
def test_the_recent_ones_are_all_there(positions):
    states = filled(positions)
    for position in range(max(0, positions - LEAST + 1), positions + 1):
        at, state = states.nearest(position)
        assert at == position
        assert (state is None) if position == 0 else state[0] == position


@pytest.mark.parametrize("positions", [100, 5_000, 50_000])
def test_older_ones_are_evenly_spaced_and_bounded(positions):
    states = filled(positions)
    assert len(states) <= 3 * LEAST
    for position in range(0, positions, 7):
        at, state = states.nearest(position)
        assert position - states.stride < at <= position
        assert state is None or state[0] == at


def test_a_truncated_past_is_forgotten_and_written_anew():
    states = filled(5_000)
    states.truncate(777)
    at, _ = states.nearest(5_000)
    assert at <= 777
    for position in range(at + 1, 3_000):
        states.append(position, np.array([-position]))
    assert len(states) <= 3 * LEAST
    assert states.nearest(2_999)[1][0] == -2_999
    assert states.nearest(700)[1][0] > 0
    states.truncate(0)
    assert len(states) == 0
    assert states.nearest(9) == (0, None)


def test_a_state_is_a_copy():
    states, state = States(8), np.zeros(1)
    states.append(1, state)
    state[0] = 5
    assert states.nearest(1)[1][0] == 0


def test_light_states_are_not_kept_without_end():
    assert States(1).dense == MOST
    assert States(4 * 512 * 2 * 4).dense * 4 * 512 * 2 * 4 <= 8 << 20
