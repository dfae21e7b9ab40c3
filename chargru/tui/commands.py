"""What the command palette offers: everything that a key does, in words, and the few things that no key does."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from textual.actions import parse
from textual.app import SystemCommand
from textual.dom import DOMNode

if TYPE_CHECKING:
    from chargru.tui.app import ChargruApp

# (title, what it does, action)
_TRAINING = (
    ("Pause training", "The worker waits (F8)", "pause"),
    ("Go on training", "After a pause (F8)", "resume"),
    ("Save now", "Write a checkpoint (s on F3)", "save_now"),
    ("Go on with this run", "After it ended: from what was saved (r on F3)", "resume_run"),
    ("Faster", "Learning rate up by a quarter (] on F3)", "faster"),
    ("Slower", "Learning rate down by a fifth ([ on F3)", "slower"),
    ("Stop training", "Finish the step, save, end (x on F3)", "stop_training"),
)
_COPIED = (("Save what was copied", "To a new file, where the terminal does not take copies (ctrl+s)", "save_copied"),)
_DIVIDERS = (
    ("Divider to the left", "Between the columns of this screen (<; or drag it)", "divider(-1)"),
    ("Divider to the right", "Between the columns of this screen (>; or drag it)", "divider(1)"),
    ("Divider back", "Where it was designed to be (double click)", "divider_back"),
)
_SCREENS = (
    ("Corpus", "Pick a text and a time (F2)", "app.show_screen('corpus')"),
    ("Train", "Watch the training (F3)", "app.show_screen('train')"),
    ("Play", "Give the model a prompt (F4)", "app.show_screen('play')"),
    ("Runs", "Everything that was trained (F6)", "app.show_screen('runs')"),
)
_LOOKS = (
    ("Theme", "Dark, light, high contrast, your terminal's own colours, and more", "app.change_theme"),
    ("Picture of the screen", "As an SVG file, in the current directory", "app.picture"),
)
_CHARACTERS = (
    ("unicode", "Draw with Unicode", "Braille charts and round frames, whatever the terminal seems to have"),
    ("ascii", "Draw with ASCII only", "For terminals and fonts without braille, lines and blocks"),
    ("auto", "Draw with what the terminal has", "Found out from its type and encoding"),
)
_LAST = (
    ("Help", "What this screen is and what its keys do (F1)", "app.help"),
    ("All keys", "Every key that does something now (?)", "app.all_keys"),
    ("Quit", "Leave; a training is saved first (ctrl+q, F10)", "app.quit"),
)


def commands_for(app: ChargruApp) -> Iterable[SystemCommand]:
    """The commands that make sense at this moment: what this screen does first, then the training, then the app."""
    screen = app.screen_stack[0]
    yield from _possible(app, screen, getattr(screen, "COMMANDS_HERE", ()))
    yield from _possible(app, app, _TRAINING)
    yield from _possible(app, app, _COPIED)
    if screen.maximized is not None:
        yield SystemCommand("All panels", "Back from one panel on the whole screen (m, esc)", app.action_maximise)
    elif app.panel(screen) is not None:
        yield SystemCommand("Maximise", "Give the focused panel the whole screen (m, ctrl+o)", app.action_maximise)
    yield from _possible(app, screen, _DIVIDERS)
    yield from _possible(app, app, _SCREENS)
    yield from _possible(app, app, _LOOKS)
    for choice, title, told in _CHARACTERS:
        if choice != app.remembered.app.characters:
            yield SystemCommand(title, told, partial(app.action_characters, choice))
    yield from _possible(app, app, _LAST)


def _possible(app: ChargruApp, node: DOMNode, commands: Iterable[tuple[str, str, str]]) -> Iterable[SystemCommand]:
    """Those of the commands, actions of `node` unless they say whose, that may run now."""
    for title, told, action in commands:
        target, name, parameters = parse(action)
        if (app if target == "app" else node).check_action(name, parameters):
            yield SystemCommand(title, told, partial(app.run_action, action, node))
