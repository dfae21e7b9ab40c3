"""Figures as people read them."""

from __future__ import annotations

import math


def duration(seconds: float) -> str:
    """0:07, 12:30, 1:02:03."""
    whole = round(max(0.0, seconds)) if math.isfinite(seconds) else 0
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def rate(per_second: float) -> str:
    """57 ch/s, 5.8k ch/s, 58k ch/s, 1.2M ch/s."""
    return f"{short(per_second)} ch/s"


def short(count: float) -> str:
    """950, 9.5k, 95k, 950k, 1.2M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= size * 0.9995:
            scaled = count / size
            return f"{scaled:.1f}{letter}" if scaled < 9.95 else f"{scaled:.0f}{letter}"
    return f"{count:.0f}"


def loss(nats: float) -> str:
    """1.449 nats/char, 2.090 bits/char."""
    return f"{nats:.3f} nats/char, {nats / math.log(2):.3f} bits/char"


def size(count: float) -> str:
    """512 B, 1.5 MiB, 23 GiB."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 9.95 else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
