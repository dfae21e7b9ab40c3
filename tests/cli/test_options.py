from __future__ import annotations

import dataclasses

import click
import pytest

from chargru.cli.options import Duration, Number, options_from
from chargru.cli.sample import sample
from chargru.cli.train import train
from chargru.config import SamplingConfig, TrainingConfig, TrainRequest


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("1.5", 1.5), ("30s", 30), ("3m", 180), ("1h", 3600), ("1h30m", 5400), ("1d", 86400), (" 2M ", 120)],
)
def test_durations(text: str, seconds: float) -> None:
    assert Duration(1, 1e6).convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "3x", "m", "1h30", "-5", "1e3", "nan", "inf", "0.5", "10000000", "٣m", "1 m"])
def test_what_is_no_duration_is_wrong_usage(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Duration(1, 1e6).convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("x", "whole number"), ("1.5", "whole number"), ("0", "at least 1"), ("9", "at most 8"), ("9" * 5000, "number")],
)
def test_a_whole_number_outside_its_range_is_wrong_usage(text: str, complaint: str) -> None:
    with pytest.raises(click.BadParameter, match=complaint):
        Number(int, 1, 8).convert(text, None, None)


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e999"])
def test_only_finite_numbers_pass(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Number(float, None, None).convert(text, None, None)


def options_of(command: click.Command) -> dict[str, click.Option]:
    return {each.name: each for each in command.params if isinstance(each, click.Option) and each.name}


def test_every_setting_of_a_request_has_its_flag() -> None:
    fields = {each.name for each in dataclasses.fields(TrainRequest)} - {"corpus", "pilot"}
    options = options_of(train)
    assert fields <= set(options)
    assert set(options["num_layers"].opts) == {"--layers", "--num-layers"}
    for name in fields - {"num_layers"}:
        assert options[name].opts == [f"--{name.replace('_', '-')}"]


def test_every_setting_of_sampling_has_its_flag_with_its_default() -> None:
    options = options_of(sample)
    for each in dataclasses.fields(SamplingConfig):
        assert options[each.name].default == each.default
        if isinstance(each.default, int | float):
            assert f"[default: {each.default:g}]" in (options[each.name].help or "")


def test_the_help_shows_what_a_setting_is_when_it_is_not_given() -> None:
    options = options_of(train)
    assert "[default: chosen]" in (options["hidden_size"].help or "")
    held_out = {each.name: each.default for each in dataclasses.fields(TrainingConfig)}["val_fraction"]
    assert f"[default: {held_out}]" in (options["val_fraction"].help or "")
    assert "0 to 0.5" in (options["val_fraction"].help or "")


def test_named_fields_come_in_their_order_and_alone() -> None:
    @click.command()
    @options_from(SamplingConfig, "seed", "length")
    def command() -> None: ...

    assert [each.name for each in command.params] == ["seed", "length"]
