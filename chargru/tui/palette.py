"""The command palette: the app's commands in an order that helps, found by what they are called and by what they do;
and the themes, our own in front.
"""

from __future__ import annotations

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.theme import Theme

from chargru.tui.theme import THEMES

ABOUT_THEMES = {
    "chargru": "dark: ink, teal and amber",
    "chargru-light": "light: paper, for bright rooms and projectors",
    "chargru-contrast": "high contrast: black, white and strong colours",
    "chargru-terminal": "your terminal's own sixteen colours and background",
}


class Commands(Provider):
    """What `get_system_commands` gives, in its order; words of the explanation are found too, behind the titles."""

    async def discover(self) -> Hits:
        for title, told, action, listed in self.app.get_system_commands(self.screen):
            if listed:
                yield DiscoveryHit(title, action, help=told)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, told, action, _ in self.app.get_system_commands(self.screen):
            score = matcher.match(title)
            if score > 0:
                yield Hit(score, matcher.highlight(title), action, text=title, help=told)
            elif query.casefold() in told.casefold():
                yield Hit(0.1, title, action, text=title, help=told)


class Themes(Provider):
    """All themes: ours with a word about each, then Textual's."""

    def _themes(self) -> list[tuple[str, str]]:
        ours = [theme.name for theme in THEMES]
        others = sorted(set(self.app.available_themes) - set(ours))
        told = {name: _kind(self.app.available_themes[name]) for name in others}
        return [(name, ABOUT_THEMES.get(name, told.get(name, ""))) for name in (*ours, *others)]

    def _choose(self, name: str) -> None:
        self.app.theme = name

    async def discover(self) -> Hits:
        for name, told in self._themes():
            now = " (now)" if name == self.app.theme else ""
            yield DiscoveryHit(name, partial(self._choose, name), help=told + now)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for name, told in self._themes():
            score = matcher.match(name)
            if score > 0:
                yield Hit(score, matcher.highlight(name), partial(self._choose, name), text=name, help=told)
            elif query.casefold() in told.casefold():
                yield Hit(0.1, name, partial(self._choose, name), text=name, help=told)


def _kind(theme: Theme) -> str:
    return f"of Textual's: {'dark' if theme.dark else 'light'}"
