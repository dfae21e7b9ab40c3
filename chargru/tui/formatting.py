"""Numbers, times and texts as people read them on a screen. Pure functions; nothing here knows a widget."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from datetime import datetime

from rich.cells import cell_len, set_cell_size

from chargru.text.display import safe_display

NOTHING = "–"


def shown(text: str, newlines: bool = True) -> str:
    """Text from outside (a file name, a sample, a notice) as it may stand on a terminal.

    Composed (NFC), because decomposed Hangul is wider in code points than in cells and lets a cursor drift; control
    and direction characters become visible symbols.
    """
    return safe_display(unicodedata.normalize("NFC", text), newlines=newlines)


def one_line(text: str, cells: int) -> str:
    """`shown(text)` on one line, cut to at most `cells` terminal cells with an ellipsis."""
    line = " ".join(shown(text[: 4 * max(cells, 1) + 16].replace("\n", " ⏎ "), newlines=False).split())
    if cell_len(line) <= cells:
        return line
    return set_cell_size(line, cells - 1).rstrip() + "…" if cells > 1 else "…"[:cells]


def pad(text: str, cells: int) -> str:
    """`text` cut or filled with blanks to exactly `cells` terminal cells."""
    return set_cell_size(text, max(cells, 0))


def tail(text: str, cells: int) -> str:
    """The last `cells` cells of a one-line text, with an ellipsis in front when something was cut."""
    if cell_len(text) <= cells:
        return text
    kept = text[-cells:]
    while kept and cell_len(kept) > cells - 1:
        kept = kept[1:]
    return "…" + kept


def quantity(number: float) -> str:
    """A count in at most three digits and a unit: 742, 58k, 1.1 M."""
    if not math.isfinite(number):
        return NOTHING
    for limit, divisor, unit in ((999.5, 1, ""), (999_500, 1e3, "k"), (999.5e6, 1e6, " M"), (math.inf, 1e9, " G")):
        if abs(number) < limit:
            scaled = number / divisor
            places = 1 if divisor > 1 and abs(scaled) < 9.95 else 0
            text = f"{scaled:.{places}f}"
            return (text.removesuffix(".0") if places else text) + unit
    return NOTHING


def whole(number: int) -> str:
    """A count with thousands separators: 1,840."""
    return f"{number:,}"


def duration(seconds: float) -> str:
    """Seconds as 0:31, 12:05, 1:02:03 or 2d 03:04."""
    if not math.isfinite(seconds) or seconds < 0:
        return NOTHING
    total = int(seconds)
    minutes, second = divmod(total, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days}d {hour:02}:{minute:02}"
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def clock(elapsed: float, remaining: float) -> str:
    """What has passed and what is left, as tqdm writes it: 0:31<0:20."""
    return f"{duration(elapsed)}<{duration(remaining)}"


def nats(value: float | None, places: int = 3) -> str:
    """A loss in nats; a dash where there is none yet."""
    if value is None or math.isnan(value):
        return NOTHING
    return f"{value:.{places}f}" if math.isfinite(value) else "∞"


def bits(value: float | None) -> str:
    """A loss in nats, told in bits per character."""
    return nats(value / math.log(2) if value is not None else None, 2)


def rate(chars_per_second: float) -> str:
    """Speed: 58k ch/s."""
    return f"{quantity(chars_per_second)} ch/s"


def small(value: float) -> str:
    """A small positive number in two significant digits and an exponent: 5.1e-3."""
    if not math.isfinite(value):
        return NOTHING
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def memory(size: int) -> str:
    """Bytes as 412 MB or 1.3 GB; a dash for 0, which means unknown."""
    if size <= 0:
        return NOTHING
    return f"{size / 1e9:.1f} GB" if size >= 999.5e6 else f"{max(size / 1e6, 1):.0f} MB"


def shape(hidden_size: int, num_layers: int) -> str:
    """The network in one word, as people write it: GRU 256, GRU 2×256."""
    return f"GRU {hidden_size}" if num_layers == 1 else f"GRU {num_layers}×{hidden_size}"


def plural(number: int, word: str) -> str:
    """1 line, 1,840 lines."""
    return f"{whole(number)} {word}{'' if number == 1 else 's'}"


def moment(iso: str, now: datetime) -> str:
    """When something was, seen from `now`: today's time, else the date; the text itself where it is no time."""
    try:
        then = datetime.fromisoformat(iso)
    except ValueError:
        return one_line(iso, 16) or NOTHING
    if then.tzinfo is not None:
        then = then.astimezone(now.tzinfo).replace(tzinfo=now.tzinfo)
    return f"{then:%H:%M}" if then.date() == now.date() else f"{then:%Y-%m-%d}"


def ago(iso: str, now: datetime) -> str:
    """How long ago something was: just now, 3 min ago, 5 h ago, yesterday, 6 days ago, then the date."""
    try:
        then = datetime.fromisoformat(iso)
    except ValueError:
        return one_line(iso, 10) or NOTHING
    then = then.astimezone(now.tzinfo) if then.tzinfo is not None else then.replace(tzinfo=now.tzinfo)
    seconds = (now - then).total_seconds()
    days = (now.date() - then.date()).days
    if seconds < -60 or days > 6:
        return f"{then:%Y-%m-%d}"
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min ago"
    if days == 1 and seconds > 6 * 3600:
        return "yesterday"
    return f"{seconds / 3600:.0f} h ago" if seconds < 86400 else f"{max(days, 2)} days ago"


def parse_budget(text: str) -> float:
    """Seconds of a budget typed by hand: 90, 90s, 3m, 1:30, 2h, 1h30m.

    Raises:
        ValueError: not a time, or outside of one second to thirty days.
    """
    units = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
    cleaned = text.strip().lower().replace(" ", "").replace("min", "m").replace("sec", "s")
    seconds = 0.0
    if ":" in cleaned:
        parts = cleaned.split(":")
        if len(parts) > 3 or not all(part.isdecimal() and len(part) < 6 for part in parts):
            raise ValueError("a time looks like 90s, 3m or 1:30")
        for part in parts:
            seconds = 60 * seconds + int(part)
    else:
        number = ""
        for character in cleaned if cleaned[-1:] in units else cleaned + "s":
            if character.isdecimal() or character == ".":
                number += character
                continue
            if character not in units or not number or number.count(".") > 1 or number == ".":
                raise ValueError("a time looks like 90s, 3m or 1:30")
            seconds += float(number) * units[character]
            number = ""
    if not 1 <= seconds <= 30 * 86400:
        raise ValueError("a time is between 1 second and 30 days")
    return seconds


def fit(parts: Sequence[tuple[int, str]], cells: int, gap: str = "  ") -> list[str]:
    """Those of the (importance, text) parts that fit on one line together, in their order; 0 is most important."""
    kept = [True] * len(parts)
    for index in sorted(range(len(parts)), key=lambda i: (-parts[i][0], -i)):
        width = sum(cell_len(text) for (_, text), use in zip(parts, kept, strict=True) if use)
        if width + cell_len(gap) * (sum(kept) - 1) <= cells:
            break
        kept[index] = False
    return [text for (_, text), use in zip(parts, kept, strict=True) if use]
