"""What the Runs screen asks of the disk: how the runs are, and the changes to them. Called in threads; what cannot be
done comes back as a line to tell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from chargru.errors import ChargruError
from chargru.tui.archive import Archive
from chargru.tui.formatting import one_line, plural
from chargru.tui.messages import RunsChanged, RunsLooked

_NAMED = 4  # files that were left, named one by one


def look(archive: Archive, turn: int, wanted: Sequence[str]) -> RunsLooked:
    """The runs as they are, and the curves of those that are `wanted` (paths), of the first one if none of them is."""
    try:
        rows = tuple(archive.runs())
        paths = [row.path for row in rows]
        charted = [path for path in wanted if path in paths] or paths[:1]
        curves = tuple(archive.curves(charted))
        differences = tuple(archive.differences(charted)) if len(charted) > 1 else ()
    except ChargruError as error:
        return RunsLooked(turn, (), problem=error.message)
    except OSError as error:
        return RunsLooked(turn, (), problem=error.strerror or str(error))
    return RunsLooked(turn, rows, curves, differences)


def carefully(change: Callable[[], RunsChanged]) -> RunsChanged:
    """What the change tells, or the one line on why it could not be made."""
    try:
        return change()
    except ChargruError as error:
        return RunsChanged(f"{error.message} {error.hint}".strip(), severity="error")
    except OSError as error:
        return RunsChanged(error.strerror or str(error), severity="error")


def rename(archive: Archive, run: str, name: str) -> RunsChanged:
    """Give a run another name."""
    path = archive.rename(run, name)
    return RunsChanged(f"renamed to {one_line(Path(path).name, 60)}", path, was=run)


def delete(archive: Archive, runs: Sequence[str]) -> RunsChanged:
    """Delete runs one after another, up to the first that resists."""
    left: list[str] = []
    for done, path in enumerate(runs):
        try:
            left += archive.delete(path)
        except ChargruError as error:
            before = f"{plural(done, 'run')} deleted; " if done else ""
            return RunsChanged(f"{before}{error.message} {error.hint}".strip(), severity="error")
    stays = ", ".join(one_line(name, 30) for name in left[:_NAMED]) + (", …" if len(left) > _NAMED else "")
    return RunsChanged(f"{plural(len(runs), 'run')} deleted" + (f"; not of a run, so left: {stays}" if left else ""))


def export(archive: Archive, runs: Sequence[str]) -> RunsChanged:
    """Write the metrics of runs as one CSV table."""
    return RunsChanged(f"the metrics of {plural(len(runs), 'run')} are in {archive.export(runs)}")
