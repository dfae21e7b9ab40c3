"""Code for processors that are not this one: fewer registers, narrower vectors."""

from __future__ import annotations

import pytest

from chargru.engine.fused import choice, compiled_gru, compiled_output, compiler
from tests.engine import test_compiled_gru, test_compiled_output

pytestmark = pytest.mark.skipif(bool(choice.why_not()), reason=choice.why_not() or "compiled")


def assembly(triple: str, cpu: str, features: str, rows: int) -> str:
    import llvmlite.binding as llvm

    from chargru.engine.fused.cell_code import window_module
    from chargru.engine.fused.output_code import output_module
    from chargru.engine.fused.product_code import weight_module

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(triple).create_target_machine(cpu=cpu, features=features, opt=2)
    text = ""
    for module in (window_module(13, 128, rows), weight_module(128, rows), output_module(13, 128, 65, rows)):
        parsed = llvm.parse_assembly(str(module))
        parsed.verify()
        text += machine.emit_assembly(parsed)
    return text


@pytest.mark.parametrize(
    ("triple", "cpu", "features", "rows", "instruction", "register"),
    [
        ("x86_64-unknown-linux-gnu", "haswell", "", 6, "vfmadd", "%ymm"),
        ("x86_64-unknown-linux-gnu", "skylake-avx512", "-prefer-256-bit", 16, "vfmadd", "%zmm"),
        ("x86_64-unknown-linux-gnu", "znver4", "-prefer-256-bit", 16, "vfmadd", "%zmm"),
        ("aarch64-unknown-linux-gnu", "neoverse-n1", "", 6, "fmla", "v31"),
        ("arm64-apple-darwin", "apple-m1", "", 6, "fmla", "v31"),
    ],
    ids=["haswell", "skylake-avx512", "znver4", "neoverse-n1", "apple-m1"],
)
def test_it_compiles_for_processors_with_wide_registers(triple, cpu, features, rows, instruction, register):
    text = assembly(triple, cpu, features, rows)
    lines = [line for line in text.splitlines() if instruction in line]
    assert len(lines) > 100
    assert any(register in line for line in lines)


def forget():
    for compiled in (compiled_gru.window_functions, compiled_gru.weight_functions, compiled_output.output_functions):
        compiled.cache_clear()


@pytest.fixture
def narrow(monkeypatch):
    """Groups of six rows and vectors in two halves: what a processor without AVX-512 is given."""
    host = compiler.host()
    assert host is not None
    target = compiler.Target("haswell", "", 6) if "avx2" in host.features else host._replace(rows=6)
    monkeypatch.setattr(compiler, "host", lambda: target)
    forget()
    yield
    forget()


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("shape", [(5, 16, 64), (3, 17, 80), (9, 7, 96)], ids=str)
def test_fewer_registers_compute_the_same(shape):
    test_compiled_gru.test_a_window_is_the_references_forward_and_back(shape)
    test_compiled_output.test_it_is_the_plain_one((*shape, 37))


@pytest.mark.parametrize(
    ("rows", "most", "groups"),
    [
        (16, 16, [(1, 16)]),
        (32, 16, [(2, 16)]),
        (25, 16, [(1, 13), (1, 12)]),
        (1, 16, [(1, 1)]),
        (16, 6, [(1, 6), (2, 5)]),
    ],
)
def test_rows_are_dealt_out_evenly(rows, most, groups):
    from chargru.engine.fused.product_code import row_groups

    assert row_groups(rows, most) == groups
