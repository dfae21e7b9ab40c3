"""`chargru corpora`: the texts that can be picked by name."""

from __future__ import annotations

import click

from chargru.cli.numbers import short
from chargru.cli.options import debug_option, json_option
from chargru.cli.output import narrate, program, put_line, put_record


@click.command(
    short_help="List the texts that can be picked by name.",
    epilog="""\b
Examples:
  chargru corpora
  chargru train tales --time 1m
  chargru corpora --json
""",
)
@json_option
@debug_option
def corpora(as_json: bool) -> None:
    """List the texts that `chargru train` knows by name.

    Any file, any directory of text files and - (stdin) can be trained on as well.
    """
    from chargru.text.library import entries

    found = entries()
    if as_json:
        for each in found:
            known = {"name": each.name, "title": each.title, "description": each.description}
            put_record({**known, "language": each.language, "characters": each.characters})
        return
    from chargru.cli.tables import format_table

    rows = [
        (each.name, each.language, "" if each.characters is None else short(each.characters), each.description)
        for each in found
    ]
    put_line(format_table(("NAME", "LANGUAGE", "CHARACTERS", "TEXT"), rows, right=(2,)))
    narrate(f"train on one:   {program()} train NAME --time 1m")
