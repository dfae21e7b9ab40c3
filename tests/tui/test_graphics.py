"""The app's GPU: what it would make of a training, what it is worth asking for, and when it is let go."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chargru.completion import on_device
from chargru.config import SamplingConfig, TrainRequest
from chargru.engine import backend
from chargru.training.device_speed import DeviceSpeed
from chargru.training.machines import Gpu
from chargru.tui.app import ChargruApp
from chargru.tui.graphics import Graphics
from chargru.tui.library import HouseLibrary
from chargru.tui.messages import TrainingWanted
from chargru.tui.models import HouseModel

from .fakes import FakeLibrary, FakeRunner

GPU = Gpu("Imaginary GPU", 64 << 30, DeviceSpeed(8e-6, 30e12))
RAIN = "the rain fell on the walls of the old harbour, and nobody came.\n" * 60


class FakeClient:
    """A GPU that is found when it is looked for."""

    def __init__(self, gpu: Gpu | None = GPU) -> None:
        self.gpu, self.calls = gpu, list[str]()
        self.seen = threading.Event()

    def known(self, precision: str = "float32") -> Gpu | None:
        return self.gpu if self.seen.is_set() else None

    def looked(self, precision: str = "float32") -> bool:
        return self.seen.is_set()

    def look(self, precision: str = "float32") -> Gpu | None:
        self.calls.append(f"look {precision}")
        self.seen.set()
        return self.gpu

    def close(self) -> None:
        self.calls.append("close")


def graphics_of(client: FakeClient | None, *, busy: bool = False) -> Graphics:
    return Graphics(lambda: busy, client)  # type: ignore[arg-type]


def test_where_there_is_no_gpu_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    for present, installed in ((False, True), (True, False)):  # the last one: a GPU, but no CuPy
        monkeypatch.setattr(backend, "gpu_present", lambda present=present: present)
        monkeypatch.setattr(backend, "cupy_installed", lambda installed=installed: installed)
        graphics = Graphics()
        assert (graphics.look(), graphics.known(), graphics.settled()) == (None, None, True)
        assert graphics._client is None
        graphics.let_go()
    monkeypatch.setattr(backend, "cupy_installed", lambda: True)
    graphics = Graphics()
    assert not graphics.settled()
    assert graphics._client is not None
    assert graphics._client._process is None  # that waits until something is asked


def test_while_it_trains_nothing_else_is_asked_of_a_gpu() -> None:
    client = FakeClient()
    graphics = graphics_of(client, busy=True)
    assert (graphics.look(), graphics.known(), graphics.settled()) == (None, None, True)
    assert client.calls == []


@pytest.fixture
def rain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    from chargru.training import prior, speed
    from chargru.training.pilot import Pilot

    monkeypatch.setattr(speed, "machine_speed", lambda threads=None: 2e10)
    monkeypatch.setattr(prior, "pilot", lambda *_: Pilot(2.0, 1.5, 1.7, 1.4, 1.6))
    path = tmp_path / "rain.txt"
    path.write_text(RAIN)
    return str(path)


def test_a_forecast_is_the_processors_until_the_gpu_was_looked_at(rain: str) -> None:
    client = FakeClient()
    house = HouseLibrary(graphics_of(client))
    glance = house.forecast(rain, 60.0, {})
    close = house.forecast(rain, 60.0, {}, closely=True)
    again = house.forecast(rain, 60.0, {})
    assert glance is not None
    assert close is not None
    assert (glance.gpu, glance.closely) == ("", False)
    assert (close.gpu, close.closely) == ("Imaginary GPU", True)
    assert close.characters > 10 * glance.characters
    assert again == close
    assert client.calls == ["look float32"]


def test_a_text_too_short_for_a_pilot_is_looked_at_again_for_the_gpus_sake(rain: str) -> None:
    Path(rain).write_text("a short note")
    house = HouseLibrary(graphics_of(FakeClient()))
    glance, close = (house.forecast(rain, 60.0, {}, closely=closely) for closely in (False, True))
    assert glance is not None
    assert close is not None
    assert (glance.closely, close.closely, close.gpu) == (False, True, "Imaginary GPU")


@pytest.mark.parametrize("gpu", [None, GPU])
def test_what_is_set_by_hand_is_asked_for(rain: str, gpu: Gpu | None) -> None:
    client = FakeClient(gpu)
    house = HouseLibrary(graphics_of(client))
    found = house.forecast(rain, 60.0, {"backend": "numpy"}, closely=True)
    assert found is not None
    assert (found.gpu, found.left_out, client.calls) == ("", (), [])
    found = house.forecast(rain, 60.0, {"backend": "cupy", "precision": "tf32"}, closely=True)
    assert found is not None
    assert (found.gpu, found.closely, found.left_out) == (gpu.name if gpu else "", True, ())
    assert client.calls == ["look tf32"]


class FakeCompleter:
    """A model of whatever size; tells who is to draw."""

    def __init__(self, operations: float, dtype: str = "float32", path: Path | None = Path("model")) -> None:
        self.operations, self.path = operations, path
        self.parameters = SimpleNamespace(config=self, flat=SimpleNamespace(dtype=dtype))

    def stream(self, prompt: str, sampling: SamplingConfig, **_: Any) -> str:
        return "by the processor"


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    from chargru.worker import gpu_client

    monkeypatch.setattr(on_device, "operations", lambda config, sampling: config.operations)
    monkeypatch.setattr(gpu_client, "drawn_apart", lambda client, name, *_: f"by {name}")


def stream(completer: FakeCompleter, graphics: Graphics) -> Any:
    return HouseModel(completer, graphics).stream("a", SamplingConfig())  # type: ignore[arg-type]


@pytest.mark.usefixtures("drawn")
def test_much_work_goes_to_a_gpu_once_it_was_looked_at_and_nobody_waits_for_that() -> None:
    client = FakeClient()
    graphics = graphics_of(client)
    much = FakeCompleter(1e12)
    assert stream(much, graphics) == "by the processor"
    assert client.seen.wait(10)
    assert stream(much, graphics) == "by Imaginary GPU"
    assert client.calls == ["look float32"]
    assert stream(FakeCompleter(1e9), graphics) == "by the processor"
    assert stream(FakeCompleter(1e12, dtype="float64"), graphics) == "by the processor"
    assert stream(FakeCompleter(1e12, path=None), graphics) == "by the processor"


@pytest.mark.usefixtures("drawn")
def test_without_a_gpu_the_processor_draws_and_it_is_looked_for_once() -> None:
    client = FakeClient(None)
    graphics = graphics_of(client)
    for _ in range(3):
        assert stream(FakeCompleter(1e12), graphics) == "by the processor"
        client.seen.wait(10)
    assert client.calls == ["look float32"]


@pytest.mark.long
async def test_a_training_has_the_gpu_to_itself() -> None:
    client = FakeClient()
    app = ChargruApp(runner=FakeRunner(), library=FakeLibrary())
    app.graphics._client = client  # type: ignore[assignment]
    async with app.run_test() as pilot:
        assert app.graphics.look() is GPU
        app.post_message(TrainingWanted(TrainRequest(corpus="tales")))
        await pilot.pause()
        assert client.calls == ["look float32", "close"]
        assert app.graphics.look() is None
