"""From a request to a training on a GPU, which here is the kernels on the processor, and to the other backend."""

from __future__ import annotations

import dataclasses

import pytest

from chargru.config import ModelConfig, TrainingConfig, TrainRequest
from chargru.engine import Backend
from chargru.errors import BackendError, ConfigError
from chargru.events import Notice, Started
from chargru.storage.checkpoint import load
from chargru.training import backends
from chargru.training.device_learner import DeviceLearner
from chargru.training.device_place import OnDevice
from chargru.training.device_speed import DeviceSpeed
from chargru.training.learner import Learner
from chargru.training.session import open_session
from tests.engine.cuda_on_cpu import emulated_device, needs_compiler

pytestmark = [needs_compiler, pytest.mark.long]

TEXT = "the rain fell on the walls of the old harbour, and nobody came. " * 40
SMALL = {"hidden_size": 12, "num_layers": 1, "batch_size": 3, "seq_len": 8, "evaluations": 2}


@pytest.fixture
def gpu(monkeypatch):
    """A machine with a GPU: what was asked of it, and what it is."""
    asked = []

    def choose(name, precision="float32", verify=None):
        asked.append((name, precision))
        if name == "numpy":
            return Backend("numpy", "a processor")
        return Backend("cupy", "Imaginary GPU", gpu=emulated_device(precision))

    monkeypatch.setattr(backends, "choose_backend", choose)
    monkeypatch.setattr(backends, "device_speed", lambda device: DeviceSpeed(8e-6, 30e12))
    return asked


@pytest.fixture
def request_of(tmp_path):
    """A request for the text of these tests, in runs of their own."""
    text = tmp_path / "text.txt"
    text.write_text(TEXT)

    def make(**settings):
        return TrainRequest(**({"corpus": str(text), "out": str(tmp_path / "runs"), "name": "r"} | settings))

    return make


def again(request, **settings):
    return TrainRequest(resume="r", out=request.out, **settings)


def test_auto_takes_the_gpu_and_started_says_so(gpu, request_of):
    events = list(open_session(request_of(steps=4, **SMALL)).run())
    assert gpu == [("auto", "float32")]
    started = events[0]
    assert isinstance(started, Started)
    assert (started.backend, started.device) == ("cupy", "Imaginary GPU")
    assert events[-1].steps == 4
    assert not [event for event in events if isinstance(event, Notice) and "processor" in event.message]


def test_numpy_is_had_where_there_is_a_gpu(gpu, request_of):
    trainer = open_session(request_of(steps=4, backend="numpy", **SMALL))
    assert isinstance(trainer.learner, Learner)


def test_sizes_are_chosen_for_the_gpu(gpu, request_of):
    trainer = open_session(request_of(steps=2_000))
    assert (trainer.model.hidden_size, trainer.model.num_layers) == (128, 1)  # the text is short for more
    assert isinstance(trainer.learner, DeviceLearner)
    timed = open_session(request_of(time=60, name="timed"))
    assert timed.training.batch_size * timed.training.seq_len * 2 <= len(TEXT)


def test_a_training_with_a_budget_of_time_is_foretold(gpu, request_of, monkeypatch):
    monkeypatch.setattr("chargru.training.device_place.device_speed", lambda device: DeviceSpeed(8e-6, 30e12))
    told = [open_session(request_of(time=seconds, name=f"t{seconds}")).forecast() for seconds in (2, 60)]
    assert told[0].characters < told[1].characters / 20
    assert told[0].likely >= told[1].likely
    assert "12" in told[0].told()


def test_what_was_given_by_hand_stands(gpu, request_of):
    trainer = open_session(request_of(epochs=1, **SMALL))
    assert {name: getattr(trainer.training, name) for name in ("batch_size", "seq_len", "evaluations")} == {
        name: SMALL[name] for name in ("batch_size", "seq_len", "evaluations")
    }
    assert (trainer.model.hidden_size, trainer.model.num_layers) == (12, 1)


def test_sizes_beyond_the_gpus_memory_are_refused_before_a_run_is_made(gpu, request_of, tmp_path):
    with pytest.raises(ConfigError, match="are free") as refused:
        open_session(request_of(steps=4, hidden_size=8192, num_layers=6, backend="cupy"))
    assert "this would fit: --hidden-size" in refused.value.hint
    assert not (tmp_path / "runs").exists()


def test_a_gpu_that_is_full_is_left_to_others(gpu, request_of, monkeypatch):
    monkeypatch.setattr("chargru.engine.device.Device.memory", lambda self: (1 << 20, 1 << 34))
    request = request_of(steps=3, **SMALL)
    trainer = open_session(request)
    assert isinstance(trainer.learner, Learner)
    events = list(trainer.run())
    assert events[0].backend == "numpy"
    told = [event.message for event in events if isinstance(event, Notice)]
    assert any(note.startswith("computing on the processor: 1 × 12 units") for note in told)
    assert isinstance(open_session(again(request, steps=5)).learner, Learner)
    with pytest.raises(ConfigError, match="are free"):
        open_session(again(request, steps=5, backend="cupy"))


class CUDARuntimeError(RuntimeError):
    """As CuPy has it."""

    status = 700


BROKEN = CUDARuntimeError("cudaErrorIllegalAddress: an illegal memory access was encountered")


