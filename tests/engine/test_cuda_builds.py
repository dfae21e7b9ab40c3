"""Every kernel compiles for the GPUs of the last years, without one at hand, and takes no more than it should.

By nvcc where there is one, and by the nvrtc that CuPy's wheels bring, which is what compiles them on a user's machine.
What each kernel takes stands in the test run's summary.
"""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess

import pytest

from chargru.engine.fused.cell_launches import COLS, ROWS, WARPS, fused_source
from chargru.engine.fused.kernels import FOLDER, GRU
from chargru.engine.fused.tensor_launches import LOW, TILES, lower_source, tensor_source
from chargru.engine.fused.update_launches import THREADS
from tests.engine.cuda_on_cpu.emulator import kernel_names

ARCHITECTURES = ["sm_80", "sm_90", "sm_120"]
# Registers and shared bytes: two blocks of 256 threads fit into a multiprocessor, and more of others
USUAL = {**dict.fromkeys(("gru.cu", "fused.cu", "lower.cu"), (128, 20_000)), "tensor.cu": (128, 20_480)}
ALL = 255, 48 * 1024  # one block: large tiles are for products that fill every multiprocessor
LARGE = [tensor_source(precision, tile, ahead) for precision in LOW for tile in TILES[2:] for ahead in (1, 2)]
SOURCES = {
    "gru": [GRU],
    "fused": [fused_source(rows) for rows in ROWS],
    "lower": [lower_source(precision) for precision in ("bf16", "tf32")],
    # bf16 and tf32 take the same registers: one architecture with both, the others with each tile
    "tensor": [tensor_source("bf16", tile, 2) for tile in TILES],
    "tensor-all": [
        *(tensor_source("tf32", tile, 2) for tile in TILES[::2]),
        *(tensor_source("bf16", tile, 1) for tile in TILES),
    ],
}


def by_nvcc(source, architecture, tmp_path):
    nvcc = shutil.which("nvcc")
    if nvcc is None:
        pytest.skip("nvcc is not installed")
    known = subprocess.run([nvcc, "--list-gpu-code"], capture_output=True, text=True, check=True).stdout.split()
    if architecture not in known:
        pytest.skip(f"this nvcc does not know {architecture}")
    file = tmp_path / source.files[-1]
    file.write_text(source.text(), encoding="utf-8")
    command = [nvcc, "-cubin", f"-arch={architecture}", "-std=c++17", "-Xptxas=-v", "--Werror=all-warnings"]
    command += [*(f"-D{each}" for each in source.defines), "-o", str(tmp_path / "cubin"), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


CUPYS_OWN = ("-ftz=true", "--device-as-default-execution-space")  # what CuPy adds by itself


def by_nvrtc(source, architecture, _):
    try:
        nvrtc = importlib.import_module("cupy_backends.cuda.libs.nvrtc")
        known = nvrtc.getSupportedArchs()
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"CuPy with nvrtc is not installed ({type(error).__name__})")
    if int(architecture.removeprefix("sm_")) not in known:
        pytest.skip(f"this nvrtc does not know {architecture}")
    program = nvrtc.createProgram(source.text(), source.files[-1], (), ())
    defined = (f"-D{each}" for each in source.defines)
    options = (f"-arch={architecture}", "-std=c++17", *defined, *CUPYS_OWN, "--ptxas-options=-v")
    try:
        nvrtc.compileProgram(program, options)
    except nvrtc.NVRTCError:
        pytest.fail(nvrtc.getProgramLog(program))
    log = nvrtc.getProgramLog(program)
    assert "warning" not in log, log
    assert len(nvrtc.getCUBIN(program)) > (10_000 if source is GRU else 1_000)
    return log


def usage(log):
    """Registers, shared bytes and spilled bytes of each kernel, from what ptxas tells."""
    found = {}
    for part in log.split("Compiling entry function '")[1:]:
        name = part.partition("'")[0]
        shared = re.search(r"(\d+) bytes smem", part)
        spills = sum(map(int, re.findall(r"(\d+) bytes spill", part)))
        found[name] = (int(re.search(r"Used (\d+) registers", part)[1]), int(shared[1]) if shared else 0, spills)
    return found


@pytest.mark.long
@pytest.mark.parametrize("compiler", [by_nvcc, by_nvrtc])
@pytest.mark.parametrize(
    ("architecture", "sources"),
    [(each, name) for each in ARCHITECTURES for name in SOURCES if name != "tensor-all" or each == "sm_90"],
)
def test_every_kernel_compiles(architecture, sources, compiler, tmp_path, record_property):
    for source in SOURCES[sources]:
        found = usage(compiler(source, architecture, tmp_path))
        told = ", ".join(f"{name} {' '.join(map(str, numbers))}" for name, numbers in sorted(found.items()))
        about = " ".join((architecture, compiler.__name__, source.files[-1], *source.defines))
        record_property("summary", f"{about} (registers, shared bytes, spilled bytes): {told}")
        assert set(found) == set(kernel_names(source.text()))
        most_registers, most_shared = ALL if source in LARGE else USUAL[source.files[-1]]
        for name, (registers, shared, spilled) in found.items():
            assert registers <= most_registers, (about, name)
            assert shared <= most_shared, (about, name)
            assert spilled == 0, (about, name)


def test_usage_reads_what_ptxas_writes():
    log = """ptxas info    : Compiling entry function 'draw' for 'sm_90'
ptxas info    : Function properties for draw
ptxas         .     8 bytes stack frame, 4 bytes spill stores, 12 bytes spill loads
ptxas info    : Used 64 registers, used 1 barriers, 5136 bytes smem
ptxas info    : Compiling entry function 'adam' for 'sm_90'
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 23 registers, used 0 barriers"""
    assert usage(log) == {"draw": (64, 5136, 16), "adam": (23, 0, 0)}


def test_the_tiles_are_those_of_the_source():
    source = GRU.text() + fused_source(8).text()
    for name, value in {"COLS": COLS, "WARPS": WARPS, "THREADS": THREADS}.items():
        assert re.search(rf"#define {name} +(\d+)", source)[1] == str(value)


def test_sources_are_plain_text():
    files = {name for group in SOURCES.values() for source in group for name in source.files}
    assert files == {path.name for path in FOLDER.iterdir() if path.suffix in (".cu", ".cuh")}
    assert all((FOLDER / name).read_text(encoding="utf-8").isascii() for name in files)
