"""What the model writes while it learns: the newest sample, the ones before it, and a way back through all of them.

Samples are data and pass `shown` before they are painted.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Size

from chargru.tui.formatting import fit, one_line, shown, whole
from chargru.tui.samples import KeptSample
from chargru.tui.scales import Scale
from chargru.tui.state import TrainingState
from chargru.tui.widgets.numbers import DIM, StateWidget

SAMPLE_LIMIT = 4000  # characters painted; more than any screen holds
EARLIER = 40  # lines of earlier samples
PAGE = 10  # samples

NO_SAMPLE = Content.styled("The first words appear here after a few seconds.", "$foreground 38%")


class SampleText(StateWidget):
    """One sample in full, and below it, a line each, how the text grew up to it."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._sample: KeptSample | None = None
        self._earlier: list[KeptSample] = []
        self._painted: tuple[object, ...] = ()

    def put(self, state: TrainingState, sample: KeptSample | None, room: int) -> None:
        """Show this sample of the state; there are `room` lines."""
        width = max(self.size.width, 20)
        key = (sample, room, width, self.scale)
        if key == self._painted:
            return  # a new text means a new layout; only a new sample is worth one
        self._painted, self._sample, self._earlier = key, sample, []
        if sample is not None:
            most = min(room - len(self._body(width)) - 1, EARLIER)
            self._earlier = state.samples.earlier(sample, most)
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(max(width, 8)))

    def render(self) -> Content:
        return Content("\n").join(self._lines(max(self.size.width, 8)))

    def _lines(self, width: int) -> list[Content]:
        if self._sample is None:
            return [NO_SAMPLE]
        lines = self._body(width)
        if self._earlier:
            lines += [Content(""), *self._table(width)]
        return lines

    def _body(self, width: int) -> list[Content]:
        assert self._sample is not None
        sample = self._sample.sampled
        text = Content.assemble((shown(sample.prompt), DIM), shown(sample.text[:SAMPLE_LIMIT]))
        return [
            line for paragraph in text.split("\n", allow_blank=True) for line in paragraph.wrap(width) or [Content("")]
        ]

    def _table(self, width: int) -> list[Content]:
        scale = self.scale
        rows = [(whole(each.step), _loss(each, scale), each.sampled) for each in self._earlier]
        first, second = max(len(step) for step, _, _ in rows), max(len(loss) for _, loss, _ in rows)
        lines = []
        for step, loss, sampled in rows:
            room = max(width - first - second - 4, 4)
            told = one_line(sampled.prompt + sampled.text, room)
            lines.append(
                Content.assemble(
                    (step.rjust(first), "$primary 80%"), "  ", (loss.rjust(second), "$accent 80%"), "  ", (told, DIM)
                )
            )
        return lines


def _loss(sample: KeptSample, scale: Scale) -> str:
    return scale.told(sample.val_loss, 2)


class SamplePanel(VerticalScroll, can_focus=True):
    """The newest sample, rewritten whenever the model sends one, unless the user looks back at an earlier one."""

    ALLOW_MAXIMIZE = True
    BORDER_TITLE = "sample"
    HELP = (
        "What the model writes, from what it has learned so far. Below it stand earlier samples with their step and "
        "validation loss: that is how the text grows up. , and . turn back and forth through all of them."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,left", "turn(-1)", "The sample before", show=False),
        Binding("down,right", "turn(1)", "The sample after", show=False),
        Binding("pageup", f"turn({-PAGE})", f"{PAGE} samples back", show=False),
        Binding("pagedown", f"turn({PAGE})", f"{PAGE} samples on", show=False),
        Binding("home", "first", "The first sample", show=False),
        Binding("end", "live", "The newest sample, and what comes", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="panel")
        self._state = TrainingState()
        self._back: KeptSample | None = None  # the earlier sample that is looked at; None follows the newest

    def compose(self) -> ComposeResult:
        yield SampleText(id="sample-text")

    @property
    def live(self) -> bool:
        """Whether the newest sample is shown, and the next one when it comes."""
        return self._back is None

    def show(self, state: TrainingState) -> None:
        """Show the newest sample of this state, or go on showing the one that the user turned back to."""
        if state is not self._state:
            self._state, self._back = state, None
        self._put()

    def on_resize(self) -> None:
        self.call_after_refresh(self._put)

    def turn(self, samples: int) -> None:
        """Turn so many samples on, or back if negative; past the newest one, what comes is shown again."""
        history = self._state.samples
        if not len(history):
            return
        position = min(max(history.position(self._back) + samples, 0), len(history) - 1)
        self._back = None if position == len(history) - 1 else history.at(position)
        self.scroll_home(animate=False)
        self._put()

    def action_turn(self, samples: int) -> None:
        self.turn(samples)

    def action_first(self) -> None:
        self.turn(-len(self._state.samples))

    def action_live(self) -> None:
        self.turn(len(self._state.samples))

    def _put(self) -> None:
        history = self._state.samples
        position = history.position(self._back)
        sample = history.at(position)
        self.query_one(SampleText).put(self._state, sample, self.size.height)
        title, subtitle = "sample", ""
        if sample is not None:
            which = f" {position + 1} of {len(history)}" if len(history) > 1 else ""
            scale = self.query_one(SampleText).scale
            parts = [(0, f"sample{which}"), (0, f"step {whole(sample.step)}")]
            if sample.val_loss is not None:
                parts.append((1, f"val {scale.told(sample.val_loss, 2)}"))
            parts.append((2, f"temperature {sample.sampled.temperature:g}"))
            title = " · ".join(fit(parts, self.size.width - 4, " · "))
            if len(history) > 1:
                subtitle = ", . look back" if self.live else ", . turn   end newest"
        self.border_title = Content(one_line(title, max(self.size.width - 2, 8)))
        self.border_subtitle = Content(subtitle)
        self.set_class(not self.live, "-back")
