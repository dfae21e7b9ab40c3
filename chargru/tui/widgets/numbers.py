"""The figures of a training, as one line for a small terminal and as a panel for a large one, and its progress bar."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from chargru.tui import formatting as say
from chargru.tui.formatting import fit
from chargru.tui.state import Phase, TrainingState

Part = tuple[str, str] | str


class StateWidget(Widget):
    """A widget that paints a training state; `show` gives it a new one."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.state = TrainingState()

    def show(self, state: TrainingState) -> None:
        """Paint this state."""
        self.state = state
        self.refresh()


def figures(state: TrainingState) -> list[tuple[int, str, str]]:
    """(importance, name, value) of what is known, 0 the most important."""
    progress, told = state.progress, state.evaluated
    held_out = told.val_loss if told else None
    rows = [
        (0, "loss", say.nats(progress.loss if progress else None)),
        (0, "val", say.nats(held_out)),
    ]
    if told is not None:
        rows.append((1, "best", f"{say.nats(told.best_loss)}@{say.whole(told.best_step)}"))
    rows.append((2, "bits", say.bits(held_out if held_out is not None else progress.loss if progress else None)))
    if progress is not None:
        rows += [
            (4, "grad", f"{progress.gradient_norm:.2f}"),
            (5, "lr", say.small(progress.learning_rate)),
            (6, "epoch", f"{progress.epoch:.1f}"),
            (7, "mem", say.memory(progress.memory)),
        ]
    return rows


class NumbersLine(StateWidget):
    """The figures on one line, the least important left out where there is no room."""

    def render(self) -> Content:
        rows = figures(self.state)
        kept = fit([(rank, f"{name} {value}") for rank, name, value in rows], self.size.width - 2)
        parts: list[Part] = [" "]
        for text in kept:
            name, _, value = text.partition(" ")
            parts += [(f"{name} ", "$foreground 62%"), (value, "bold" if name in ("loss", "val") else ""), "  "]
        return Content.assemble(*parts)


class NumbersPanel(StateWidget):
    """The figures in a panel, one a line, with what does not change below."""

    BORDER_TITLE = "numbers"

    def render(self) -> Content:
        width = self.size.width
        lines = [self._row(name, value, width, strong) for name, value, strong in self._rows()]
        return Content("\n").join(lines)

    def _rows(self) -> list[tuple[str, str, bool]]:
        state, progress, told, started = self.state, self.state.progress, self.state.evaluated, self.state.started
        held_out = told.val_loss if told else None
        rows = [
            ("training loss", say.nats(progress.loss if progress else None), True),
            ("validation loss", say.nats(held_out), True),
            ("bits per character", say.bits(held_out), False),
            ("best", f"{say.nats(told.best_loss)}@{say.whole(told.best_step)}" if told else say.NOTHING, False),
            ("", "", False),
        ]
        total = state.steps_total
        rows += [
            ("steps", _steps(state, total), False),
            ("epochs", f"{progress.epoch:.2f}" if progress else say.NOTHING, False),
            ("speed", say.rate(progress.chars_per_second) if progress else say.NOTHING, False),
            ("elapsed<left", say.clock(progress.elapsed, progress.remaining) if progress else say.NOTHING, False),
            ("gradient norm", f"{progress.gradient_norm:.3f}" if progress else say.NOTHING, False),
            ("learning rate", say.small(progress.learning_rate) if progress else say.NOTHING, False),
            ("memory", say.memory(progress.memory) if progress else say.NOTHING, False),
        ]
        if started is not None:
            rows += [
                ("", "", False),
                ("model", say.shape(started.hidden_size, started.num_layers), False),
                ("weights", say.quantity(started.parameters), False),
                ("batch × window", f"{started.batch_size} × {started.seq_len}", False),
                ("characters", say.quantity(started.characters), False),
                ("vocabulary", say.whole(started.vocab_size), False),
                ("device", say.one_line(started.device, 18), False),
                ("threads", say.whole(started.threads), False),
                ("seed", str(started.seed), False),
            ]
        return rows[: max(self.size.height, 1)]

    def _row(self, name: str, value: str, width: int, strong: bool) -> Content:
        gap = max(width - cell_len(name) - cell_len(value), 1)
        return Content.assemble((name, "$foreground 62%"), " " * gap, (value, "bold $foreground" if strong else ""))


def _steps(state: TrainingState, total: int | None) -> str:
    step = state.progress.step if state.progress else state.started.step if state.started else 0
    if total is None:
        return say.whole(step)
    about = "" if state.started is not None and state.started.budget == "steps" else "~"
    return f"{say.whole(step)}/{about}{say.whole(total)}"


class ProgressLine(StateWidget):
    """How much of the budget is used: a bar that reads without colours, steps, time and speed."""

    def render(self) -> Content:
        state = self.state
        if state.phase is Phase.IDLE:
            return Content("")
        parts: list[tuple[int, str]] = [(0, f"{state.fraction:.0%}"), (2, _steps(state, state.steps_total))]
        if (progress := state.progress) is not None:
            parts += [(0, say.clock(progress.elapsed, progress.remaining)), (1, say.rate(progress.chars_per_second))]
        kept = "  ".join(fit(parts, max(self.size.width - 14, 4)))
        room = max(self.size.width - cell_len(kept) - 4, 4)
        done = round(room * min(max(state.fraction, 0.0), 1.0))
        colour = {Phase.PAUSED: "$warning", Phase.FAILED: "$error", Phase.FINISHED: "$success"}.get(
            state.phase, "$primary"
        )
        return Content.assemble(
            " ", ("━" * done, colour), ("╌" * (room - done), "$foreground 38%"), "  ", (kept, "$foreground 62%")
        )
