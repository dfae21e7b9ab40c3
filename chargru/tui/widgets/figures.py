"""Which figures of a training are told, in which order and words. Pure: a state and a scale go in, texts come out."""

from __future__ import annotations

import math
from dataclasses import dataclass

from chargru.tui import formatting as say
from chargru.tui.landmarks import comparison, yardsticks
from chargru.tui.scales import Scale
from chargru.tui.state import TrainingState


@dataclass(frozen=True)
class Row:
    """One figure of the panel; the highest `rank` is left out first. `tone` says how it is painted:
    train, validation, best, here, good, warning, or nothing. A row without a value is a sentence; one without
    either is a gap between groups.
    """

    name: str
    value: str = ""
    rank: int = 0
    tone: str = ""

    @property
    def gap(self) -> bool:
        """Whether it only parts two groups."""
        return not self.name and not self.value


GAP = Row("", rank=5)
LADDER = 7  # the rank of the ladder's rows


def figures(state: TrainingState, scale: Scale) -> list[tuple[int, str, str]]:
    """(importance, name, value) for one line, 0 the most important."""
    progress, told = state.progress, state.evaluated
    held_out = told.val_loss if told else None
    rows = [
        (0, "loss", scale.told(_smooth(state))),
        (0, "val", scale.told(held_out)),
    ]
    if told is not None:
        rows.append((1, "best", f"{scale.told(told.best_loss)}@{say.whole(told.best_step)}"))
        if told.expected is not None:
            rows.append((2, "likely", scale.told(told.expected, 2)))
    other = Scale(bits=not scale.bits)
    rows.append((2, other.unit, other.told(held_out if held_out is not None else _smooth(state), 2)))
    if state.overfitting:
        rows.append((1, "no better for", f"{state.overfitting} evals"))
    beaten = [each for each in yardsticks(state.landmarks) if held_out is not None and held_out < each.loss]
    if beaten:
        rows.append((3, "beats", beaten[-1].label))
    if progress is not None:
        rows += [
            (5, "grad", f"{progress.gradient_norm:.2f}"),
            (4, "lr", say.small(progress.learning_rate) + _times(state)),
            (6, "epoch", f"{progress.epoch:.1f}"),
            (7, "mem", say.memory(progress.memory)),
        ]
    return rows


def panel(state: TrainingState, scale: Scale) -> list[Row]:
    """The figures of the panel from top to bottom."""
    return [*_losses(state, scale), GAP, *_motion(state), GAP, *_ladder(state, scale), *_fixed(state)]


def fitting(rows: list[Row], height: int) -> list[Row]:
    """Those of the rows that `height` lines hold: the highest ranks go first; no gap at the end."""
    kept = list(rows)
    while len(kept) > max(height, 1):
        worst = max(row.rank for row in kept)
        if worst == LADDER:  # half a ladder leads nowhere
            kept = [row for row in kept if row.rank != LADDER]
        else:
            index = next(n for n in range(len(kept) - 1, -1, -1) if kept[n].rank == worst)
            del kept[index]
        kept = [row for n, row in enumerate(kept) if not (row.gap and n and kept[n - 1].gap)]
    while kept and kept[-1].gap:
        kept.pop()
    return kept


def steps(state: TrainingState) -> str:
    """Steps done, of how many: exact for a budget of steps, else about."""
    step = state.progress.step if state.progress else state.started.step if state.started else 0
    total = state.steps_total
    if total is None:
        return say.whole(step)
    about = "" if state.started is not None and state.started.budget == "steps" else "~"
    return f"{say.whole(step)}/{about}{say.whole(total)}"


def _losses(state: TrainingState, scale: Scale) -> list[Row]:
    told = state.evaluated
    held_out = told.val_loss if told else None
    other = Scale(bits=not scale.bits)
    perplexity = say.NOTHING
    if held_out is not None and held_out < 50:
        perplexity = f"{math.exp(held_out):.2f}"
    rows = [
        Row("training loss", scale.told(_smooth(state)), 0, "train"),
        Row("validation loss", scale.told(held_out), 0, "validation"),
        Row("best", f"{scale.told(told.best_loss)} @ {say.whole(told.best_step)}" if told else say.NOTHING, 0, "best"),
        *([Row("likely at the end", scale.told(told.expected, 2), 1)] if told and told.expected is not None else []),
        Row(f"{other.unit} per character", other.told(held_out, 3), 1),
        Row("perplexity", perplexity, 4),
    ]
    if words := comparison(state.landmarks, held_out, scale):
        beaten = any(held_out is not None and held_out < each.loss for each in yardsticks(state.landmarks))
        rows.append(Row(words, rank=2, tone="good" if beaten else ""))
    if state.overfitting:
        words = f"no better for {say.plural(state.overfitting, 'evaluation')}, the best is kept"
        rows.append(Row(words, rank=1, tone="warning"))
    return rows


def _motion(state: TrainingState) -> list[Row]:
    progress = state.progress
    if progress is None:
        return [Row("steps", steps(state), 1)]
    return [
        Row("steps", steps(state), 1),
        Row("epochs", f"{progress.epoch:.2f}", 3),
        Row("speed", say.rate(progress.chars_per_second), 1),
        Row("elapsed<left", say.clock(progress.elapsed, progress.remaining), 1),
        Row("gradient norm", f"{progress.gradient_norm:.3f}", 3),
        Row("learning rate", say.small(progress.learning_rate) + _times(state), 2),
        Row("memory", say.memory(progress.memory), 4),
    ]


def _ladder(state: TrainingState, scale: Scale) -> list[Row]:
    """The simple models and this one among them, the best at the bottom."""
    known = yardsticks(state.landmarks)
    held_out = state.evaluated.val_loss if state.evaluated else None
    if not known or held_out is None or not math.isfinite(held_out):
        return []
    places = [(each.loss, each.label) for each in known]
    rows = [Row(label, scale.told(loss), LADDER) for loss, label in places]
    index = sum(loss > held_out for loss, _ in places)
    rows.insert(index, Row("this model", scale.told(held_out), LADDER, "here"))
    return [*rows, GAP]


def _fixed(state: TrainingState) -> list[Row]:
    started = state.started
    if started is None:
        return []
    return [
        Row("model", say.shape(started.hidden_size, started.num_layers), 4),
        Row("weights", say.quantity(started.parameters), 4),
        Row("batch × window", f"{started.batch_size} × {started.seq_len}", 6),
        Row("characters", say.quantity(started.characters), 6),
        Row("vocabulary", say.whole(started.vocab_size), 6),
        Row("device", say.one_line(started.device, 18), 4),
        Row("threads", say.whole(started.threads), 6),
        Row("seed", str(started.seed), 8),
    ]


def _smooth(state: TrainingState) -> float | None:
    """The newest training loss as the chart's strong line shows it; the raw one where there is no line."""
    if state.smooth.last is not None:
        return state.smooth.last[1]
    return state.progress.loss if state.progress else None


def _times(state: TrainingState) -> str:
    """How many times the planned learning rate, where the user changed it."""
    return f" ×{state.rate_scale:.3g}" if state.rate_scale != 1 else ""
