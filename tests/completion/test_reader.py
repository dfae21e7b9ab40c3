"""A prompt read bit by bit is the prompt read at once; what was read before costs nothing; memory stays bounded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargru.completion.generate import opening
from chargru.completion.loops import once_round
from chargru.completion.reader import ReadingStoppedError
from chargru.engine import Stepper
from chargru.text.vocabulary import Vocabulary
from tests.completion.models import LETTERS, make_completer, naive_nats

COMPLETER = make_completer(dtype=np.float64)
TEXT = "".join(np.random.default_rng(5).choice(list(LETTERS), 400))


def counted(reader, monkeypatch):
    """Counts the characters that `reader` steps over."""
    steps = []
    step, window = Stepper.step, Stepper.window

    def one(self, ids):
        steps.extend(ids)
        return step(self, ids)

    def many(self, ids):
        steps.extend(ids)
        return window(self, ids)

    monkeypatch.setattr(Stepper, "step", one)
    monkeypatch.setattr(Stepper, "window", many)
    return steps


def same(reader, text):
    """Whether `reader` stands where a fresh one stands that reads `text` at once."""
    fresh = COMPLETER.reader()
    expected, found = fresh.read(text), reader.read(text)
    np.testing.assert_allclose(found.surprisals, expected.surprisals, atol=1e-6)
    np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=1e-12)
    np.testing.assert_allclose(reader.start().state, fresh.start().state, atol=1e-12)
    np.testing.assert_allclose(reader.start().logits, fresh.start().logits, atol=1e-12)
    assert found.text == expected.text == text
    assert reader.ghost(12) == fresh.ghost(12)


def test_typed_is_read_at_once():
    reader = COMPLETER.reader()
    for end in range(150):
        reader.read(TEXT[:end])
    same(reader, TEXT[:149])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(LETTERS, max_size=100), max_size=6))
def test_any_edits_are_the_last_text_read_at_once(texts):
    reader = COMPLETER.reader()
    for text in texts:
        reader.read(text)
        reader.ghost(3)
    same(reader, texts[-1] if texts else "")


def test_surprisals_are_the_networks_and_the_first_that_of_a_beginning():
    read = COMPLETER.reader().read(TEXT[:100])
    assert read.surprisals.dtype == np.float32
    np.testing.assert_allclose(read.surprisals[1:], naive_nats(COMPLETER, TEXT[1:100], TEXT[0]), atol=1e-5)
    stepper = Stepper(COMPLETER.parameters)
    logits = stepper.read(opening(COMPLETER.vocabulary))[0]
    first = np.log(np.exp(logits).sum()) - logits[COMPLETER.vocabulary.encode(TEXT[0])[0]]
    assert read.surprisals[0] == pytest.approx(first, abs=1e-5)


def test_a_character_at_the_end_costs_one_step_and_a_backspace_none(monkeypatch):
    reader = COMPLETER.reader()
    reader.read(TEXT)
    steps = counted(reader, monkeypatch)
    reader.read(TEXT + "a")
    assert len(steps) == 1
    for end in range(len(TEXT), len(TEXT) - 300, -1):
        reader.read(TEXT[:end])
    reader.read(TEXT[:50])
    assert len(steps) == 1
    reader.read(TEXT[:50])
    assert len(steps) == 1


def test_an_edit_in_the_middle_reads_from_the_edit_on(monkeypatch):
    reader = COMPLETER.reader()
    reader.read(TEXT)
    steps = counted(reader, monkeypatch)
    edited = TEXT[:300] + ("a" if TEXT[300] != "a" else "b") + TEXT[301:]
    reader.read(edited)
    assert len(steps) == 100
    monkeypatch.undo()
    same(reader, edited)


def test_empty_prompt_stands_after_a_line_break():
    reader = COMPLETER.reader()
    untouched = reader.ghost(9, newlines=True)
    read = reader.read("")
    assert (read.text, len(read.surprisals)) == ("", 0)
    assert untouched == reader.ghost(9, newlines=True) == COMPLETER.complete("\n", length=9, temperature=0)[0]
    reader.read("abc")
    same(reader, "")
    same(reader, "a")


def test_characters_never_seen_are_mapped_and_skipped_and_told():
    reader = COMPLETER.reader()
    reader.read("ab")
    read = reader.read("aÂb☃")
    assert read.text == "aab"
    assert len(read.surprisals) == 3
    assert len(read.notes) == 2
    same(reader, "aab")


def test_a_keystroke_that_changes_how_earlier_ones_are_read():
    completer = make_completer("가각 \n")
    reader = completer.reader()
    assert reader.read("가 ㄱ").text == "가 "
    assert reader.read("가 \u1100\u1161").text == "가 가"  # two letters make one syllable
    assert reader.read("가 \u1100\u1161\u11a8").text == "가 각"
    expected = completer.reader().read("가 각")
    assert reader.read("가 각").surprisals.tolist() == pytest.approx(expected.surprisals.tolist(), abs=1e-6)


def test_the_likeliest_next_characters():
    read = COMPLETER.reader().read("ab가")
    found = read.likeliest(4)
    assert [each.probability for each in found] == sorted(read.probabilities.tolist(), reverse=True)[:4]
    assert [len(each.character) for each in found] == [1] * 4
    best = max(LETTERS, key=lambda each: read.probabilities[COMPLETER.vocabulary.encode(each)[0]])
    assert found[0].character == best
    assert read.probabilities.sum() == pytest.approx(1)
    assert len(read.likeliest(99)) == len(LETTERS)
    assert read.likeliest(0) == ()


@pytest.mark.parametrize("prompt", ["", "a", "각 b😀", TEXT])
def test_ghost_is_temperature_zero(prompt):
    completer = make_completer(units=9, seed=3)
    reader = completer.reader()
    reader.read(prompt)
    (expected,) = completer.complete(prompt, length=40, temperature=0)
    assert reader.ghost(40, newlines=True) == expected
    assert reader.ghost(40) == expected.partition("\n")[0] + ("\n" if "\n" in expected else "")


def test_ghost_goes_round_no_circle_twice():
    completer = make_completer(units=6, seed=6)
    (whole,) = completer.complete("abc", length=60, temperature=0)
    ghost = completer.ghost("abc", 60, newlines=True)
    assert 0 < len(ghost) < len(whole)
    assert ghost == once_round(whole)


def test_ghost_ends_with_a_line_break():
    completer = make_completer("\na")
    completer.parameters["output.b_y"][:] = [50, 0]
    reader = completer.reader()
    assert reader.ghost(5) == "\n"
    assert reader.ghost(5, newlines=True) == "\n" * 5


def test_ghost_leaves_the_reader_where_it_is():
    reader = COMPLETER.reader()
    reader.read("abc")
    before = reader.start()
    assert len(reader.ghost(30, newlines=True)) == 30
    after = reader.start()
    assert np.array_equal(before.state, after.state)
    assert np.array_equal(before.logits, after.logits)
    same(reader, "abcd")


def test_ghost_costs_one_step_when_its_characters_are_typed_and_none_after_a_backspace(monkeypatch):
    reader = COMPLETER.reader()
    prompt = "abc"
    reader.read(prompt)
    foreseen = reader.ghost(40, newlines=True)
    steps = counted(reader, monkeypatch)
    for place in range(1, 11):
        reader.read(prompt + foreseen[:place])
        assert reader.ghost(40, newlines=True).startswith(foreseen[place:])
    assert len(steps) == 2 * 10  # the character itself, and one more ahead
    for place in range(10, -1, -1):
        reader.read(prompt + foreseen[:place])
        reader.ghost(40, newlines=True)
    assert len(steps) == 2 * 10
    monkeypatch.undo()
    for place in (7, 3):
        same(reader, prompt + foreseen[:place])
    other = next(each for each in "abc" if each != foreseen[3])
    same(reader, prompt + foreseen[:3] + other)
    same(reader, prompt + foreseen[:3])


def test_what_was_foreseen_after_another_beginning_is_forgotten():
    reader = COMPLETER.reader()
    for text in ("abcd", "xbcd", "abc", "", "a", "", COMPLETER.ghost("")[:1], "gbcd"):
        reader.read(text)
        assert reader.ghost(9, newlines=True) == COMPLETER.ghost(text, 9, newlines=True)


def test_a_longer_ghost_goes_on_and_a_shorter_one_is_cut():
    reader = COMPLETER.reader()
    reader.read("ab")
    lengths = [5, 30, 12, 0, 31]
    whole = COMPLETER.complete("ab", length=31, temperature=0)[0]
    assert [reader.ghost(length, newlines=True) for length in lengths] == [whole[:length] for length in lengths]
    assert reader.ghost(31) == whole[: whole.index("\n") + 1] if "\n" in whole else whole


def test_ghost_stops_when_told():
    asked = iter([False] * 5 + [True])
    assert len(COMPLETER.reader().ghost(30, newlines=True, should_stop=lambda: next(asked))) == 5
    assert COMPLETER.reader().ghost(0) == ""


def test_reading_stops_when_told_and_goes_on_from_there(monkeypatch):
    reader = COMPLETER.reader()
    reader.read(TEXT[:10])
    asked = iter([False, False, True])
    with pytest.raises(ReadingStoppedError):
        reader.read(TEXT, should_stop=lambda: next(asked))
    steps = counted(reader, monkeypatch)
    reader.read(TEXT)
    assert len(steps) == len(TEXT) - 10 - 2 * 64
    monkeypatch.undo()
    same(reader, TEXT)


def test_reading_stopped_before_the_first_character():
    reader = COMPLETER.reader()
    with pytest.raises(ReadingStoppedError):
        reader.read("ab", should_stop=lambda: True)
    same(reader, "")


def test_a_long_prompt_is_bounded_and_still_right(monkeypatch):
    monkeypatch.setattr("chargru.completion.states.BUDGET", 0)  # the least: 32 states without a gap
    reader = COMPLETER.reader()
    text = TEXT * 25
    reader.read(text)
    assert len(reader._states) <= 3 * 32
    steps = counted(reader, monkeypatch)
    reader.read(text[: len(text) - 30])
    assert not steps
    reader.read(text[:5_000])
    assert len(steps) < reader._states.stride
    monkeypatch.undo()
    same(reader, text[:5_000])
    same(reader, text[:300] + "a")


def test_one_character_vocabulary():
    completer = make_completer("x")
    reader = completer.reader()
    read = reader.read("xxx")
    assert read.surprisals.tolist() == [0, 0, 0]
    assert reader.ghost(4) == "xxxx"
    assert Vocabulary.from_text("x") == completer.vocabulary
