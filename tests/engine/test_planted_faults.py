"""Faults planted into the engine's source make the suite fail: the checks above have teeth.

Each fault is a real mistake that a GRU of somebody's has had. The mutated module replaces the right one for the length
of one test, and the oracle checks must then raise.
"""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from chargru.engine import gru, shard
from chargru.engine.fused import numpy_gru, sequence
from tests.engine import test_gru, test_network

# (what goes wrong, module, right source, wrong source)
FAULTS = [
    ("gates swapped", numpy_gru, "multiply(r, h, s)", "multiply(z, h, s)"),
    ("update gate flipped", numpy_gru, "multiply(z, d, h_next)", "multiply(1 - z, d, h_next)"),
    (
        "reset after the product",
        numpy_gru,
        "matmul(s_rows, U_h, single_blocks)",
        "matmul(h_rows, U_h, single_blocks); multiply(single, r, single)",
    ),
    ("bias missing above the first layer", sequence, "self.a[gate] += weights.b[gate]", "pass"),
    ("bias missing in the first layer", shard, "packed.W += packed.b", "pass"),
    ("back-propagation cut at every step", numpy_gru, "add(g, carried, g)", "carried.fill(0)"),
    ("reset gate's path back forgotten", numpy_gru, "add(carried, ds, carried)", "pass"),
    ("update gate's path back forgotten", numpy_gru, "add(carried, first, carried)", "pass"),
    ("recurrent weights not trained", sequence, "before, da = self.h[:T]", "before, da = 0 * self.h[:T]"),
    ("states after, not before, the step", sequence, "before, da = self.h[:T]", "before, da = self.h[1:]"),
    ("dropout mask forgotten on the way back", shard, "self.layers[last].dh *= self._mask", "pass"),
]


def mutated(module, right, wrong):
    source = inspect.getsource(module)
    assert source.count(right) >= 1, f"the planted fault no longer fits the source: {right}"
    namespace = {"__name__": module.__name__}
    exec(compile(source.replace(right, wrong), module.__file__, "exec"), namespace)
    return namespace


def plant(monkeypatch, module, right, wrong):
    for name, value in mutated(module, right, wrong).items():
        if inspect.isclass(value) and value.__module__ == module.__name__:
            for attribute in vars(getattr(module, name)):
                function = vars(value).get(attribute)
                if inspect.isfunction(function):
                    if "__class__" in function.__code__.co_freevars:  # what super() looks at
                        place = function.__code__.co_freevars.index("__class__")
                        function.__closure__[place].cell_contents = getattr(module, name)
                    monkeypatch.setattr(getattr(module, name), attribute, function)


def checks():
    """The oracles: the naive forward pass, central differences, and the readable reference."""
    test_network.test_forward_is_the_naive_one(1)
    parameters = test_network.problem(2, L=2, T=4, B=3, H=4, V=4)
    test_network.check_gradients(*parameters)
    test_network.check_gradients(*parameters, drop=test_network.Regularization(0.4, 0.0, seed=1, step=1))
    test_gru.test_fused_is_the_reference_forward_and_back(3)


def test_without_a_fault_the_checks_pass():
    checks()


@pytest.mark.parametrize(("name", "module", "right", "wrong"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_planted_fault_is_found(monkeypatch, name, module, right, wrong):
    plant(monkeypatch, module, right, wrong)
    with pytest.raises(AssertionError), np.errstate(all="ignore"):
        checks()


REFERENCE_FAULTS = [
    ("gates swapped", "z, r = zr[:, :H], zr[:, H:]", "r, z = zr[:, :H], zr[:, H:]"),
    ("reset after", "(r * h) @ U_h", "r * (h @ U_h)"),
    ("z kept instead of updated", "(1 - z) * h + z * h_tilde", "z * h + (1 - z) * h_tilde"),
]


@pytest.mark.parametrize(("name", "right", "wrong"), REFERENCE_FAULTS, ids=[fault[0] for fault in REFERENCE_FAULTS])
def test_planted_fault_in_the_reference_is_found_by_onnx(monkeypatch, name, right, wrong):
    monkeypatch.setattr(gru, "sequence_forward", mutated(gru, right, wrong)["sequence_forward"])
    with pytest.raises(AssertionError):
        test_gru.test_reference_is_the_onnx_gru_with_z_flipped((7, 3, 5, 4))
