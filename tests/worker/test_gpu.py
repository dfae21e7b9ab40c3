"""A GPU in a process of its own: looked at, drawn on, cut off, let go, lost. Here the kernels run on the processor."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chargru.completion.completer import Completer
from chargru.config import SamplingConfig
from chargru.errors import BackendError
from chargru.storage.checkpoint import save
from chargru.worker.gpu import Counter, Desk
from chargru.worker.gpu_client import GpuClient, LetGoError, drawn_apart
from tests.engine.cuda_on_cpu import needs_compiler
from tests.storage.samples import make_checkpoint

Fake = Callable[..., GpuClient]


@pytest.fixture
def client_of() -> Iterator[Fake]:
    """A client of a process of this kind."""
    made: list[GpuClient] = []

    def make(kind: str) -> GpuClient:
        made.append(GpuClient(command=(sys.executable, "-m", "tests.worker.gpu_fakes", kind)))
        return made[-1]

    yield make
    for client in made:
        client.close()
        if client._process is not None:
            client._process.wait(20)
            assert client._process.stdout is not None
            client._process.stdout.close()


@pytest.fixture
def model(tmp_path: Path) -> Completer:
    """A model of a few letters, as a file."""
    path = tmp_path / "model.safetensors"
    save(make_checkpoint(), path)
    return Completer.from_checkpoint(path)


def left(client: GpuClient) -> int:
    """The exit code of its process."""
    assert client._process is not None
    return client._process.wait(20)


@needs_compiler
@pytest.mark.long
def test_looking_and_drawing(client_of: Fake, model: Completer) -> None:
    from chargru.completion.on_device import DeviceCompletion
    from tests.engine.cuda_on_cpu import emulated_device

    client = client_of("emulated")
    assert client.known() is None
    assert not client.looked()
    gpu = client.look()
    assert gpu is not None
    assert client.known() is gpu
    assert (gpu.name, gpu.free, gpu.speed.step) == ("a processor that plays a GPU", 1 << 30, 8e-6)
    sampling = SamplingConfig(length=70, count=3, seed=5, stop="éé")
    stream = drawn_apart(client, gpu.name, model, "ab?", sampling)
    pieces = [list(each) for each in stream]
    assert len(pieces) == 3  # 32 characters at a time
    assert stream.texts == ["".join(each) for each in zip(*pieces, strict=True)]
    assert stream.reading.notes[-1] == "drawn on a processor that plays a GPU"
    assert len(stream.reading.notes) == 2  # the one letter that it does not know is told as well
    expected = DeviceCompletion(emulated_device(), model.parameters, model.vocabulary, stream.reading.ids, sampling)
    for _ in expected:
        pass
    assert stream.texts == expected.texts
    assert stream.scores == pytest.approx(expected.scores, abs=1e-4)
    assert [len(each) for each in stream.surprisals] == [len(each) for each in expected.surprisals]


@needs_compiler
@pytest.mark.long
def test_a_drawing_that_nobody_listens_to_is_cut_off_and_the_next_one_is_whole(
    client_of: Fake, model: Completer
) -> None:
    client = client_of("emulated")
    long = drawn_apart(client, "it", model, "a", SamplingConfig(length=1_000_000, count=1))
    first = iter(long)
    assert len(next(first)[0]) == 32
    first.close()  # type: ignore[attr-defined]
    stream = drawn_apart(client, "it", model, "a", SamplingConfig(length=40, count=1, seed=1))
    assert sum(len(each[0]) for each in stream) == 40


@needs_compiler
@pytest.mark.long
def test_a_process_that_was_let_go_is_started_again(client_of: Fake, model: Completer) -> None:
    client = client_of("emulated")
    for _ in range(2):
        stream = drawn_apart(client, "it", model, "a", SamplingConfig(length=8, count=1))
        assert sum(len(each[0]) for each in stream) == 8
        client.close()
        assert left(client) == 0


@needs_compiler
@pytest.mark.long
def test_what_cannot_be_drawn_is_told(client_of: Fake, model: Completer, tmp_path: Path) -> None:
    client = client_of("emulated")
    with pytest.raises(BackendError, match="No such file"):
        list(client.draw(tmp_path / "gone.safetensors", "a", SamplingConfig(length=8)))
    with pytest.raises(BackendError, match="internal error: ValueError: nobody can be asked to 'dance'"):
        list(client._ask({"ask": "dance"}))
    assert list(client.draw(model.path or tmp_path, "a", SamplingConfig(length=8))), "it lives on"


def test_a_gpu_that_is_not_to_be_had_is_none_and_not_asked_twice(client_of: Fake) -> None:
    client = client_of("refused")
    assert client.look() is None
    assert client.looked()
    process = client._process
    assert client.look() is None
    assert client._process is process
    with pytest.raises(BackendError, match="dU_h is off"):
        list(client.draw(Path("x"), "a", SamplingConfig(length=8)))


@pytest.mark.parametrize(
    ("kind", "told"), [("dies", r"ended \(SIGABRT\)"), ("babbles", "something unreadable"), ("leaves", "exit code 0")]
)
def test_a_process_that_is_lost_is_not_started_again(client_of: Fake, kind: str, told: str) -> None:
    client = client_of(kind)
    with pytest.raises(BackendError, match=told) as lost:
        list(client.draw(Path("x"), "a", SamplingConfig(length=8)))
    assert "on the processor" in lost.value.hint
    process = client._process
    with pytest.raises(BackendError, match=told):
        list(client.draw(Path("x"), "a", SamplingConfig(length=8)))
    assert client._process is process
    assert client.look() is None


def test_an_odd_answer_is_no_gpu(client_of: Fake) -> None:
    assert client_of("odd").look() is None


def test_a_look_is_ended_by_letting_go_and_may_be_asked_again(client_of: Fake) -> None:
    client = client_of("sleeps")
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(client.look()))
    thread.start()
    while client._process is None:
        time.sleep(0.01)
    time.sleep(0.1)
    client.close()
    client._process.kill()  # this one does not listen for the end of its input
    thread.join(20)
    assert found == [None]
    assert not client.looked()
    with pytest.raises(LetGoError):
        raise client._gone(client._process)


def test_a_process_that_cannot_be_started(tmp_path: Path) -> None:
    client = GpuClient(command=(str(tmp_path / "no-such-python"),))
    assert client.look() is None
    with pytest.raises(BackendError, match="could not be started"):
        list(client.draw(Path("x"), "a", SamplingConfig(length=8)))


class Pipes:
    """Both ends of a counter that serves in a thread."""

    def __init__(self, desk: Any, **options: Any) -> None:
        self.incoming, self.questions = os.pipe()
        answers, self.outgoing = os.pipe()
        self.answers = os.fdopen(answers)
        self.gone = threading.Event()
        counter = Counter(self.incoming, self.outgoing, desk, leave=self.gone.set, **options)
        self.thread = threading.Thread(target=counter.run)
        self.thread.start()

    def ask(self, *records: Any) -> None:
        for record in records:
            os.write(self.questions, json.dumps(record).encode() + b"\n")

    def read(self) -> Any:
        return json.loads(self.answers.readline())

    def end(self) -> None:
        """Ask nothing more, and see that it leaves."""
        os.close(self.questions)
        assert self.gone.wait(10)
        self.thread.join(10)
        assert not self.thread.is_alive()
        self.answers.close()
        os.close(self.incoming)
        os.close(self.outgoing)


class Slow(Desk):
    """Counts until it is stopped."""

    def __init__(self) -> None:
        self.told = threading.Event()

    def answer(self, question: Any) -> Iterator[dict[str, Any]]:
        if question.get("raise"):
            raise {"memory": MemoryError(), "disk": OSError(5, "Input/output error")}[question["raise"]]
        for number in range(question.get("count", 0)):
            if number == 2:
                self.told.wait(10)
            yield {"number": number}


def test_stop_is_for_what_was_asked_before_it() -> None:
    desk = Slow()
    pipes = Pipes(desk)
    pipes.ask({"count": 1_000_000}, {"ask": "stop"}, {"count": 1})
    desk.told.set()
    numbers = []
    while "number" in (record := pipes.read()):
        numbers.append(record["number"])
    assert record == {"end": True}
    assert len(numbers) < 1_000
    assert [pipes.read(), pipes.read()] == [{"number": 0}, {"end": True}]
    pipes.end()


def test_failures_of_the_machine_are_told_in_words() -> None:
    pipes = Pipes(Slow())
    pipes.ask({"raise": "memory"}, {"raise": "disk"})
    assert pipes.read()["problem"] == "out of memory"
    assert pipes.read()["problem"] == "Input/output error"
    pipes.end()


def test_it_leaves_when_nobody_asks() -> None:
    pipes = Pipes(Slow(), idle=0.05)
    pipes.thread.join(10)
    assert not pipes.thread.is_alive()
    pipes.end()


def test_it_leaves_when_nobody_reads() -> None:
    desk = Slow()
    desk.told.set()
    pipes = Pipes(desk)
    pipes.answers.close()
    pipes.ask({"count": 10})
    pipes.thread.join(10)
    assert not pipes.thread.is_alive()
    pipes.end()