@pytest.mark.parametrize("raised", [BROKEN, BackendError("the GPU's memory is full", "end what else uses it")])
@pytest.mark.parametrize("place", ["sizes", "trainer"])
def test_a_gpu_that_fails_before_the_training_begins_is_left_unless_it_was_insisted_on(
    gpu, request_of, monkeypatch, raised, place
):
    def fail(*_, **__):
        raise raised

    owner, name = (backends, "device_speed") if place == "sizes" else (OnDevice, "learner")
    monkeypatch.setattr(owner, name, fail)
    trainer = open_session(request_of(time=2))
    assert isinstance(trainer.learner, Learner)
    trainer = open_session(request_of(time=2, name="again"))
    started, *events = trainer.run()
    assert started.backend == "numpy"
    notes = [event.message for event in events if isinstance(event, Notice)]
    assert any(note.startswith("computing on the processor: the GPU") for note in notes)
    with pytest.raises(BackendError, match="the GPU"):
        open_session(request_of(time=2, backend="cupy", name="insisted"))


def test_a_mistake_of_ours_before_the_training_begins_is_no_reason_to_leave_the_gpu(gpu, request_of, monkeypatch):
    def fail(*_, **__):
        raise TypeError("wrong number of arguments")

    monkeypatch.setattr(OnDevice, "learner", fail)
    with pytest.raises(TypeError):
        open_session(request_of(time=2))


def test_an_error_that_cuda_does_not_get_over_is_told_in_one_line(gpu, request_of):
    class Lost:
        """A stream that can be entered, and fails to be left once CUDA has failed."""

        def __enter__(self):
            return None

        def __exit__(self, *error):
            raise BROKEN

    device = emulated_device()
    device.active = Lost
    place = OnDevice(device, ModelConfig(5, 8, 1), TrainingConfig(steps=1))
    with pytest.raises(BackendError, match="training on the GPU broke off"), place:
        raise BROKEN


@pytest.mark.parametrize("precision", ["tf32", "bf16"])
def test_a_precision_is_asked_of_the_gpu_kept_and_may_change(precision, gpu, request_of):
    request = request_of(steps=3, precision=precision, **SMALL)
    trainer = open_session(request)
    assert trainer.training.precision == precision
    list(trainer.run())
    assert gpu == [("auto", precision)]
    gpu.clear()
    trainer = open_session(again(request, steps=5))
    assert gpu[-1] == ("auto", precision)
    assert trainer.training.precision == precision
    list(trainer.run())
    gpu.clear()
    trainer = open_session(again(request, steps=7, precision="float32"))
    assert gpu == [("auto", "float32")]
    assert trainer.training.precision == "float32"


@pytest.mark.parametrize("precision", ["tf32", "bf16"])
def test_another_precision_on_the_processor_is_told_to_be_float32(precision, gpu, request_of):
    events = list(open_session(request_of(steps=3, precision=precision, backend="numpy", **SMALL)).run())
    told = f"{precision} is a GPU's: NumPy computes in float32"
    assert any(told in event.message for event in events if isinstance(event, Notice))


def test_a_run_goes_from_one_backend_to_the_other(gpu, request_of):
    request = request_of(steps=3, backend="numpy", **SMALL)
    list(open_session(request).run())
    trainer = open_session(again(request, steps=6))
    assert isinstance(trainer.learner, DeviceLearner)
    assert list(trainer.run())[-1].steps == 6
    trainer = open_session(again(request, steps=9, backend="numpy"))
    assert isinstance(trainer.learner, Learner)
    finished = list(trainer.run())[-1]
    assert finished.steps == 9
    assert load(trainer.directory.latest()[0]).step == 9


def test_a_run_in_double_precision_stays_on_the_processor(gpu, request_of, monkeypatch):
    request = request_of(steps=3, backend="numpy", **SMALL)
    trainer = open_session(request)
    checkpoint_training = trainer.training
    list(trainer.run())
    changed = backends.backend_again(
        again(request), dataclasses.replace(checkpoint_training, dtype="float64"), Backend("cupy", "", gpu=object())
    )
    assert (changed.name, changed.gpu) == ("numpy", None)
    assert "float64" in changed.note
    with pytest.raises(ConfigError, match="float32 only"):
        backends.backend_again(
            again(request, backend="cupy"),
            dataclasses.replace(checkpoint_training, dtype="float64"),
            Backend("cupy", "", gpu=object()),
        )


def test_why_there_is_no_gpu_is_told_among_the_notes(request_of, monkeypatch):
    reason = "computing on the processor: the NVIDIA driver is too old"
    monkeypatch.setattr(backends, "choose_backend", lambda *_: Backend("numpy", "a processor", reason))
    events = list(open_session(request_of(steps=2, **SMALL)).run())
    assert reason in [event.message for event in events if isinstance(event, Notice)]


def test_refused_before_the_text_is_read(request_of, monkeypatch, tmp_path):
    def refuse(*_):
        raise BackendError("no NVIDIA driver is here", "use --backend numpy")

    monkeypatch.setattr(backends, "choose_backend", refuse)
    with pytest.raises(BackendError, match="no NVIDIA driver"):
        open_session(request_of(steps=2, backend="cupy", corpus="/no/such/text"))
    assert not (tmp_path / "runs").exists()
