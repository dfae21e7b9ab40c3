"""Letters found in names, in their order, ever so long the name."""

from __future__ import annotations

import pytest

from chargru.tui.fuzzy import LIMIT, match


@pytest.mark.parametrize(
    ("query", "name", "places"),
    [
        ("tal", "Tales", (0, 1, 2)),
        ("TLS", "tales", (0, 2, 4)),
        ("lib", "long ibis Python library", (17, 18, 19)),
        ("pl", "Python library", (0, 7)),
        ("한글", "내 한글 노트", (2, 3)),
        ("t s", "tales", (0, 4)),
    ],
)
def test_found(query: str, name: str, places: tuple[int, ...]) -> None:
    score, found = match(query, name)
    assert found == places
    assert score > 0


def test_not_found() -> None:
    for query, name in (("x", "tales"), ("sat", "tales"), ("tt", "tales"), ("a", "")):
        assert match(query, name) == (0.0, ())


def test_nothing_asked_is_always_found() -> None:
    assert match(" ", "tales") == (1.0, ())


def test_together_and_at_the_start_of_words_is_better() -> None:
    assert match("tal", "tales")[0] > match("tal", "t a l")[0]
    assert match("no", "my notes")[0] > match("no", "piano")[0]


def test_long_names_take_no_longer() -> None:
    """All combinations of places would be more than there are atoms."""
    _, places = match("e" * 64, "e" * 10_000)
    assert len(places) == 64
    assert places[-1] < LIMIT
    assert match("[red", "[red]a[/red]")[1] == (0, 1, 2, 3)
