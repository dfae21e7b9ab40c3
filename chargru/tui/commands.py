"""What the command palette offers: everything that a key does, in words, and the few things that no key does."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand

if TYPE_CHECKING:
    from chargru.tui.app import ChargruApp

# (title, what it does, action, shown only when the action may run now)
_ALWAYS = (
    ("Corpus", "Pick a text and a time (F2)", "app.show_screen('corpus')"),
    ("Train", "Watch the training (F3)", "app.show_screen('train')"),
    ("Play", "Give the model a prompt (F4)", "app.show_screen('play')"),
    ("Runs", "Everything that was trained (F6)", "app.show_screen('runs')"),
    ("Help", "What this screen is and what its keys do (F1)", "app.help"),
    ("Quit", "Leave; a training is saved first (ctrl+q, F10)", "app.quit"),
)
_TRAINING = (
    ("Pause training", "The worker waits (F8)", "pause"),
    ("Go on training", "After a pause (F8)", "resume"),
    ("Save now", "Write a checkpoint (s on F3)", "save_now"),
    ("Go on with this run", "After it ended: from what was saved (r on F3)", "resume_run"),
    ("Stop training", "Finish the step, save, end (x on F3)", "stop_training"),
)


def commands_for(app: ChargruApp) -> Iterable[SystemCommand]:
    """The commands that make sense at this moment."""
    for title, told, action in _TRAINING:
        if app.check_action(action, ()):
            yield SystemCommand(title, told, partial(app.run_action, f"app.{action}"))
    for title, told, action in getattr(app.screen_stack[0], "COMMANDS_HERE", ()):
        yield SystemCommand(title, told, partial(app.run_action, action, app.screen_stack[0]))
    for title, told, action in _ALWAYS:
        yield SystemCommand(title, told, partial(app.run_action, action))
