"""The flat buffer and its views."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.config import ModelConfig
from chargru.engine import Parameters, parameter_count, parameter_shapes

CONFIG = ModelConfig(vocab_size=7, hidden_size=4, num_layers=2)


def test_views_cover_the_buffer_once():
    parameters = Parameters(CONFIG)
    for number, name in enumerate(parameters):
        parameters[name][:] += 1 + number
    assert (parameters.flat > 0).all()
    total = sum((1 + number) * parameters[name].size for number, name in enumerate(parameters))
    assert parameters.flat.sum() == total
    assert parameter_count(CONFIG) == parameters.flat.size == sum(parameters[name].size for name in parameters)


def test_shapes_are_those_of_the_equations():
    assert parameter_shapes(CONFIG) == {
        "layers.0.W": (7, 12),
        "layers.0.U_zr": (4, 8),
        "layers.0.U_h": (4, 4),
        "layers.0.b": (12,),
        "layers.1.W": (4, 12),
        "layers.1.U_zr": (4, 8),
        "layers.1.U_h": (4, 4),
        "layers.1.b": (12,),
        "output.W_y": (4, 7),
        "output.b_y": (7,),
    }


def test_start_is_orthogonal_per_gate_with_a_long_memory():
    parameters = Parameters.initial(CONFIG, seed=1, dtype=np.float64)
    for layer in range(2):
        for gate in "zrh":
            U = parameters.gate(layer, "U", gate)
            np.testing.assert_allclose(U @ U.T, np.eye(4), atol=1e-12)
        assert (parameters.gate(layer, "b", "z") == -1).all()
        assert (parameters.gate(layer, "b", "r") == 0).all()


def test_same_seed_same_start():
    first, again, other = (Parameters.initial(CONFIG, seed).flat for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_given_buffer_is_used_not_copied():
    buffer = np.zeros(parameter_count(CONFIG), np.float32)
    Parameters(CONFIG, buffer=buffer)["output.b_y"][:] = 3
    assert buffer[-7:].tolist() == [3] * 7
    with pytest.raises(ValueError, match="numbers is needed"):
        Parameters(CONFIG, buffer=buffer[1:])
