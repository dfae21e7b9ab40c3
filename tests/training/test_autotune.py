"""Sizes for budgets and texts: sensible at both ends, growing with the budget."""

from __future__ import annotations

import pytest

from chargru.config import TrainingConfig
from chargru.engine import flops_per_character
from chargru.training.autotune import choose, regularization, weight_decay
from chargru.training.speed import characters_in

SPEED = 1e11  # a usual two-core machine


def weights(sizes):
    return sizes.hidden_size**2 * (2 * sizes.num_layers - 1)


def test_arithmetic_is_that_of_the_design():
    assert flops_per_character(256, 1, 65) == pytest.approx(1.28e6, rel=0.01)
    assert flops_per_character(512, 2, 65) == pytest.approx(14.4e6, rel=0.01)


def test_more_time_never_chooses_a_smaller_network():
    found = [
        weights(choose(1_000_000, 65, characters_in(seconds, 65, SPEED))) for seconds in (1, 5, 20, 60, 180, 600, 3600)
    ]
    assert found == sorted(found)
    assert found[0] < found[-1]


@pytest.mark.parametrize("characters", [1, 50, 2_000, 60_000, 1_000_000, 50_000_000])
@pytest.mark.parametrize("seconds", [1, 20, 180, 86_400])
@pytest.mark.parametrize("V", [1, 65, 2_000, 20_000])
def test_every_choice_is_a_possible_one(characters, seconds, V):
    sizes = choose(characters, V, characters_in(seconds, V, SPEED))
    TrainingConfig(
        time=seconds,
        batch_size=sizes.batch_size,
        seq_len=sizes.seq_len,
        learning_rate=sizes.learning_rate,
        dropout=sizes.dropout,
        weight_drop=sizes.weight_drop,
        state_reset=sizes.state_reset,
        averaging=sizes.averaging,
    )


def test_small_texts_get_small_networks_and_more_dropout():
    note, book = choose(2_000, 60, characters_in(180, 60, SPEED)), choose(1_000_000, 65, characters_in(180, 65, SPEED))
    assert weights(note) < weights(book)
    assert note.dropout > book.dropout


def test_one_layer_where_a_character_turns_up_seldom():
    latin, hangul = (choose(65_000, V, characters_in(80, V, SPEED)) for V in (90, 700))
    assert (latin.num_layers, hangul.num_layers) == (2, 1)
    long = choose(2_000_000, 700, characters_in(180, 700, SPEED))
    assert long.num_layers == 2


def test_what_is_dropped_grows_with_the_passes():
    found = [regularization(passes, 5_000) for passes in (0.1, 1, 3, 6, 12, 25, 60, 400)]
    assert found[0] == (0, 0)
    assert found == sorted(found)
    assert found[-1] == regularization(80, 5_000)
    assert regularization(10, 5_000, 512) > regularization(10, 5_000, 256) == regularization(10, 5_000, 64)


def test_a_short_training_drops_less_and_lets_nothing_decay():
    found = [(*regularization(20, updates), weight_decay(updates)) for updates in (100, 800, 1_600, 5_000)]
    assert found == sorted(found)
    assert found[0][1] < 0.1 * found[-1][1]
    assert [decay for *_, decay in found] == [0, 0, 0.04, 0.1]


def test_a_long_training_of_much_text_only_decays():
    sizes = choose(50_000_000, 90, lambda hidden_size, num_layers: 10_000_000)
    assert (sizes.dropout, sizes.weight_drop, sizes.weight_decay) == (0, 0, 0.1)
