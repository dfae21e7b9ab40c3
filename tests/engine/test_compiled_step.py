"""A compiled step against the steps of NumPy in float64, in shapes whose panels do not come out even."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.config import ModelConfig
from chargru.engine import Parameters, Stepper
from chargru.engine.fused import choice, compiled_step
from chargru.engine.fused.step_layout import PANEL, laid_out, step_layout

pytestmark = pytest.mark.skipif(bool(choice.why_not()), reason=choice.why_not() or "compiled")

# (characters, units, layers): one vector of characters and just more, panels of 16, 32 and 64 columns, three layers
SHAPES = [(1, 64, 1), (16, 64, 2), (17, 80, 1), (65, 96, 2), (5, 112, 3), (130, 128, 1)]
QUICK = SHAPES[:3]


def models(V, H, L):
    config = ModelConfig(vocab_size=V, hidden_size=H, num_layers=L)
    small = Parameters.initial(config, 1)
    small.flat += np.random.default_rng(2).normal(0, 0.1, small.flat.shape).astype(np.float32)
    return small, Parameters(config, np.float64, small.flat.astype(np.float64))


@pytest.mark.parametrize(
    "shape", [each if each in QUICK else pytest.param(each, marks=pytest.mark.long) for each in SHAPES], ids=str
)
def test_steps_are_those_of_numpy(shape):
    V = shape[0]
    small, large = models(*shape)
    stepper, right = Stepper(small), Stepper(large)
    assert stepper._row is not None
    assert right._row is None
    for each in np.random.default_rng(3).integers(0, V, 30):
        found, expected = stepper.step(np.array([each])), right.step(np.array([each]))
        assert found.shape == (1, V)
        assert found is stepper.logits
        np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(stepper.h, right.h, atol=1e-5)


@pytest.mark.long
def test_logits_of_a_state_that_was_put_back_are_those_of_the_step():
    small, _ = models(17, 80, 2)
    stepper = Stepper(small)
    for each in (1, 2, 3):
        after = stepper.step(np.array([each])).copy()
    kept = stepper.h.copy()
    stepper.step(np.array([4]))
    stepper.h[:] = kept
    np.testing.assert_array_equal(stepper.predict(), after)


def test_characters_beyond_the_weights_are_refused():
    stepper = Stepper(models(17, 80, 1)[0])
    for wrong in (17, -1):
        with pytest.raises(IndexError):
            stepper.step(np.array([wrong]))


def test_steppers_do_not_disturb_each_other():
    small, _ = models(17, 80, 2)
    one = Stepper(small)
    other = Stepper(small, like=one)
    alone = [Stepper(small).step(np.array([each])).copy() for each in (3, 5)]
    assert other._weights.laid_out is one._weights.laid_out
    np.testing.assert_array_equal(one.step(np.array([3])), alone[0])
    np.testing.assert_array_equal(other.step(np.array([5])), alone[1])
    np.testing.assert_array_equal(one.logits, alone[0])


def test_every_weight_has_its_place():
    for V, H, L in SHAPES:
        config = ModelConfig(vocab_size=V, hidden_size=H, num_layers=L)
        parameters = Parameters.initial(config, 1)
        parameters.flat[:] = np.arange(1, parameters.flat.size + 1)
        weights, layout = laid_out(parameters), step_layout(config)
        assert weights.ctypes.data % (1 << 21) == 0
        assert len(weights) == layout.size
        first = H * H + V * H  # of each gate: U, and for each character its W with the bias
        above = 2 * H * H + H
        assert layout.size == 3 * (first + (L - 1) * above) + (H + 1) * layout.padded
        U = parameters["layers.0.U_zr"]
        width = min(PANEL, H)
        np.testing.assert_array_equal(weights[:width], 0.5 * U[0, :width])
        np.testing.assert_array_equal(weights[width : 2 * width], 0.5 * U[1, :width])
        bias = layout.places[0].bias
        row = parameters["layers.0.W"][V - 1] + parameters["layers.0.b"]
        np.testing.assert_array_equal(weights[bias + 3 * H * (V - 1) :][: 3 * H], row * np.repeat([0.5, 0.5, 1], H))


def test_a_wrong_step_is_found_out(monkeypatch):
    assert compiled_step.is_right()
    right = compiled_step.laid_out
    monkeypatch.setattr(compiled_step, "laid_out", lambda parameters: right(parameters) * np.float32(1.01))
    compiled_step.is_right.cache_clear()
    assert not compiled_step.is_right()
    assert Stepper(models(17, 80, 1)[0])._row is None
    compiled_step.is_right.cache_clear()


def test_numpy_steps_where_nothing_is_compiled(monkeypatch):
    small, large = models(17, 80, 2)
    monkeypatch.setenv(choice.SWITCH, "0")
    stepper, right = Stepper(small), Stepper(large)
    assert stepper._row is None
    for each in (3, 1, 4, 1, 5):
        np.testing.assert_allclose(stepper.step(np.array([each])), right.step(np.array([each])), atol=1e-5)
