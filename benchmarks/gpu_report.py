"""What `gpu_check.py` found out, as Markdown: a table for each part, "not run" where there are no figures."""

from __future__ import annotations

import re
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gpu_shapes

NOT_RUN = "not run"


@dataclass(frozen=True)
class Part:
    """One part: its name, how many seconds it may take, the command (given a file for its figures), what it shows."""

    name: str
    seconds: float
    command: Callable[[Path], list[str]]
    show: Callable[[Any], list[str]]
    blank: tuple[tuple[str, ...], ...]  # header and first column of a table that has not been filled


def tests_in(xml: str) -> dict[str, Any]:
    """Counts, failures, reasons of skips and what tests wanted to be read, of a JUnit file."""
    cases = list(ElementTree.fromstring(xml).iter("testcase"))
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = [case for case in cases if case.find("skipped") is not None]

    def name(case: ElementTree.Element) -> str:
        return f"{case.get('classname', '').removeprefix('tests.gpu.')}::{case.get('name')}"

    def reason(case: ElementTree.Element, kinds: tuple[str, ...]) -> str:
        found = next(each for kind in kinds if (each := case.find(kind)) is not None)
        return (found.get("message") or "").splitlines()[0][:160] if found.get("message") else ""

    return {
        "passed": len(cases) - len(failed) - len(skipped),
        "failed": {name(case): reason(case, ("failure", "error")) for case in failed},
        "skipped": sorted({reason(case, ("skipped",)) for case in skipped}),
        "skips": len(skipped),
        "summary": [
            each.get("value", "") for case in cases for each in case.iter("property") if each.get("name") == "summary"
        ],
        "traces": [trace for case in failed for kind in ("failure", "error") for trace in lines_of(case.find(kind))],
    }


def lines_of(fault: ElementTree.Element | None) -> list[str]:
    """The last lines of what pytest says of one failure."""
    return [] if fault is None or not fault.text else ["", *fault.text.rstrip().splitlines()[-12:]]


def tests_said(log: str) -> dict[str, Any] | None:
    """Counts and failures from what pytest printed until it was ended; None when it printed no test."""
    told = dict(re.findall(r"^tests/gpu/(\S+?::.*?) (PASSED|FAILED|ERROR|SKIPPED)\b", log, re.MULTILINE))
    begun = re.findall(r"^tests/gpu/(\S+?::.*?)(?: (?:PASSED|FAILED|ERROR|SKIPPED)\b.*)?$", log, re.MULTILINE)
    if not begun:
        return None
    failed = {name: "" for name, how in told.items() if how in ("FAILED", "ERROR")}
    if begun[-1] not in told:
        failed[begun[-1].partition(" Timeout (")[0].rstrip()] = "it ran when the time was over"
    return {
        "passed": list(told.values()).count("PASSED"),
        "failed": failed,
        "skipped": [],
        "skips": list(told.values()).count("SKIPPED"),
        "summary": [],
    }


FACT_ROWS = (
    ("what", "figure"),
    ("self-check",),
    ("float32 products, TF/s",),
    ("copies to, from, on it, GB/s",),
    ("a step of a layer, forward and back, µs",),
    ("a large window, TF/s",),
)
TEST_ROWS = (("what", "figure"), ("passed",), ("failed",), ("skipped",))
LEARNING_ROWS = (
    ("what", "figure"),
    *((each,) for each in ("text", "seconds", "updates", "characters/s", "sizes", "stream", "window of 256")),
    ("host's CPU, of one core",),
    ("device memory at the second evaluation and the most later, MiB",),
)
_SPEED_HEADER = (
    *("shape", "chargru, k ch/s", "by", "torch, k ch/s", "by", "ratio"),
    *("µs a step forward", "back", "floor of both"),
)
SPEED_ROWS = (_SPEED_HEADER, *((gpu_shapes.shape(*each),) for each in gpu_shapes.SPEED))
COMPILED_ROWS = SPEED_ROWS[:2]
_SAMPLING_HEADER = (
    *("model", "chargru, k ch/s", "µs a character", "torch, k ch/s", "ratio", "NumPy, k ch/s"),
    "s for 1,000 characters each",
)
SAMPLING_ROWS = (_SAMPLING_HEADER, *((gpu_shapes.rows(*each),) for each in gpu_shapes.SAMPLING))
_MEMORY_HEADER = ("shape", "foretold, MiB", "at first", "a third", "two thirds", "at the end")
MEMORY_ROWS = (_MEMORY_HEADER, *((gpu_shapes.shape(*each),) for each in gpu_shapes.MEMORY))
SANITIZER_ROWS = (("what", "figure"), ("found",))


