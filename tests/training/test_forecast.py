"""A forecast is what training will choose, and honest about what it does not know."""

from __future__ import annotations

import math

import numpy as np
import pytest

from chargru.config import ModelConfig, TrainingConfig
from chargru.text import library
from chargru.training import autotune
from chargru.training.difficulty import Difficulty
from chargru.training.forecast import (
    COEFFICIENTS,
    Forecast,
    features,
    forecast,
    forecast_training,
    loss_after,
    machine_speed,
    margin,
    share_after,
)
from chargru.training.speed import characters_in
from chargru.training.speed import machine_speed as the_speed

from .conftest import material_of

TALES = library.load("tales").text
SPEED = 5e10


def of_tales(seconds=60.0, speed=SPEED, text=TALES, **changes):
    return forecast(text, changes.pop("characters", len(text)), len(set(text)), seconds, speed, **changes)


def test_the_sizes_are_those_that_training_chooses():
    n_train = int(0.9 * len(TALES))
    for seconds in (2.0, 30.0, 600.0):
        chosen = autotune.choose(n_train, len(set(TALES)), characters_in(seconds, len(set(TALES)), SPEED))
        found = of_tales(seconds)
        assert (found.hidden_size, found.num_layers) == (chosen.hidden_size, chosen.num_layers)
    by_hand = of_tales(30.0, hidden_size=48, num_layers=3)
    assert (by_hand.hidden_size, by_hand.num_layers) == (48, 3)
    assert by_hand.characters > of_tales(30.0, hidden_size=480, num_layers=3).characters


def test_more_time_and_a_faster_machine_read_more_and_end_better():
    short, long = of_tales(10.0), of_tales(100.0)
    assert long.characters > short.characters
    assert long.likely < short.likely
    assert of_tales(10.0, speed=4 * SPEED).likely < short.likely
    assert short.passes == pytest.approx(short.characters / int(0.9 * len(TALES)))


def test_the_range_holds_the_likely_and_is_wider_for_what_is_known_less():
    known = of_tales()
    assert known.low < known.likely < known.high

    def width(found):
        return found.high - found.low

    assert width(of_tales(text=TALES[:2000])) > width(known)  # few characters to measure on
    assert width(of_tales(characters=5 * len(TALES))) > width(known)  # only its beginning was read
    few, many = (margin(Difficulty(3.0, 2.0, 1.5, 0.0, 1000, 1000), 1.5, n, whole=True) for n in (1e6, 1e4))
    assert few > many  # far beyond anything that was tried


def test_a_book_on_a_usual_machine_is_where_trainings_ended():
    """Twelve seconds on two cores gave 1.55, thirty-six 1.37 (benchmarks/LOG.md)."""
    assert of_tales(12.0, speed=4e10).likely == pytest.approx(1.55, abs=0.12)
    assert of_tales(36.0, speed=4e10).likely == pytest.approx(1.37, abs=0.12)


@pytest.mark.parametrize("text", ["", "a", "ab", "short", "a" * 500, "ab" * 400, "가나다라" * 50, "x" * 40 + "y" * 4])
@pytest.mark.parametrize("seconds", [1.0, 86_400.0])
def test_every_text_has_a_possible_forecast(text, seconds):
    found = forecast(text, len(text), max(1, len(set(text))), seconds, SPEED)
    assert 0 <= found.low <= found.likely <= found.high <= math.log(max(1, len(set(text))))
    assert found.characters > 0
    assert math.isfinite(found.passes)
    assert found.told()
    assert found.measured == (len(text) >= 20)
    assert ("held out" in found.told()) != found.measured


def test_random_letters_cannot_be_learned():
    text = "".join(np.random.default_rng(0).choice(list("abcdefgh"), 20_000))
    found = forecast(text, len(text), 8, 60.0, SPEED)
    assert found.likely == pytest.approx(math.log(8), abs=0.05)


def test_it_is_one_line():
    found = Forecast(256, 1, 4.13e6, 3.66, 1.41, 1.553, 1.69)
    assert found.told() == "about 4.1 M characters read (3.7 times over), 256 units, likely 1.55 nats (1.41 to 1.69)"
    found = Forecast(256, 2, 900.0, 0.123, 0.0, 1.0, 1.0, measured=False)
    assert found.told() == "about 900 characters read (12 % of the text), 2 × 256 units, no part held out to measure on"
    assert "(1,234 times over)" in Forecast(64, 1, 1.234e6, 1234.0, 1.0, 2.0, 3.0).told()
    assert "12 k characters" in Forecast(64, 1, 12_300.0, 2.0, 1.0, 2.0, 3.0).told()


def test_of_a_training_that_is_about_to_begin():
    material = material_of(TALES[:50_000])
    model = ModelConfig(material.vocabulary.size, 96, 1)
    training = TrainingConfig(time=30.0, batch_size=32, seq_len=64)
    told = forecast_training(material, model, training, SPEED)
    same = forecast(TALES[:50_000], 50_000, material.vocabulary.size, 30.0, SPEED, hidden_size=96, num_layers=1)
    assert told == same


@pytest.mark.parametrize("loss", [3.5, 3.0, 2.2, 1.5, 1.2, 0.4])
def test_share_and_loss_are_inverse(loss):
    assert loss_after(share_after(loss, 3.0, 1.5), 3.0, 1.5) == pytest.approx(loss)


def test_beyond_every_bound_the_loss_stays_possible():
    assert loss_after(50.0, 3.0, 1.5) > 0
    assert loss_after(1.0, 3.0, 1.5) == pytest.approx(1.5)
    assert loss_after(1.2, 0.0, 0.0) == 0.0


def test_features_follow_the_formula():
    hard = Difficulty(3.0, 2.0, 1.5, 0.1, 10_000, 1_000)
    one, pace, context = features(hard, 1.5, 500)
    assert (one, pace) == (1.0, 1.0)
    assert context == pytest.approx(0.5 / 1.5)
    assert features(hard, 1.5, 1000)[1] == pytest.approx(2**-0.8)
    assert len(COEFFICIENTS) == 3


def test_the_speed_can_be_had_here_too():
    assert machine_speed is the_speed
