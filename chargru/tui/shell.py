"""What is the same on every screen: themes, remembered choices, toasts, copying, ASCII, and panels that maximise."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.containers import ScrollableContainer
from textual.dom import DOMNode
from textual.filter import LineFilter, Monochrome, NoColor
from textual.screen import Screen
from textual.theme import Theme
from textual.timer import Timer
from textual.widget import Widget

from chargru.tui import copying
from chargru.tui.filters import AsciiFilter, StyleFilter
from chargru.tui.formatting import one_line, shown
from chargru.tui.glyphs import plain_terminal, terminal_encoding
from chargru.tui.palette import Commands, Themes
from chargru.tui.remembered import Remembered
from chargru.tui.stylesheet import KeepingStylesheet
from chargru.tui.theme import NAME, TERMINAL, THEMES

TOAST_LIMIT = 400  # characters of a toast: seven lines; whoever has more to say has a place of its own for it
LOW = 3  # lines of what is too low to be a panel
WRITE_AFTER = 1.0  # seconds without a change before the choices are written to disk


class Shell(App[int]):
    """An app with the house's manners; what it is for is its subclass's to say."""

    COMMANDS = {Commands}  # noqa: RUF012  (Textual declares it so)
    ALLOW_IN_MAXIMIZED_VIEW: ClassVar[str] = "StatusBar, KeyBar, .too-small"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m,ctrl+o", "maximise", "Maximise", show=False, tooltip="Give the focused panel the whole screen"),
        Binding(
            "ctrl+s",
            "save_copied",
            "Save copied",
            show=False,
            priority=True,
            tooltip="Save what was copied last to a file",
        ),
    ]

    def __init__(self, remembered: Remembered | None = None, *, first: str = "") -> None:
        """`first` is the mode that is shown first, where it is not the usual one."""
        self.remembered = remembered or Remembered(None)
        if first:
            self.DEFAULT_MODE = first  # type: ignore[misc]  # Textual reads it once, in its __init__
        super().__init__()
        self.copied: str | None = None  # what was copied last
        self._style_filter = StyleFilter()
        self._ascii_filter = AsciiFilter(terminal_encoding())
        self._writing: Timer | None = None
        self._told: set[str] = set()
        for theme in THEMES:
            self.register_theme(theme)
        self.set_reactive(App.theme, self._first_theme())  # watched from the start on: its CSS is read once
        self._themed = self.theme
        self.stylesheet = KeepingStylesheet(variables=self.get_css_variables())
        self.set_class(self.plain, "-ascii")
        self.set_class(self.no_color, "-no-color")

    def _first_theme(self) -> str:
        wanted = self.remembered.app.theme
        if self.no_color:
            return TERMINAL.name
        if wanted in self.available_themes:
            return wanted
        self.remembered.problems.append(f"There is no theme {wanted!r}; using {NAME}.")
        return NAME

    # -- telling ------------------------------------------------------------------------------------------------

    def tell(self, text: str, *, severity: str = "information", title: str = "") -> None:
        """A toast; `text` may be data. From any thread."""
        level = {"warning": "warning", "error": "error"}.get(severity, "information")
        if len(text) > TOAST_LIMIT:
            text = text[: TOAST_LIMIT - 1].rstrip() + "…"
        self.notify(shown(text), title=shown(title), severity=level, markup=False)  # type: ignore[arg-type]

    # -- copying ------------------------------------------------------------------------------------------------

    def copy(self, text: str, what: str) -> None:
        """Copy `text` and tell what was copied: `what` is its name, as in "completion 2". Both may be data."""
        if not text:
            self.tell(f"There is nothing in {what} to copy.", severity="warning")
            return
        self.copied = copying.clean(text)
        super().copy_to_clipboard(self.copied)
        self.tell(copying.told(text, what))
        self.refresh_bindings()

    def copy_to_clipboard(self, text: str) -> None:
        """Textual's own way of copying, by ctrl+c on a selection: told as every other."""
        self.copy(text, "the selection")

    def action_save_copied(self) -> None:
        """Save what was copied last to a new file in the current directory."""
        if self.copied is None:
            self.tell("Nothing was copied yet.", severity="warning")
        else:
            self._save(self.copied, "chargru-copied.txt", "what was copied")

    def action_picture(self) -> None:
        """Save what is on the screen as a picture."""
        # a moment later: the palette that this was chosen in is not to be in the picture
        self.set_timer(0.2, lambda: self._save(self.export_screenshot(), "chargru-screen.svg", "the picture"))

    def _save(self, text: str, name: str, what: str) -> None:
        def save() -> None:
            try:
                path = copying.save(text, Path.cwd(), name)
            except OSError as error:
                self.tell(f"{what} cannot be saved here: {error.strerror or error}", severity="error")
            else:
                self.tell(f"saved {what} to {path}")

        self.run_worker(save, thread=True, name=f"save {what}", exit_on_error=False)

    # -- panels -------------------------------------------------------------------------------------------------

    def panel(self, screen: Screen[Any]) -> Widget | None:
        """What `m` gives the whole screen: the focused widget, or the panel in which it is."""
        widget: DOMNode | None = screen.focused
        while isinstance(widget, Widget) and widget is not screen:
            # what is large enough is a panel; a field, a button or a row of them is not, nor what says that it is none
            says_no = widget.ALLOW_MAXIMIZE is False and not isinstance(widget, ScrollableContainer)
            if not says_no and widget.outer_size.height > LOW:
                return widget
            widget = widget.parent
        return None

    def action_maximise(self) -> None:
        """Give the focused panel the whole screen, or bring the others back."""
        screen = self.screen_stack[0]
        if screen.maximized is not None:
            screen.minimize()
        elif (panel := self.panel(screen)) is None:
            self.tell("Focus a panel first: tab goes from one to the next.", severity="warning")
        else:
            screen.maximized = panel

    def search_themes(self) -> None:
        """Textual's picker of themes, with ours in front."""
        self.push_screen(CommandPalette(providers=[Themes], placeholder="Search for themes…"))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "save_copied":
            return self.copied is not None
        return super().check_action(action, parameters)

    # -- how it is drawn ----------------------------------------------------------------------------------------

    @property
    def plain(self) -> bool:
        """Whether only ASCII may be drawn: by choice, or because the terminal has no more."""
        choice = self.remembered.app.characters
        return choice == "ascii" or (choice == "auto" and plain_terminal())

    def action_characters(self, choice: str) -> None:
        """Draw with "unicode", with "ascii", or by what the terminal seems to have ("auto")."""
        self.remembered.change("app", characters=choice)
        self.set_class(self.plain, "-ascii")
        self._invalidate_css()  # other filters: no strip painted before is of use
        self.refresh_css(animate=False)
        for screen in self.screen_stack:
            screen.refresh(layout=True)

    def get_line_filters(self) -> Sequence[LineFilter]:
        drawn = [each for each in super().get_line_filters() if not isinstance(each, Monochrome | NoColor)]
        last: list[LineFilter] = [NoColor()] if self.no_color else []
        if self.plain:
            last.append(self._ascii_filter)
        return [self._style_filter, *drawn, *last]

    def get_css_variables(self) -> dict[str, str]:
        variables = super().get_css_variables()
        # "auto" is black or white by the background, which the parts of a widget that paint themselves do not have
        for name in ("text-muted", "text-disabled"):
            automatic, _, share = variables[name].partition(" ")
            if automatic == "auto":
                variables[name] = f"{variables['foreground']} {share}".strip()
        return variables

    # -- remembering --------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.remembered.changed = self._write_soon
        self.theme_changed_signal.subscribe(self, self._remember_theme)
        self._tell_once(self.remembered.problems)

    def _remember_theme(self, theme: Theme) -> None:
        if theme.name != self._themed:  # what it began with may be a stand-in for the remembered one
            self._themed = theme.name
            self.remembered.change("app", theme=theme.name)

    def _write_soon(self) -> None:
        if self.remembered.path is None:
            return
        if self._writing is not None:
            self._writing.stop()
        self._writing = self.set_timer(WRITE_AFTER, self._write)

    def _write(self) -> None:
        def write() -> None:
            self.call_later(self._tell_once, self.remembered.write())

        self.run_worker(write, thread=True, name="remember", exit_on_error=False)

    def _tell_once(self, problems: Sequence[str]) -> None:
        fresh: list[Any] = [problem for problem in problems if problem not in self._told]
        self._told.update(fresh)
        if fresh:
            more = f"\n… and {len(fresh) - 3} more" if len(fresh) > 3 else ""
            self.tell("\n".join(fresh[:3]) + more, severity="warning", title="Remembered choices")

    def tell_last(self, problems: Sequence[str]) -> None:
        """Tell on standard error, after the app, what it had no more time to tell."""
        for problem in problems:
            if problem not in self._told:
                sys.stderr.write(one_line(problem, 400) + "\n")
