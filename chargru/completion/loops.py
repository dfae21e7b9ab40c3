"""Where a likeliest continuation begins to go round in circles, as those of weak models do."""

from __future__ import annotations

SHORTEST, LONGEST = 4, 48  # characters of what is repeated; "ha ha ha" and a line of dots are no circle


def once_round(text: str) -> str:
    """`text` up to where something in it is said a second time right after the first: "of the same of the same" is
    "of the same". Runs of one character stay, and so do repetitions of less than `SHORTEST` characters.
    """
    for end in range(2 * SHORTEST, len(text) + 1):
        for period in range(SHORTEST, min(LONGEST, end // 2) + 1):
            first = end - 2 * period
            said = text[first : end - period]
            if text.startswith(said, end - period) and len(set(said)) > 1:
                return text[: end - period]
    return text
