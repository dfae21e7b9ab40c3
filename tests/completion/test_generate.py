"""What the model thinks of what it wrote: scores and surprisals against an independent network."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.config import SamplingConfig
from tests.completion.models import make_completer, naive_nats

COMPLETER = make_completer(dtype=np.float64)


def finished(prompt="ab 가", **settings):
    stream = COMPLETER.stream(prompt, SamplingConfig(**({"count": 3, "length": 30, "seed": 5} | settings)))
    list(stream)
    return stream


@pytest.mark.parametrize(
    "settings", [{}, {"temperature": 0.5}, {"temperature": 0}, {"top_k": 2}, {"top_p": 0.5}, {"stop": "a"}]
)
def test_surprisals_and_scores_are_the_models_whatever_was_drawn_by(settings):
    stream = finished(**settings)
    for text, nats, score in zip(stream.texts, stream.surprisals, stream.scores, strict=True):
        expected = naive_nats(COMPLETER, text, "ab 가")
        assert nats.dtype == np.float32
        np.testing.assert_allclose(nats, expected, atol=1e-5)
        assert score == pytest.approx(-expected.mean(), abs=1e-5)


def test_they_grow_with_the_text():
    stream = COMPLETER.stream("a", SamplingConfig(count=2, length=10, seed=1), chunk=4)
    assert stream.scores == [0.0, 0.0]
    lengths = [[len(each) for each in stream.surprisals] for _ in stream]
    assert lengths == [[4, 4], [8, 8], [10, 10]]
    assert all(score < 0 for score in stream.scores)


def test_no_characters_score_nothing():
    stream = finished(length=0)
    assert stream.scores == [0.0] * 3
    assert [len(each) for each in stream.surprisals] == [0] * 3


def test_a_reader_makes_no_difference():
    reader = COMPLETER.reader()
    reader.read("ab")
    for prompt in ("ab 가", "ab", "", "é" * 100):
        stream = COMPLETER.stream(prompt, SamplingConfig(count=3, length=20, seed=2), reader=reader)
        reader.read("something else")  # the stream needs the reader no more
        list(stream)
        alone = COMPLETER.stream(prompt, SamplingConfig(count=3, length=20, seed=2))
        list(alone)
        assert stream.texts == alone.texts
        assert stream.scores == pytest.approx(alone.scores)


def test_another_models_reader_is_refused():
    with pytest.raises(ValueError, match="another model"):
        COMPLETER.stream("a", reader=make_completer().reader())