def show_facts(found: dict[str, Any]) -> list[str]:
    rates = found["rates"]
    copies = " / ".join(f"{rates[name] / 1e9:.1f}" for name in ("to_device", "from_device", "on_device"))
    cells = (
        found["check"] or "passed",
        f"{rates['products'] / 1e12:.1f}",
        copies,
        f"{1e6 * found['step']:.1f}",
        f"{found['rate'] / 1e12:.1f}",
    )
    rows = [(name, cell) for (name,), cell in zip(FACT_ROWS[1:], cells, strict=True)]
    return [found["machine"], "", *table(("what", "figure"), rows)]


def show_tests(found: dict[str, Any]) -> list[str]:
    rows = [("passed", str(found["passed"])), ("failed", str(len(found["failed"]))), ("skipped", str(found["skips"]))]
    lines = table(("what", "figure"), rows)
    lines += [f"- FAILED {name}: {reason}" for name, reason in found["failed"].items()]
    lines += [f"- skipped: {reason}" for reason in found["skipped"]]
    lines += [f"- {line}" for line in found["summary"]]
    return [*lines, "", *(["```", *found["traces"], "```", ""] if found.get("traces") else [])]


def show_learning(found: dict[str, Any]) -> list[str]:
    def loss(value: float | None) -> str:
        return "" if value is None else f"{value:.4f}"

    rows = [
        ("text", f"{found['text']}, {found['characters']:,} characters"),
        ("seconds", f"{found['seconds']:.0f}, and {found['opening']:.1f} to begin"),
        ("updates", f"{found['updates']:,}, {found['recoveries']} recoveries"),
        ("characters/s", f"{found['rate']:,.0f}"),
        ("sizes", f"{found['sizes']}; {found['regularised']}; {found['precision']}"),
        ("stream", loss(found["stream"])),
        ("window of 256", loss(found["window"])),
        ("host's CPU, of one core", f"{100 * found['host']:.0f} %"),
        (LEARNING_ROWS[-1][0], f"{found['memory'][0] / 2**20:,.0f}, {found['memory'][1] / 2**20:,.0f}"),
    ]
    return table(("what", "figure"), rows)


def show_speed(found: list[dict[str, Any]]) -> list[str]:
    rows, notes = [], []
    for each in found:
        (H, B, T, L), rates, our, their = each["shape"], each["rates"], each["ours"], each["theirs"]
        shape = gpu_shapes.shape(H, B, T, L)
        rows.append(
            (
                shape,
                f"{rates[our] / 1e3:,.0f}" if our else "failed",
                our.removeprefix("chargru ") if our else "",
                f"{rates[their] / 1e3:,.0f}" if their else NOT_RUN,
                their.removeprefix("torch ") if their else "",
                f"**{rates[our] / rates[their]:.2f}×**" if our and their else "",
                *(f"{1e6 * each[name]:.1f}" if each.get(name) else "" for name in ("forward", "back", "floor")),
            )
        )
        notes.append(f"- {shape}: " + ", ".join(f"{name} {rate / 1e3:,.0f}" for name, rate in rates.items()))
        if "compiled" in "".join(rates):
            notes.append("- torch.compile leaves cuDNN's GRU as it is and compiles what stands around it")
        notes += [f"- {shape}: {name} failed: {reason}" for name, reason in each["failed"].items()]
        if tiles := each.get("tiles"):
            told = ", ".join(f"{name} {1e6 * seconds:.1f}" for name, seconds in tiles.items())
            notes.append(f"- {shape}: a step both ways in bf16 by tile (* those that are taken), µs: {told}")
    return [*table(_SPEED_HEADER, rows), *notes, ""]


