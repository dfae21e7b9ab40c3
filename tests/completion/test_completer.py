"""Completions: reproducible, streamed without loss, ended by a stop text, and kind to any prompt."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from chargru.completion.completer import Completer
from chargru.completion.generate import opening
from chargru.config import ModelConfig, SamplingConfig
from chargru.engine import Parameters, Stepper
from chargru.errors import ConfigError
from chargru.text.vocabulary import Vocabulary

LETTERS = "\n abcdefgé가"


@pytest.fixture
def completer():
    vocabulary = Vocabulary.from_text(LETTERS)
    config = ModelConfig(vocab_size=vocabulary.size, hidden_size=6, num_layers=2)
    parameters = Parameters.initial(config, 1)
    parameters.flat *= 3  # a network with opinions
    return Completer(parameters, vocabulary, step=7)


def test_greedy_is_the_likeliest_after_each_step(completer):
    (found,) = completer.complete("abc", length=12, temperature=0)
    stepper, text = Stepper(completer.parameters), ""
    logits = stepper.read(completer.vocabulary.encode("abc"))
    for _ in range(12):
        best = np.array([logits[0].argmax()])
        text += completer.vocabulary.decode(best)
        logits = stepper.step(best)
    assert found == text


def test_same_seed_same_text_and_another_seed_another(completer):
    first, again, other = (completer.complete("a", 3, length=40, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert len(set(first)) == 3


def test_streamed_pieces_make_the_whole(completer):
    stream = completer.stream("ab", SamplingConfig(count=3, length=50, seed=4), chunk=7)
    pieces = list(stream)
    assert [len(each[0]) for each in pieces] == [7] * 7 + [1]
    assert ["".join(column) for column in zip(*pieces, strict=True)] == stream.texts
    assert stream.texts == completer.complete("ab", 3, length=50, seed=4)


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_stop_text_ends_a_completion_and_is_its_end(completer, chunk):
    free = completer.complete("ab", 4, length=300, seed=2)
    stop = free[0][20:23]
    stream = completer.stream("ab", SamplingConfig(count=4, length=300, seed=2, stop=stop), chunk=chunk)
    list(stream)
    for text, stopped, whole in zip(stream.texts, stream.stopped, free, strict=True):
        assert stopped == (stop in whole)
        assert text == (whole[: whole.index(stop) + len(stop)] if stopped else whole)


def test_stop_text_of_unknown_characters_never_stops(completer):
    assert len(completer.complete("a", length=30, stop="ZZZ")[0]) == 30


def test_unknown_characters_are_told_and_do_not_matter_otherwise(completer):
    stream = completer.stream("aÄb☃", SamplingConfig(length=5, seed=1))
    assert stream.reading.notes
    list(stream)
    assert len(stream.texts[0]) == 5


@pytest.mark.parametrize("prompt", ["", "☃☃", "\n", "가"])
def test_any_prompt_is_completed(completer, prompt):
    assert len(completer.complete(prompt, length=9)[0]) == 9


def test_an_empty_prompt_begins_after_a_line_break(completer):
    assert completer.complete("", length=9, seed=3) == completer.complete("\n", length=9, seed=3)
    assert opening(Vocabulary.from_text("xyz")).tolist() == [0]


def test_no_characters_asked_for_none_written(completer):
    assert completer.complete("a", 2, length=0) == ["", ""]


def test_settings_are_checked(completer):
    with pytest.raises(ConfigError, match="temperature"):
        completer.complete("a", temperature=-1)


def test_a_model_says_what_it_is(completer):
    assert completer.describe() == "2 × 6 units, 11 characters, step 7"


def test_ranked_is_best_first_and_each_text_once(completer):
    found = completer.ranked("ab", 6, length=3, seed=1, temperature=2)
    texts = completer.complete("ab", 6, length=3, seed=1, temperature=2)
    assert {each.text for each in found} == set(texts)
    assert len(found) == len(set(texts))
    assert sum(each.copies for each in found) == 6
    scores = [each.score for each in found]
    assert scores == sorted(scores, reverse=True)
    for each in found:
        assert texts[each.index] == each.text
        nats = completer.surprisal("ab" + each.text).nats[2:]
        assert each.score == pytest.approx(-nats.mean(), abs=1e-5)


def test_surprisal_tells_the_text_as_read(completer):
    found = completer.surprisal("aÄ☃b")
    assert found.text == "aab"
    assert len(found.nats) == 3
    assert len(found.notes) == 2
    assert found.mean == pytest.approx(float(found.nats.mean()))
    assert completer.surprisal("").mean == 0


def test_ghost_is_the_readers(completer):
    reader = completer.reader()
    reader.read("abc")
    assert completer.ghost("abc", 9) == reader.ghost(9)


def test_streams_of_several_threads_do_not_meet(completer):
    expected = [completer.complete("ab", 2, length=60, seed=seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda seed: completer.complete("ab", 2, length=60, seed=seed), range(4)))
    assert found == expected
