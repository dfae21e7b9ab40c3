"""The keys of the Runs screen, and the same in the words of the palette."""

from __future__ import annotations

from textual.binding import Binding

KEYS = (
    Binding("r", "resume", "Go on", tooltip="Go on training this run, from its newest checkpoint"),
    Binding("t", "watch", "Watch", tooltip="Watch this run on the Train screen while another process trains it"),
    Binding("space", "mark", "Mark", show=False, tooltip="Draw this run's curve with those of other marked runs"),
    Binding("d,delete", "delete", "Delete", show=False, tooltip="Delete this run, or all marked ones; asks first"),
    Binding("n", "rename", "Rename", show=False, tooltip="Give this run another name"),
    Binding("slash", "filter", "Filter", key_display="/", show=False, tooltip="Show only runs that fit what is typed"),
    Binding("s", "sort", "Sort", show=False, tooltip="Sort: newest, best, by name, by text"),
    Binding("e", "export", "CSV", show=False, tooltip="Write this run's metrics, or the marked ones', to a CSV file"),
    Binding("y", "copy_path", "Copy path", show=False, tooltip="Copy the path of this run's directory"),
    Binding("x", "across", "x axis", show=False, tooltip="Curves by steps, by time, or by characters read"),
    Binding("b", "units", "Units", show=False, tooltip="Losses in nats or in bits"),
    Binding("l", "axis", "Log", show=False, tooltip="Losses on a logarithmic or a linear axis"),
    Binding("i", "details", "Details", show=False, tooltip="Details of this run in place of its curve, and back"),
    Binding("escape", "clear", "Clear", show=False, tooltip="Forget the filter, then the marks"),
)

# (title, what it does, action)
COMMANDS = (
    ("Play with this run", "Its best model (Enter)", "play"),
    ("Go on training this run", "From its newest checkpoint (r)", "resume"),
    ("Watch this run", "On the Train screen, while another process trains it (t)", "watch"),
    ("Mark this run", "Its curve beside those of other marked runs (space)", "mark"),
    ("Rename this run", "A name made safe for files (n)", "rename"),
    ("Delete runs", "This one, or all marked ones; asks first (d)", "delete"),
    ("Export metrics as CSV", "This run's, or the marked ones' in one table (e)", "export"),
    ("Copy the path of this run", "Its directory (y)", "copy_path"),
    ("Filter runs", "By name, text, network or state (/)", "filter"),
    ("Sort runs", "Newest, best, by name, by text (s)", "sort"),
    ("Curves by steps, time or characters", "The x axis (x)", "across"),
    ("Nats or bits", "The unit of losses (b)", "units"),
    ("Logarithmic or linear losses", "The y axis (l)", "axis"),
    ("Details or curve", "Where there is no room for both (i)", "details"),
    ("Clear filter and marks", "First the one, then the others (esc)", "clear"),
)
