"""What computes a window here, and why it is not compiled code where it is not."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.engine.fused import choice, compiled_gru, compiler
from chargru.engine.fused.compiled_gru import CompiledGru, CompiledLayer
from chargru.engine.fused.compiled_output import CompiledOutput, CompiledOutputWeights
from chargru.engine.fused.numpy_gru import PackedLayer, SequenceGru
from chargru.engine.output import OutputWeights, SoftmaxOutput

pytestmark = pytest.mark.skipif(bool(choice.why_not()), reason=choice.why_not() or "compiled")


@pytest.mark.parametrize(
    ("units", "dtype", "kind"),
    [(64, np.float32, CompiledGru), (256, np.float32, CompiledGru), (48, np.float32, SequenceGru),
     (72, np.float32, SequenceGru), (64, np.float64, SequenceGru)],
)  # fmt: skip
def test_what_is_compiled(units, dtype, kind):
    assert type(choice.sequence(2, 2, units, dtype, train=True)) is kind
    weights = choice.layer_weights(5, units, dtype, first=True, train=True)
    assert type(weights) is (CompiledLayer if kind is CompiledGru else PackedLayer)
    assert weights.W.shape == (3, 5, units)  # of the first layer rows are gathered
    compiled = kind is CompiledGru
    assert type(choice.softmax_output(2, 2, units, 5, dtype)) is (CompiledOutput if compiled else SoftmaxOutput)
    assert type(choice.output_weights(units, 5, dtype)) is (CompiledOutputWeights if compiled else OutputWeights)


def test_a_reason_for_numpys_loops_is_told(monkeypatch):
    assert choice.missed(64, np.float32) == ""
    monkeypatch.setenv(choice.SWITCH, "0")
    assert choice.missed(64, np.float32).endswith("CHARGRU_COMPILED is 0")
    assert choice.missed(48, np.float32) == ""  # would not be compiled anyway
    monkeypatch.delenv(choice.SWITCH)
    with monkeypatch.context() as patched:
        patched.setattr(compiler, "host", lambda: None)
        assert "AVX2" in choice.why_not()
    with monkeypatch.context() as patched:
        patched.setattr(compiler, "installed", lambda: False)
        assert choice.why_not() == "llvmlite is not installed"
        assert not choice.compiles(256, np.float32)


@pytest.fixture
def unproven():
    choice._problem.cache_clear()
    yield
    choice._problem.cache_clear()


@pytest.mark.usefixtures("unproven")
@pytest.mark.parametrize(
    ("kind", "function", "wrong"),
    [
        (CompiledGru, "backward", lambda self, weights: self.da.fill(0.1)),
        (CompiledOutput, "gradients", lambda self, *arguments: arguments[-1].fill(0.1)),
        (CompiledOutput, "gradients", lambda self, *arguments: arguments[-1].fill(np.inf)),
        (CompiledOutput, "gradients", lambda self, *arguments: arguments[-1].fill(np.nan)),
    ],
)
def test_a_compiler_that_errs_is_found_out(monkeypatch, kind, function, wrong):
    monkeypatch.setattr(kind, function, wrong)
    assert "something else" in choice.why_not()
    assert not choice.compiles(256, np.float32)


@pytest.mark.usefixtures("unproven")
def test_a_system_that_does_not_let_code_be_made_is_told_of(monkeypatch):
    def forbidden(*sizes):
        raise RuntimeError("Unable to allocate memory for code\nand more")

    monkeypatch.setattr(compiled_gru, "window_functions", forbidden)
    assert choice.why_not() == "compiling failed: Unable to allocate memory for code"
