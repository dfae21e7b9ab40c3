"""Plain tables, aligned by terminal cells (a wide character is two)."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

from chargru.text.display import safe_display


def format_table(headings: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """The rows under their headings, two spaces between columns, the columns in `right` flush right.

    On a terminal the last column is cut to what fits; elsewhere nothing is cut. Cells are made safe and one line each.
    """
    from rich.cells import cell_len, set_cell_size

    cells = [[safe_display(cell, newlines=False) for cell in row] for row in (headings, *rows)]
    widths = [max(cell_len(row[column]) for row in cells) for column in range(len(headings))]
    if sys.stdout.isatty():
        others = sum(widths[:-1]) + 2 * (len(widths) - 1)
        widths[-1] = min(widths[-1], max(10, shutil.get_terminal_size().columns - others))
    lines = []
    for row in cells:
        line = []
        for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
            if cell_len(cell) > width:
                line.append(set_cell_size(cell, width - 3) + "...")
            elif column in right:
                line.append(" " * (width - cell_len(cell)) + cell)
            else:
                line.append(set_cell_size(cell, width))
        lines.append("  ".join(line).rstrip())
    return "\n".join(lines)