def show_sampling(found: list[dict[str, Any]]) -> list[str]:
    rows = []
    for each in found:
        (H, L, count), rates = each["shape"], each["rates"]
        rows.append(
            (
                gpu_shapes.rows(H, L, count),
                f"{rates['chargru'] / 1e3:,.0f}",
                f"{1e6 * each['step']:.0f}",
                f"{rates['torch'] / 1e3:,.0f}" if "torch" in rates else NOT_RUN,
                f"**{rates['chargru'] / rates['torch']:.2f}×**" if "torch" in rates else "",
                f"{rates['numpy'] / 1e3:,.1f}" if "numpy" in rates else "",
                f"{each['long']:.2f}" if each.get("long") else "",
            )
        )
    return table(_SAMPLING_HEADER, rows)


def show_memory(found: list[dict[str, Any]]) -> list[str]:
    return table(
        _MEMORY_HEADER,
        [
            (
                gpu_shapes.shape(*each["shape"]),
                *(f"{size / 2**20:,.0f}" for size in (each["foretold"], *each["taken"])),
            )
            for each in found
        ],
    )


def show_sanitizer(found: Any) -> list[str]:
    return []  # it has no figures of its own: what it said last stands in the section


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def blank(part: Part) -> list[str]:
    """The table of a part that has no figures."""
    header, *rows = part.blank
    return table(header, [(*row, *[NOT_RUN] * (len(header) - len(row))) for row in rows])


def render(
    everything: list[Part], results: dict[str, dict[str, Any]], before: dict[str, list[str]] | None = None
) -> str:
    """The whole report; what is not in `results` has not been run, and stays what it was in `before`."""
    lines = ["# On a GPU", ""]
    if not results:
        lines += ["Never run: no GPU was at hand. `benchmarks/gpu_check.sh` fills this in.", ""]
    else:
        lines += [f"By `benchmarks/gpu_check.sh`, {time.strftime('%Y-%m-%d')}; the machine may be shared.", ""]
    for part in everything:
        result = results.get(part.name)
        if result is None and before and part.name in before:
            lines += before[part.name]
            continue
        ended = NOT_RUN if result is None else result["ended"]
        seconds = f" in {result['seconds']:.0f} s" if result and "seconds" in result else ""
        lines += [f"## {part.name}", "", f"{ended}{seconds}", ""]
        shown = show(part, result)
        lines += shown if shown is not None else blank(part)
        if result is not None and result.get("said") and (result.get("code") != 0 or part.show is show_sanitizer):
            lines += ["```", *result["said"], "```", ""]
    return "\n".join(lines).rstrip() + "\n"


def show(part: Part, result: dict[str, Any] | None) -> list[str] | None:
    """A part's figures; None when there are none, or not those that were expected."""
    if part.show is show_sanitizer and result is not None and "seconds" in result:
        return table(("what", "figure"), [("found", "nothing" if result["code"] == 0 else "see below")])
    if result is None or result.get("figures") is None:
        return None
    try:
        return part.show(result["figures"])
    except Exception:  # whatever a part wrote, the others' figures are shown
        return None


def sections(path: Path) -> dict[str, list[str]]:
    """The sections of a report that was written before, by their names; none of one that never ran."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if "Never run" in text:
        return {}
    found = {}
    for section in text.split("\n## ")[1:]:
        name, *lines = section.rstrip().splitlines()
        found[name] = [f"## {name}", *lines, ""]
    return found
