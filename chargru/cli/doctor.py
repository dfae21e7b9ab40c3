"""`chargru doctor`: what this machine can do for a training, and what stands in its way."""

from __future__ import annotations

from typing import Any

import click

from chargru.cli.numbers import size
from chargru.cli.options import debug_option, json_option
from chargru.cli.output import put_line, put_record


@click.command(
    short_help="Tell what this machine can do.",
    epilog="""\b
Examples:
  chargru doctor
  chargru doctor --json
""",
)
@json_option
@debug_option
def doctor(as_json: bool) -> None:
    """Tell what this machine can do: NumPy and its BLAS, cores, memory, GPU, terminal, disk.

    Measures matrix products for about a third of a second, on a GPU copies and the self-check too. Nothing is sent
    anywhere, and nothing is written but CuPy's own cache of compiled kernels.
    """
    from chargru.cli.machine import look

    found = look()
    if as_json:
        put_record(found)
        return
    for name, value in describe(found):
        put_line(f"{name:<10} {value}")


def describe(found: dict[str, Any]) -> list[tuple[str, str]]:
    """The findings as named lines."""
    blas = [
        f"{each['name']} {each['version']}, {each['threads']} threads, {each['kernels']} kernels"
        for each in found["blas"]
    ]
    memory = "unknown" if found["memory"] is None else size(found["memory"])
    if found["memory_free"] is not None:
        memory += f", {size(found['memory_free'])} free"
    runs, choices = found["runs"], found["choices"]
    disk = f"{size(runs['disk_free'])} free" + ("" if runs["writable"] else "; CANNOT BE WRITTEN TO, use --out DIR")
    return [
        ("chargru", f"{found['chargru']} on Python {found['python']}, {found['system']}"),
        ("numpy", f"{found['numpy'] or 'unknown version'}"),
        ("blas", "; ".join(blas) or "none that could be identified"),
        ("compiled", _compiled(found["compiled"])),
        ("cores", f"{found['cores']} this process may use; {found['processor']}"),
        ("memory", memory),
        ("speed", f"{found['sgemm_gflops']:.0f} GF/s in single-precision matrix products"),
        ("gpu", _gpu(found)),
        ("terminal", _terminal(found["terminal"])),
        ("runs", f"{runs['path']} ({disk})"),
        ("choices", f"{choices['path']} ({'what the app remembers' if choices['exists'] else 'not written yet'})"),
    ]


def _compiled(found: dict[str, str]) -> str:
    if found["reason"]:
        return f"nothing, training runs in NumPy's loops: {found['reason']}"
    return f"the loops of training, for {found['for']} by {found['compiler']}; they passed the self-check"


def _gpu(found: dict[str, Any]) -> str:
    path = found["gpu_path"]
    if not path["used"]:
        gpu = found["gpu"] or "no NVIDIA GPU seen"
        cupy = f"CuPy {found['cupy']} installed" if found["cupy"] else "CuPy not installed"
        reason = path["reason"].removeprefix("computing on the processor: ")
        return f"{gpu}, {cupy}; training uses NumPy" + (f": {reason}" if reason and found["gpu"] else "")
    cuda = f"CUDA {path['driver_cuda']}"
    driver = f"driver {path['driver']} ({cuda})" if path["driver"] else cuda
    does = f"not measured: {path['unmeasured']}"
    if not path["unmeasured"]:
        does = (
            f"{path['products_tflops']:.1f} TF/s in single-precision products, copies {path['to_device_gbs']:.1f} GB/s "
            f"to it, {path['from_device_gbs']:.1f} from it, {path['on_device_gbs']:.0f} on it"
        )
    return (
        f"{path['name']}, used for training; compute capability {path['compute_capability']}, "
        f"{size(path['memory'])}, {size(path['memory_free'])} free; {driver}, CuPy {path['cupy']} "
        f"for CUDA {path['cupy_cuda']}, {path['libraries']}; {does}; it passed the self-check"
    )


def _terminal(found: dict[str, Any]) -> str:
    if not found["stdout"]:
        return f"none: stdout is a file or a pipe ({found['encoding']})"
    colour = "no colour wanted (NO_COLOR)" if found["no_color"] else "true colour" if found["truecolor"] else "colour"
    if found["term"] in (None, "dumb"):
        colour = "no colour"
    wide = found["encoding"].lower().replace("-", "").startswith("utf")
    letters = found["encoding"] + ("" if wide else ": other scripts and the chart need UTF-8")
    small = "; small, the app wants 80 x 24" if found["columns"] < 80 or found["rows"] < 24 else ""
    return f"{found['columns']} x {found['rows']}, {colour}, {letters}{small}"
