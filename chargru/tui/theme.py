"""The app's own look: ink, teal for what learns, amber for what is held out."""

from __future__ import annotations

from textual.theme import Theme

NAME = "chargru"

CHARGRU = Theme(
    name=NAME,
    primary="#56b6b0",
    secondary="#7f95ad",
    accent="#e6ab5e",
    success="#8cc079",
    warning="#e2bd6b",
    error="#e0707a",
    foreground="#d7dee8",
    background="#0f141b",
    surface="#161d27",
    panel="#1e2733",
    dark=True,
    variables={
        "border": "#56b6b0",
        "border-blurred": "#2c3848",
        "footer-background": "#161d27",
        "footer-key-foreground": "#e6ab5e",
        "footer-description-foreground": "#9fb0c3",
        "block-cursor-background": "#25505a",
        "block-cursor-foreground": "#eef3f8",
        "block-cursor-blurred-background": "#1e2f3a",
        "input-selection-background": "#56b6b0 35%",
        "scrollbar": "#2c3848",
        "scrollbar-hover": "#3b4a5e",
        "scrollbar-active": "#56b6b0",
        "scrollbar-background": "#131a23",
        "scrollbar-corner-color": "#131a23",
    },
)
