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

from chargru.engine.fused.cell_launches import COLS, ROWS, WARPS
from chargru.engine.fused.kernels import SOURCE
from chargru.engine.fused.update_launches import THREADS
from tests.engine.cuda_on_cpu.emulator import kernel_names

ARCHITECTURES = ["sm_80", "sm_90", "sm_120"]
REGISTERS, SHARED_BYTES = 128, 20_000  # so that two blocks of 256 threads fit into a multiprocessor, and more of others


def by_nvcc(architecture, tmp_path):
    nvcc = shutil.which("nvcc")
    if nvcc is None:
        pytest.skip("nvcc is not installed")
    known = subprocess.run([nvcc, "--list-gpu-code"], capture_output=True, text=True, check=True).stdout.split()
    if architecture not in known:
        pytest.skip(f"this nvcc does not know {architecture}")
    command = [nvcc, "-cubin", f"-arch={architecture}", "-std=c++17", "-Xptxas=-v", "--Werror=all-warnings"]
    command += ["-o", str(tmp_path / "gru.cubin"), str(SOURCE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


CUPYS_OWN = ("-ftz=true", "--device-as-default-execution-space")  # what CuPy adds by itself


def by_nvrtc(architecture, _):
    try:
        nvrtc = importlib.import_module("cupy_backends.cuda.libs.nvrtc")
        known = nvrtc.getSupportedArchs()
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"CuPy with nvrtc is not installed ({type(error).__name__})")
    if int(architecture.removeprefix("sm_")) not in known:
        pytest.skip(f"this nvrtc does not know {architecture}")
    program = nvrtc.createProgram(SOURCE.read_text(encoding="utf-8"), SOURCE.name, (), ())
    options = (f"-arch={architecture}", "-std=c++17", *CUPYS_OWN, "--ptxas-options=-v")
    try:
        nvrtc.compileProgram(program, options)
    except nvrtc.NVRTCError:
        pytest.fail(nvrtc.getProgramLog(program))
    log = nvrtc.getProgramLog(program)
    assert "warning" not in log, log
    assert len(nvrtc.getCUBIN(program)) > 10_000
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
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_kernel_compiles(architecture, compiler, tmp_path, record_property):
    found = usage(compiler(architecture, tmp_path))
    told = ", ".join(f"{name} {' '.join(map(str, numbers))}" for name, numbers in sorted(found.items()))
    record_property("summary", f"{architecture} {compiler.__name__} (registers, shared bytes, spilled bytes): {told}")
    assert set(found) == set(kernel_names(SOURCE.read_text(encoding="utf-8")))
    for name, (registers, shared, spilled) in found.items():
        assert registers <= REGISTERS, name
        assert shared <= SHARED_BYTES, name
        assert spilled == 0, name


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
    source = SOURCE.read_text(encoding="utf-8")
    for name, value in {"ROWS": ROWS, "COLS": COLS, "WARPS": WARPS, "THREADS": THREADS}.items():
        assert re.search(rf"#define {name} (\d+)", source)[1] == str(value)
    assert source.isascii()
