"""Settings check themselves: the type, the range, the choices, and one budget at a time."""

from __future__ import annotations

import math

import pytest

from chargru.config import ModelConfig, SamplingConfig, TrainingConfig, TrainRequest
from chargru.errors import ConfigError


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"hidden_size": 0}, "hidden_size must be at least 1, not 0"),
        ({"hidden_size": 9000}, "hidden_size must be at most 8192, not 9000"),
        ({"hidden_size": 10**400}, "hidden_size must be at most 8192, not a number that large"),
        ({"hidden_size": 2.5}, "hidden_size must be int, not 2.5"),
        ({"hidden_size": True}, "hidden_size must be int, not True"),
        ({"dropout": math.nan}, "dropout must be a finite number, not nan"),
        ({"backend": "abacus"}, "backend must be one of auto, numpy, cupy, not 'abacus'"),
        ({"time": 5.0, "steps": 3}, "only one budget can be given, not time and steps"),
    ],
)
def test_an_impossible_request_names_the_setting(values: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        TrainRequest(corpus="tales", **values)  # type: ignore[arg-type]
    assert caught.value.message == told


def test_a_request_needs_a_text_or_a_run() -> None:
    with pytest.raises(ConfigError, match="needs a corpus"):
        TrainRequest()


@pytest.mark.parametrize("budgets", [{}, {"time": 5.0, "epochs": 1.0}])
def test_training_has_exactly_one_budget(budgets: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="exactly one"):
        TrainingConfig(**budgets)  # type: ignore[arg-type]


def test_settings_go_through_dictionaries_and_back() -> None:
    for settings in (ModelConfig(vocab_size=65), TrainingConfig(steps=10), SamplingConfig(stop="\n")):
        assert type(settings).from_dict(settings.to_dict()) == settings
    with pytest.raises(ConfigError, match="unknown setting: hiden_size"):
        ModelConfig.from_dict({"hiden_size": 3})


def test_changed_settings_are_checked_again() -> None:
    assert SamplingConfig().with_(top_k=5).top_k == 5
    with pytest.raises(ConfigError, match="top_p"):
        SamplingConfig().with_(top_p=2.0)
