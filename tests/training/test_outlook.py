"""The loss at the end, told on the way: near it on curves like real ones, and never beyond what was reached."""

from __future__ import annotations

import pytest

from chargru.training.outlook import Outlook

FRACTIONS = [(n / 40) ** (1 / 0.7) for n in range(1, 41)]  # as evaluations are spaced


def curve(fraction, end=1.4, s=0.085):
    return end + s * (1 - fraction) ** 2 / fraction**0.7


def never():
    raise AssertionError("the whole tail was scored")


def followed(losses, until=1.0, *, cheap=False, whole=never, foreseen=None):
    outlook = Outlook()
    for fraction in FRACTIONS:
        if fraction <= until:
            outlook.follow(fraction, losses(fraction), cheap=cheap, whole=whole)
    return outlook.expected(foreseen)


@pytest.mark.parametrize("s", [0.05, 0.085, 0.15])
def test_the_end_is_foreseen_and_better_later(s):
    errors = [abs(followed(lambda f: curve(f, s=s), until) - 1.4) for until in (0.15, 0.3, 0.6, 1.0)]
    assert errors[1] < 0.03 * 1.4
    assert errors[2] < 0.01 * 1.4
    assert errors[3] < 1e-9


def test_too_early_nothing_is_told():
    assert followed(curve, 0.05) is None
    outlook = Outlook()
    outlook.follow(0.5, 2.0, cheap=False, whole=never)
    assert outlook.expected() is None  # one evaluation says nothing of the way


def test_the_first_look_at_an_untrained_network_does_not_count():
    outlook = Outlook()
    outlook.follow(0.0, 4.2, cheap=False, whole=never)
    for fraction in (0.3, 0.4, 0.5):
        outlook.follow(fraction, curve(fraction), cheap=False, whole=never)
    assert outlook.expected() == pytest.approx(1.4, abs=0.01)


def test_what_was_reached_stays_reached():
    """Of a text that is learned by heart the best weights are kept."""
    assert followed(lambda f: 1.4 + 2 * (f - 0.3) ** 2) == pytest.approx(1.4, abs=0.001)


def test_the_part_is_compared_with_the_whole_once_and_not_before_its_time():
    asked = []

    def whole():
        asked.append(True)
        return 10.0  # of any weights

    outlook = Outlook()
    for fraction in FRACTIONS:
        outlook.follow(fraction, curve(fraction), cheap=True, whole=whole)
        assert bool(asked) is (fraction >= 0.4)
    assert len(asked) == 1
    compared = next(fraction for fraction in FRACTIONS if fraction >= 0.4)
    assert outlook.expected() == pytest.approx(1.4 + 10.0 - curve(compared))


def test_what_was_foreseen_counts_less_and_less():
    found = [followed(curve, until, foreseen=1.0) - followed(curve, until) for until in (0.15, 0.3, 0.45, 0.65, 1.0)]
    assert found == sorted(found)
    assert found[0] < -0.2  # of 0.4
    assert found[-2:] == [0, 0]


def test_what_was_foreseen_too_high_does_not_take_back_what_was_reached():
    assert followed(curve, 0.2, foreseen=9.0) == min(curve(fraction) for fraction in FRACTIONS if fraction <= 0.2)


def test_without_a_tail_there_is_nothing_to_compare():
    assert followed(curve, cheap=True, whole=lambda: None) == pytest.approx(1.4)
