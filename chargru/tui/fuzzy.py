"""Fuzzy search in names: the letters of the query in their order, best where they stand together or begin words.

The matcher that Textual's palette uses tries all combinations of places, which takes for ever on a long path, and reads
markup in what it highlights; file names are data.
"""

from __future__ import annotations

LIMIT = 200  # characters of a name that are searched


def match(query: str, name: str) -> tuple[float, tuple[int, ...]]:
    """How well `query` is found in `name` (0: not at all) and the places of its letters, ignoring case and blanks."""
    wanted = [_fold(letter) for letter in query if not letter.isspace()][:64]
    letters = [_fold(letter) for letter in name[:LIMIT]]
    if not wanted:
        return 1.0, ()
    # best[j]: the best score of the letters so far with the last of them at place j, and the places themselves
    best: dict[int, tuple[float, tuple[int, ...]]] = {}
    for number, letter in enumerate(wanted):
        reached: dict[int, tuple[float, tuple[int, ...]]] = {}
        before: tuple[float, tuple[int, ...]] | None = (0.0, ()) if number == 0 else None
        for place, other in enumerate(letters):
            if number and (last := best.get(place - 2)) is not None and (before is None or last[0] > before[0]):
                before = last  # the best that ends somewhere in front, with a gap
            if other != letter:
                continue
            score = 2.0 if place == 0 or not letters[place - 1].isalnum() else 1.0
            options = [] if before is None else [(before[0] + score, before[1])]
            if number and (next_to := best.get(place - 1)) is not None:
                options.append((next_to[0] + score + 1.5, next_to[1]))
            if options:
                total, places = max(options, key=lambda option: option[0])
                reached[place] = (total, (*places, place))
        best = reached
    if not best:
        return 0.0, ()
    return max(best.values(), key=lambda found: found[0])


def _fold(letter: str) -> str:
    """The letter without its case, as one character: places are counted in characters of the name."""
    folded = letter.lower()
    return folded if len(folded) == 1 else letter
