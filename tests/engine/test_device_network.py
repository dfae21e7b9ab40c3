"""The whole GPU path of a window, on the processor, against the float64 reference: every variant, every gradient."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.config import ModelConfig
from chargru.engine import Network, Parameters, Regularization
from chargru.engine.device_memory import network_bytes
from chargru.engine.device_network import DeviceNetwork
from chargru.engine.dropout import kept_levels
from chargru.engine.fused import window_launches as into
from tests.engine.cuda_on_cpu import emulated_device, needs_compiler, philox

pytestmark = needs_compiler

# L, V, H, T, B
SHAPES = [
    pytest.param(*sizes, id="-".join(map(str, sizes)))
    for sizes in [
        (1, 2, 5, 3, 1),
        (2, 2, 33, 4, 3),
        (3, 7, 16, 5, 17),
        (1, 300, 40, 6, 19),
        (2, 300, 70, 3, 5),
        (2, 3, 8, 1, 2),
    ]
]

# What rounding may change: a gradient, of its largest number; the loss, of itself; a state.
TOLERANCE = {"float32": (1e-4, 1e-5, 1e-5), "tf32": (2e-3, 1e-4, 5e-4), "bf16": (1.5e-2, 1e-3, 4e-3)}
OF_EACH_LOSS = {"float32": 1e-5, "tf32": 3e-4, "bf16": 3e-3}
WAYS = [("float32", "gemm"), ("float32", "fused"), ("tf32", "tensor"), ("bf16", "tensor")]
every_way = pytest.mark.parametrize(("precision", "variant"), WAYS)


class Problem:
    """A random network with a window of text and a state that is not zero, on host and device."""

    def __init__(self, L, V, H, T, B, variant="fused", order=0, edit=None, precision="float32", **keywords):
        self.rng = np.random.default_rng(L + V + H + T + B)
        self.config = ModelConfig(vocab_size=V, hidden_size=H, num_layers=L)
        self.host = Parameters.initial(self.config, 1)
        self.host.flat += self.rng.normal(0, 0.1, self.host.flat.shape).astype(np.float32)
        self.inputs, self.targets = self.rng.integers(0, V, (2, T, B))
        self.h0 = self.rng.normal(0, 0.5, (L, B, H)).astype(np.float32)
        self.device = emulated_device(precision, order, edit)
        self.parameters = Parameters(self.config, buffer=self.device.array(self.host.flat))
        self.ids = [self.device.array(each.astype(np.int32)) for each in (self.inputs, self.targets)]
        self.network = DeviceNetwork(self.device, self.config, B, T, variant=variant, **keywords)
        self.network.state[...] = self.h0

    def reference(self, train=True):
        """The NumPy network in float64 and its parameters."""
        T, B = self.inputs.shape
        network = Network(self.config, B, T, np.float64, train=train)
        network.state[:] = self.h0
        return network, Parameters(self.config, np.float64, self.host.flat.astype(np.float64))


def check_gradients(problem, expected, loss, expected_loss):
    tolerance, of_loss, _ = TOLERANCE[problem.device.precision]
    assert float(loss) == pytest.approx(expected_loss, rel=of_loss)
    for name in expected:
        found, wanted = problem.network.gradients[name], expected[name]
        assert np.abs(found - wanted).max() <= tolerance * np.abs(wanted).max(), name
    problem.device.xp.check()


@every_way
@pytest.mark.parametrize(("L", "V", "H", "T", "B"), SHAPES)
def test_loss_and_every_gradient(L, V, H, T, B, precision, variant):
    problem = Problem(L, V, H, T, B, variant, precision=precision)
    network, parameters = problem.reference()
    for _ in range(2):  # the state of the first window is where the second begins
        expected = network.loss_and_gradients(parameters, problem.inputs, problem.targets)
        loss = problem.network.loss_and_gradients(problem.parameters, *problem.ids)
        check_gradients(problem, network.gradients, loss, expected)
        np.testing.assert_allclose(problem.network.state, network.state, atol=TOLERANCE[precision][2])
    used = problem.device.launcher.launched
    kernels = {"gru_gates": "fused", "gate_zr": "gemm", "tensor_gates": "tensor"}
    assert [kernels[each] for each in kernels if each in used] == [variant]


@every_way
def test_every_gradient_with_masks(precision, variant, monkeypatch):
    problem = Problem(2, 9, 21, 4, 5, variant, precision=precision)
    drop = Regularization(dropout=0.3, weight_drop=0.25, seed=2**40 + 3, step=17)
    L, H, (T, B) = 2, 21, problem.inputs.shape
    masks = [philox.mask(drop.seed, drop.step, into.OUTPUT_MASK, kept_levels(0.3), (T, B, H))]
    for layer in range(L):
        for i, width in enumerate((2 * H, H)):
            part = into.WEIGHT_MASKS + 2 * layer + i
            masks.append(philox.mask(drop.seed, drop.step, part, kept_levels(0.25), (H, width)))
    given = {mask.shape: [] for mask in masks}
    for mask in masks:
        given[mask.shape].append(mask)

    def fill(rng, rate, out):
        out[...] = given[out.shape].pop(0)

    monkeypatch.setattr("chargru.engine.shard.fill_mask", fill)
    network, parameters = problem.reference()
    expected = network.loss_and_gradients(parameters, problem.inputs, problem.targets, drop)
    assert not any(given.values()), "a mask was not used"
    loss = problem.network.loss_and_gradients(problem.parameters, *problem.ids, drop)
    check_gradients(problem, network.gradients, loss, expected)


@every_way
@pytest.mark.parametrize("train", [True, False])
def test_losses_without_gradients(precision, variant, train):
    problem = Problem(2, 30, 20, 5, 3, variant, precision=precision, train=train)
    network, parameters = problem.reference(train=False)
    for pack in (True, False):
        expected = network.losses(parameters, problem.inputs, problem.targets)
        found = problem.network.losses(problem.parameters, *problem.ids, pack=pack)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=OF_EACH_LOSS[precision], atol=1e-6)
    problem.device.xp.check()


def test_weights_that_have_changed_are_seen_when_packed():
    problem = Problem(1, 5, 8, 3, 2)
    first = problem.network.losses(problem.parameters, *problem.ids)
    problem.parameters["layers.0.U_h"][...] *= 0.5
    problem.network.state[...] = problem.h0
    assert np.array_equal(problem.network.losses(problem.parameters, *problem.ids, pack=False), first)
    problem.network.state[...] = problem.h0
    assert not np.allclose(problem.network.losses(problem.parameters, *problem.ids), first)


def test_other_parameters_are_other_parameters():
    problem = Problem(1, 5, 8, 3, 2)
    others = [Parameters(problem.config, buffer=problem.parameters.flat * factor) for factor in (1.0, 0.5, 0.0)]
    found = []
    for parameters in (*others, *others):
        problem.network.state[...] = problem.h0
        found.append(problem.network.losses(parameters, *problem.ids))
    assert all(np.array_equal(found[i], found[i + 3]) for i in range(3))
    assert not np.allclose(found[0], found[1])
    np.testing.assert_allclose(found[2], np.log(5), rtol=1e-6)


@every_way
def test_no_order_of_threads_changes_a_bit(precision, variant):
    found = []
    for order in (0, 1, 5):
        problem = Problem(2, 12, 37, 3, 18, variant, order, precision=precision)
        problem.network.loss_and_gradients(problem.parameters, *problem.ids, Regularization(0.2, 0.2, 1, 2))
        found.append((problem.network.gradients.flat.tobytes(), problem.network.state.tobytes()))
    assert found[0] == found[1] == found[2]


@every_way
@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize(("L", "V", "H", "T", "B"), SHAPES)
def test_bytes_are_what_is_allocated(L, V, H, T, B, train, precision, variant):
    problem = Problem(L, V, H, T, B, variant, precision=precision, train=train)
    allocated = problem.device.xp.taken
    assert allocated == network_bytes(problem.config, B, T, precision, train=train)
    assert allocated <= network_bytes(problem.config, B, T, train=train)  # whatever is multiplied


def test_ids_of_another_shape_or_type_are_refused():
    problem = Problem(1, 5, 8, 3, 2)
    inputs, targets = problem.ids
    for wrong in (inputs.astype(np.int64), inputs[:2], np.asfortranarray(inputs)):
        with pytest.raises(ValueError, match="ids"):
            problem.network.losses(problem.parameters, wrong, targets)
    with pytest.raises(ValueError, match="variant"):
        Problem(1, 5, 8, 3, 2, variant="fussed")
