"""The line above the times: what will be trained and how good it may get."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from chargru.tui.formatting import bits, nats, one_line, quantity
from chargru.tui.library import Outlook


class ForecastLine(Widget):
    """One line; `show` gives it an outlook, `say` words in its place."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._outlook: Outlook | None = None
        self._words = ""
        self._wrong = False
        self._old = False
        self.units = "nats"

    def show(self, outlook: Outlook | None) -> None:
        """Tell this outlook, or nothing where there is none."""
        self._outlook, self._words, self._wrong, self._old = outlook, "", False, False
        self.refresh()

    def say(self, words: str, wrong: bool = False) -> None:
        """Tell something else; `wrong`: it keeps the training from starting."""
        self._outlook, self._words, self._wrong, self._old = None, words, wrong, False
        self.refresh()

    def wait(self) -> None:
        """Mark what is told as that of another choice: a new forecast is on its way."""
        if self._outlook is not None:
            self._old = True
            self.refresh()

    def render(self) -> Content:
        room = max(self.size.width - 4, 10)
        if self._words or self._outlook is None:
            words = one_line(self._words, room)
            return Content.styled(f"  ! {words}", "$error") if self._wrong else Content.styled(f"  {words}", _DIM)
        parts = told(self._outlook, room, self.units)
        if self._old:
            return Content.assemble(("… ", _DIM), *((text, _DIM) for text, _ in parts))
        return Content.assemble(("  ", ""), *parts)


_DIM = "$foreground 62%"


def told(outlook: Outlook, cells: int, units: str) -> list[tuple[str, str]]:
    """(text, style) of the outlook in as many words as fit: how much is read, by what network, how good it may get."""
    loss = bits if units == "bits" else _nats
    read, times = quantity(outlook.characters), _times(outlook.passes)
    network = f"{outlook.units} units" + (f" in {outlook.layers} layers" if outlook.layers > 1 else "")
    if outlook.measured:
        likely, span = f"likely {loss(outlook.likely)} {units}", f" ({loss(outlook.low)} to {loss(outlook.high)})"
    else:
        likely, span = "too short to hold a part out and measure on", ""
    more = "" if outlook.closely else " …"
    if outlook.left_out:
        names = ", ".join(name.replace("_", " ") for name in outlook.left_out)
        longer, span = f"{span}, not counting your {names}{more}", f"{span}, not counting all your settings{more}"
    else:
        longer, span = (span if outlook.closely else f"{span}, looking closer…"), span + more
    place = f" on {one_line(outlook.gpu, 40)}" if outlook.gpu else ""
    for before, after in (
        (f"about {read} characters read ({times}) · {network}{place} · ", longer),
        (f"about {read} characters read ({times}) · {network} · ", longer),
        (f"about {read} characters read ({times}) · {network} · ", span),
        (f"{read} characters read ({times}) · {network} · ", span),
        (f"{read} characters read · {network} · ", span),
        (f"{read} characters · {outlook.units} units · ", more),
        ("", more),
    ):
        if cell_len(before + likely + after) <= cells:
            break
    return [(before, _DIM), (likely, "bold $foreground"), (after, _DIM)]


def _times(passes: float) -> str:
    """How often the text is read over: 48% of it, 3.7 times over."""
    if passes < 0.95:
        return f"{100 * passes:.2g}% of it"
    return f"{passes:.1f} times over" if passes < 9.95 else f"{quantity(passes)} times over"


def _nats(value: float) -> str:
    return nats(value, 2)
