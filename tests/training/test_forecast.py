"""A forecast is what training will choose, and honest about what it does not know."""

from __future__ import annotations

import math

import numpy as np
import pytest

from chargru.config import ModelConfig
from chargru.text import library
from chargru.training import autotune
from chargru.training.forecast import Forecast, forecast, forecast_training
from chargru.training.machines import Processor
from chargru.training.prior import prior_of
from chargru.training.speed import characters_in

from .conftest import material_of

TALES = library.load("tales").text
SPEED = 5e10


def of_tales(seconds=60.0, speed=SPEED, text=TALES, **changes):
    characters = changes.pop("characters", len(text))
    prior = prior_of(text, whole=len(text) >= characters, closely=False, threads=1)
    return forecast(prior, characters, len(set(text)), seconds, Processor(speed), **changes)


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


def test_a_book_on_a_usual_machine_is_where_trainings_ended():
    """Twelve seconds on two cores gave 1.55, thirty-six 1.37 (benchmarks/LOG.md)."""
    assert of_tales(12.0, speed=4e10).likely == pytest.approx(1.55, abs=0.12)
    assert of_tales(36.0, speed=4e10).likely == pytest.approx(1.37, abs=0.12)


@pytest.mark.parametrize("text", ["a", "ab", "short", "a" * 500, "ab" * 400, "가나다라" * 50, "x" * 40 + "y" * 4])
@pytest.mark.parametrize("seconds", [1.0, 86_400.0])
def test_every_text_has_a_possible_forecast(text, seconds):
    found = of_tales(seconds, text=text)
    assert 0 <= found.low <= found.likely <= found.high <= math.log(max(1, len(set(text))))
    assert found.characters > 0
    assert math.isfinite(found.passes)
    assert found.told()
    assert found.measured == (len(text) >= 20)
    assert ("held out" in found.told()) != found.measured


def test_random_letters_cannot_be_learned():
    text = "".join(np.random.default_rng(0).choice(list("abcdefgh"), 20_000))
    found = of_tales(text=text)
    assert found.likely == pytest.approx(math.log(8), abs=0.05)


def test_it_is_one_line():
    found = Forecast(256, 1, 4.13e6, 3.66, 1.41, 1.553, 1.69)
    assert found.told() == "about 4.1 M characters read (3.7 times over), 256 units, likely 1.55 nats (1.41 to 1.69)"
    found = Forecast(256, 2, 900.0, 0.123, 0.0, 1.0, 1.0, measured=False)
    assert found.told() == "about 900 characters read (12 % of the text), 2 × 256 units, no part held out to measure on"
    assert "(1,234 times over)" in Forecast(64, 1, 1.234e6, 1234.0, 1.0, 2.0, 3.0).told()
    assert "12 k characters" in Forecast(64, 1, 12_300.0, 2.0, 1.0, 2.0, 3.0).told()


def test_of_a_training_that_is_about_to_begin():
    text = TALES[:50_000]
    material = material_of(text)
    model = ModelConfig(material.vocabulary.size, 96, 1)
    same = of_tales(30.0, text=text, hidden_size=96, num_layers=1)
    prior = prior_of(text, whole=True, closely=False, threads=1)
    assert forecast_training(prior, model, len(material.train), same.characters / 2048, same.characters) == same
