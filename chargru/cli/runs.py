"""`chargru runs`: what was trained, newest first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from chargru.cli.numbers import duration
from chargru.cli.options import debug_option, json_option, out_option
from chargru.cli.output import narrate, program, put, put_line, put_record
from chargru.errors import ChargruError

if TYPE_CHECKING:
    from chargru.storage.runs import Run


@click.command(
    short_help="List what was trained.",
    epilog="""\b
Examples:
  chargru runs
  chargru runs --json
  chargru runs --csv RUN > losses.csv
  chargru sample RUN --prompt "The "
""",
)
@json_option
@click.option("--csv", "tables", metavar="RUN", multiple=True, help="The metrics of this run as CSV; may be repeated.")
@out_option
@debug_option
def runs(as_json: bool, tables: tuple[str, ...], out: str | None) -> None:
    """List the runs, the last changed first, each with the loss of its best checkpoint.

    With --csv, write what was measured in one run, or in several, as one table: a row for each event, losses in nats.
    """
    from chargru.storage.runs import find_run, list_runs, runs_root

    root = runs_root(out)
    if tables:
        if as_json:
            raise click.UsageError("--csv and --json are two different outputs: choose one.")
        from chargru.storage.export import to_csv

        put(to_csv([find_run(each, root) for each in tables]))
        return
    found = [describe(run) for run in list_runs(root)]
    if as_json:
        for each in found:
            put_record(each)
        return
    if not found:
        narrate(f"no runs yet in {root}\ntrain one:      {program()} train tales --time 1m")
        return
    from chargru.cli.tables import format_table

    headings = ("RUN", "TEXT", "GRU", "STEP", "NATS", "BITS", "TRAINED", "CHANGED")
    put_line(format_table(headings, [_row(each) for each in found], right=(2, 3, 4, 5, 6)))
    for each in found:
        if each["problem"]:
            narrate(f"{each['name']}: {each['problem']}")
    narrate(f"kept in {root}")


def describe(run: Run) -> dict[str, Any]:
    """What is known of a run, as plain values; None where its files do not tell."""
    from chargru.storage.checkpoint import peek
    from chargru.storage.lock import holder

    known: dict[str, Any] = {"name": run.name, "path": str(run.path), "corpus": None, "checkpoint": None}
    known |= dict.fromkeys(("hidden_size", "num_layers", "vocab_size", "step", "val_loss", "seconds"))
    known |= {"changed": _iso(run.changed()), "problem": run.problem or None, "live": holder(run.path) is not None}
    try:
        path = run.best()
        best = peek(path)
    except ChargruError as error:
        known["problem"] = known["problem"] or error.message
        return known
    known |= {"checkpoint": str(path), "corpus": best.corpus.name}
    known |= {"hidden_size": best.model.hidden_size, "num_layers": best.model.num_layers}
    known |= {"vocab_size": best.model.vocab_size}
    return known | {"step": best.step, "val_loss": best.val_loss, "seconds": best.seconds}


def _row(known: dict[str, Any]) -> tuple[str, ...]:
    changed = datetime.fromisoformat(known["changed"]).astimezone()
    nats = known["val_loss"]
    return (
        known["name"],
        known["corpus"] or "-",
        "-" if known["hidden_size"] is None else f"{known['num_layers']} x {known['hidden_size']}",
        "-" if known["step"] is None else f"{known['step']:,}",
        "-" if nats is None else f"{nats:.3f}",
        "-" if nats is None else f"{nats / _NATS_PER_BIT:.3f}",
        "-" if known["seconds"] is None else duration(known["seconds"]),
        f"{changed:%Y-%m-%d %H:%M}",
    )


def _iso(stamp: float) -> str:
    return datetime.fromtimestamp(stamp, UTC).isoformat(timespec="seconds")


_NATS_PER_BIT = 0.6931471805599453
