"""The Play screen: type, and the model that is still learning goes on. Ghost text, completions, what surprised it.

It is made of layers in `chargru.tui.playing`; here are its widgets, its keys and its switches.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.style import Style

from chargru.tui.glyphs import glyphs
from chargru.tui.playing.comparing import ComparingScreen
from chargru.tui.widgets.completion import TAKE_KEYS, CompletionCard, CompletionGrid
from chargru.tui.widgets.empty import Empty
from chargru.tui.widgets.info import InfoLine
from chargru.tui.widgets.prompt import PromptArea
from chargru.tui.widgets.sampling import MOST, REMEMBERED, SamplingBar
from chargru.tui.widgets.strip import NextStrip

# (choice in remembered.play, its key, as the key is written, the word on the prompt's frame, what it does)
SWITCHES = (
    ("ghost", "ctrl+g", "^g", "ghost", "Show how the model would go on while typing"),
    ("surprisal", "ctrl+t", "^t", "surprise", "Tint characters by how unlikely the model found them"),
    ("copied", "ctrl+l", "^l", "copied", "Underline what stands verbatim in the training text"),
    ("follow", "ctrl+f", "^f", "follow", "Refresh completions while the model learns"),
)
EXCLUSIVE = {"surprisal": "copied", "copied": "surprisal"}  # both underline


class PlayScreen(ComparingScreen):
    """Widgets, keys and switches."""

    HEADING = "Play"
    HELP_TEXT = (
        "Write how a text begins; dim text shows how the model would go on, and the strip below the likeliest next "
        "characters. Enter writes whole completions, each by chance, the likeliest first. A lower temperature is safer "
        "and duller, a higher one bolder. While a training runs, its newest saved model answers, and what it wrote "
        "refreshes as it learns."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "reroll", "Again", priority=True, tooltip="Complete again, with other draws"),
        Binding("escape", "cancel", "Cancel", show=False, tooltip="Cut completions off, or hide the ghost"),
        Binding("f5", "accept(0)", "Take", key_display="F5 F7 F9", tooltip="Take completion 1", priority=True),
        Binding("f7", "accept(1)", "Take", show=False, tooltip="Take completion 2", priority=True),
        Binding("f9", "accept(2)", "Take", show=False, tooltip="Take completion 3", priority=True),
        *(Binding(str(n), f"accept({n - 1})", f"Take completion {n}", show=False) for n in range(1, MOST + 1)),
        Binding("u", "take_back", "Undo take", show=False, tooltip="The prompt and completions before the last take"),
        Binding("ctrl+n", "next_characters", "Next", tooltip="To the next characters: 1 to 5 take one", priority=True),
        *(
            Binding(key, f"switch('{name}')", word.capitalize(), show=False, tooltip=told, priority=True)
            for name, key, _, word, told in SWITCHES
        ),
    ]
    COMMANDS_HERE = (
        ("Complete", "Continuations of the prompt (Enter)", "complete"),
        ("Re-roll", "Again, with other draws (ctrl+r)", "reroll"),
        *(
            (f"Take completion {n}", f"Into the prompt ({TAKE_KEYS[n - 1] if n <= 3 else n})", f"accept({n - 1})")
            for n in range(1, MOST + 1)
        ),
        *(
            (f"Branch from completion {n}", "Take it and complete again (b on it)", f"branch({n - 1})")
            for n in range(1, MOST + 1)
        ),
        ("Undo take", "The prompt and the completions before the last take (u)", "take_back"),
        ("Choose model", "A list of all runs, filtered as one types", "pick_model"),
        ("Next characters", "To the strip below the prompt, where a number takes one (ctrl+n)", "next_characters"),
        *((f"Switch {word}", f"{told} ({key})", f"switch('{name}')") for name, key, _, word, told in SWITCHES),
    )

    def compose_body(self) -> ComposeResult:
        play = self.chargru.remembered.play
        yield from self.compose_choice()
        yield Empty(id="play-empty")
        yield CompletionGrid(id="completions")
        yield InfoLine(id="play-notes")
        yield PromptArea(id="prompt")
        yield NextStrip(id="play-next")
        yield SamplingBar({name: getattr(play, name) for name in REMEMBERED}, id="sampling")

    def on_mount(self) -> None:
        self.prepare()
        marks = glyphs(self.chargru.plain)
        for card in self.query(CompletionCard):
            card.pen = marks.cursor
        self._show_switches()
        self.prompt.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "cancel":
            return self.writing or (self.is_mounted and bool(self.prompt.ghost))
        if action in ("accept", "branch"):
            return self._batch is not None and parameters[0] in range(len(self._batch.members))
        if action == "take_back":
            return bool(self._takes)
        return super().check_action(action, parameters)

    # -- switches -----------------------------------------------------------------------------------------------

    def action_switch(self, name: str) -> None:
        """Turn one of the switches on or off; the two that mark characters exclude each other."""
        changes = {name: not getattr(self.chargru.remembered.play, name)}
        if changes[name] and name in EXCLUSIVE:
            changes[EXCLUSIVE[name]] = False
        self.chargru.remembered.change("play", **changes)
        self._show_switches()
        self.ask()

    def _show_switches(self) -> None:
        play, marks = self.chargru.remembered.play, glyphs(self.chargru.plain)
        parts: list[Content | str] = []
        for name, _, key, word, _ in SWITCHES:
            on = getattr(play, name)
            click = Style.from_meta({"@click": f"screen.switch('{name}')"})
            chip = Content.assemble(
                (f"{marks.on if on else marks.off} ", "$success" if on else ""),
                (word, "$foreground" if on else ""),
                (f" {key}", "$foreground 45%"),
            )
            parts += [chip.stylize(click), "  "]
        self.prompt.border_subtitle = Content.assemble(*parts[:-1])
        takes = ("  → takes the dim text  ^→ a word  ^e a sentence", "$foreground 45%") if play.ghost else ""
        self.prompt.border_title = Content.assemble("prompt", takes)
        for card in self.query(CompletionCard):
            card.use(self.view)
        self.query_one(InfoLine).explain(self.view)
        self.tint_prompt()
        if play.copied:
            self.compare()
        else:
            self.query_one(InfoLine).say("place", "")
