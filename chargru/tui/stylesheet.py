"""A stylesheet that parses each text once for each theme.

Textual's own forgets what it parsed when a screen is shown for the first time, and parses every text anew, twice. A
third to a half of the time in which a screen opened went there.
"""

from __future__ import annotations

from textual.cache import LRUCache
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.css.types import CSSLocation

Parsed = LRUCache[tuple[str, CSSLocation, bool, int, str], list[RuleSet]]

SOURCES = 512  # texts kept of one theme; the house has about forty
PARSED: LRUCache[frozenset[tuple[str, str]], Parsed] = LRUCache(4)  # by a theme's variables; some 2 MB each


class KeepingStylesheet(Stylesheet):
    """Textual's stylesheet with a memory that outlives a change of theme. Rules are only read, so all apps share it."""

    def _parse_rules(
        self,
        css: str,
        read_from: CSSLocation,
        is_default_rules: bool = False,
        tie_breaker: int = 0,
        scope: str = "",
    ) -> list[RuleSet]:
        variables = frozenset(self._variables.items())
        if (parsed := PARSED.get(variables)) is None:
            parsed = PARSED[variables] = Parsed(SOURCES)
        key = (css, read_from, is_default_rules, tie_breaker, scope)
        if (rules := parsed.get(key)) is None:
            rules = parsed[key] = super()._parse_rules(css, read_from, is_default_rules, tie_breaker, scope)
        return rules

    def reparse(self) -> None:
        """Apply new variables; after an error the rules are what they were, since `parse` sets them last."""
        self.parse()
