from __future__ import annotations

import math

import pytest

from chargru.cli.numbers import duration, loss, rate, short, size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (7.4, "0:07"), (59.6, "1:00"), (750, "12:30"), (3723, "1:02:03"), (-3, "0:00"), (math.nan, "0:00")],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"), (949.6, "950"), (999.6, "1.0k"), (9_499, "9.5k"), (9_960, "10k"), (95_000, "95k"),
        (999_600, "1.0M"), (1.2e6, "1.2M"), (3e9, "3.0G"),
    ],
)  # fmt: skip
def test_short(count: float, text: str) -> None:
    assert short(count) == text


def test_rate_and_loss_name_their_units() -> None:
    assert rate(58_000) == "58k ch/s"
    assert loss(math.log(2)) == "0.693 nats/char, 1.000 bits/char"


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (23 << 30, "23 GiB"), (1 << 41, "2.0 TiB")]
)
def test_size(count: int, text: str) -> None:
    assert size(count) == text
