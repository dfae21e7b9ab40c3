from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from chargru.completion.completer import Completer
from chargru.engine import Backend, Stepper
from tests.engine.cuda_on_cpu import needs_compiler

from .conftest import Command

TEXT = "the rat sat on the cat.\na mat sat.\n"


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "other.txt"
    path.write_text(TEXT)
    return path


def one_by_one(model: Path, text: str, window: int | None = None) -> float:
    """Mean loss of every character but the first, read one after the other; a cold state every `window`."""
    completer = Completer.from_checkpoint(model)
    ids = completer.vocabulary.encode(text)
    losses = []
    stepper = Stepper(completer.parameters)
    for place in range(len(ids) - 1):
        if window and place % window == 0:
            stepper = Stepper(completer.parameters)
        logits = stepper.step(ids[place : place + 1])[0].astype(float)
        losses.append(np.logaddexp.reduce(logits) - logits[ids[place + 1]])
    return float(np.mean(losses))


def test_json_is_the_object_of_the_contract(chargru: Command, model: Path, text: Path) -> None:
    assert chargru("eval", model, text, "--json") == 0
    found = json.loads(chargru.out)
    assert list(found) == ["nats_per_char", "bits_per_char", "perplexity", "chars", "protocol"]
    assert found["nats_per_char"] == pytest.approx(one_by_one(model, TEXT), rel=1e-4)
    assert found["bits_per_char"] == pytest.approx(found["nats_per_char"] / math.log(2))
    assert found["perplexity"] == pytest.approx(math.exp(found["nats_per_char"]))
    assert found["chars"] == len(TEXT) - 1
    assert found["protocol"] == "stream"


def test_windows_begin_cold(chargru: Command, model: Path, text: Path) -> None:
    assert chargru("eval", model, text, "--protocol", "window", "--window", "5", "--json") == 0
    found = json.loads(chargru.out)
    assert found["nats_per_char"] == pytest.approx(one_by_one(model, TEXT, 5), rel=1e-4)
    assert found["protocol"] == "window"


def test_people_get_four_figures_and_the_protocol(chargru: Command, model: Path, text: Path) -> None:
    assert chargru("eval", model, text, "--protocol", "window", "--window", "16") == 0
    names = [line.split()[0] for line in chargru.out.splitlines()]
    assert names == ["nats/char", "bits/char", "perplexity", "characters", "protocol"]
    assert chargru.out.endswith("window 16\n")
    assert chargru.err == ""


def test_a_fraction_scores_the_tail(chargru: Command, model: Path, text: Path) -> None:
    assert chargru("eval", model, text, "--val-fraction", "0.5", "--json") == 0
    tail = TEXT[int(len(TEXT) * 0.5) :]
    found = json.loads(chargru.out)
    assert found["chars"] == len(tail) - 1
    assert found["nats_per_char"] == pytest.approx(one_by_one(model, tail), rel=1e-4)
    assert chargru("eval", model, text, "--val-fraction", "1", "--json") == 0
    assert json.loads(chargru.out)["chars"] == len(TEXT) - 1


def test_characters_that_the_model_does_not_know_are_counted(chargru: Command, model: Path, tmp_path: Path) -> None:
    path = tmp_path / "odd.txt"
    path.write_text("the 漢漢 cat Sat")
    assert chargru("eval", model, path, "--json") == 0
    assert "2 characters" in chargru.err
    assert "漢" in chargru.err
    assert json.loads(chargru.out)["chars"] == len("the  cat sat") - 1


def test_nothing_to_score_and_nothing_to_read_are_failures(chargru: Command, model: Path, tmp_path: Path) -> None:
    single = tmp_path / "single.txt"
    single.write_text("a漢漢")
    assert chargru("eval", model, single) == 1
    assert "nothing to score" in chargru.err
    assert chargru("eval", model, tmp_path / "missing.txt") == 1
    assert chargru("eval", "nobody", single) == 1
    assert chargru.out == ""
    assert chargru("eval", model) == 2
    assert chargru("eval", model, single, "--window", "0") == 2
    assert chargru("eval", model, single, "--protocol", "guess") == 2


# -- on a GPU ---------------------------------------------------------------------------------------------------------


@needs_compiler
@pytest.mark.parametrize("protocol", [("stream",), ("window", "--window", "5")])
@pytest.mark.parametrize("backend", ["auto", "cupy"])
def test_a_long_text_is_scored_on_a_gpu(
    chargru: Command, model: Path, text: Path, gpu: list[str], backend: str, protocol: tuple[str, ...]
) -> None:
    argv = ("eval", model, text, "--json", "--protocol", *protocol)
    assert chargru(*argv, "--backend", backend) == 0
    found = json.loads(chargru.out)
    assert gpu == [backend]
    assert chargru(*argv, "--backend", "numpy") == 0
    assert gpu == [backend]
    expected = json.loads(chargru.out)
    assert found["chars"] == expected["chars"]
    assert found["nats_per_char"] == pytest.approx(expected["nats_per_char"], rel=1e-5)


@needs_compiler
def test_a_gpu_that_fails_is_told_and_left_unless_it_was_insisted_on(
    chargru: Command, model: Path, text: Path, gpu: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class CUDARuntimeError(RuntimeError):
        """As CuPy has it."""

        status = 700

    def fail(*_: object, **__: object) -> None:
        raise CUDARuntimeError("cudaErrorIllegalAddress: an illegal memory access was encountered")

    monkeypatch.setattr("chargru.training.device_place.DeviceScorer.losses", fail)
    assert chargru("eval", model, text) == 0
    assert "computing on the processor: the GPU cannot be used: cudaErrorIllegalAddress" in chargru.err
    assert chargru.out.startswith("nats/char")
    assert chargru("eval", model, text, "--backend", "cupy") == 1
    assert "the GPU cannot be used: cudaErrorIllegalAddress" in chargru.err


def test_a_short_text_never_asks_for_a_gpu(
    chargru: Command, model: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def choose(*_: object) -> Backend:
        raise AssertionError("asked")

    monkeypatch.setattr("chargru.engine.choose_backend", choose)
    assert chargru("eval", model, text) == 0
