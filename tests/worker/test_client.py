"""Both sides with real processes; the trainer is a fake one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chargru.config import TrainRequest
from chargru.errors import WorkerError
from chargru.events import Event, Failed, Finished, Notice, Progress, Saved
from chargru.worker.client import WorkerClient

from . import fakes


@pytest.fixture
def client() -> Iterator[WorkerClient]:
    with WorkerClient(command=fakes.command()) as each:
        yield each


def collect(client: WorkerClient, until: Callable[[Event], bool], seconds: float = 30.0) -> list[Event]:
    """Drain until an event passes; a test that waits in vain fails here."""
    events: list[Event] = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for event in client.drain():
            events.append(event)
            if until(event):
                return events
        time.sleep(0.01)
    raise AssertionError(f"not among the events: {events[-3:]} {client.stderr_tail}")


def ended(event: Event) -> bool:
    return isinstance(event, Finished | Failed)


def is_progress(event: Event) -> bool:
    return isinstance(event, Progress)


def alive(pid: int) -> bool:
    """Whether the process runs; one that is dead but not yet reaped does not."""
    stat = Path(f"/proc/{pid}/stat")
    with contextlib.suppress(OSError):
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_a_training_from_start_to_stop(client: WorkerClient) -> None:
    client.start(TrainRequest(corpus="tales", name="plain"))
    collect(client, is_progress)
    assert client.running
    assert client.send("save")
    collect(client, lambda event: isinstance(event, Saved) and event.path.endswith("step.safetensors"))
    assert client.stop()
    last = collect(client, ended)[-1]
    assert isinstance(last, Finished)
    assert last.reason == "stopped"
    assert client.wait(10) == 0
    assert client.returncode == 0
    assert client.saved is not None
    assert client.saved.path == "/runs/a/last.safetensors"
    assert not client.stop()  # nobody hears it, and that is no error
    assert client.drain() == []


def test_closing_ends_the_process_after_it_has_saved(client: WorkerClient) -> None:
    client.start(TrainRequest(corpus="tales"))
    collect(client, is_progress)
    client.close()
    assert client.returncode == 130
    last = client.drain()[-1]
    assert isinstance(last, Finished)
    assert last.reason == "interrupted"
    client.close()  # twice is fine


def test_a_killed_process_is_told_with_what_was_saved(client: WorkerClient) -> None:
    client.start(TrainRequest(corpus="tales"))
    collect(client, is_progress)
    assert client._process is not None
    client._process.kill()
    last = collect(client, ended)[-1]
    assert isinstance(last, Failed)
    assert last.message == "the training process was killed, probably out of memory; saved at step 1"
    assert "resume" in last.hint
    assert client.returncode == -signal.SIGKILL


def test_a_crash_in_native_code_is_named(client: WorkerClient) -> None:
    client.start(TrainRequest(corpus="tales", name="segv"))
    last = collect(client, ended)[-1]
    assert isinstance(last, Failed)
    assert last.message == "the training process was ended by SIGSEGV; nothing was saved yet"
    assert "Segmentation fault" in client.stderr_tail


def test_an_unexplained_exit_gives_the_last_words_and_prints_garble_nothing(client: WorkerClient) -> None:
    client.start(TrainRequest(corpus="tales", name="exit"))
    events = collect(client, ended)
    assert events == [
        Failed(
            "the training process ended without a result (exit code 7); nothing was saved yet",
            "it last said: the last words",  # printed to standard output, yet not taken for an event
        )
    ]


def test_a_terminated_process_saves_first(client: WorkerClient) -> None:
    client.start(TrainRequest(corpus="tales"))
    collect(client, is_progress)
    assert client._process is not None
    client._process.terminate()
    last = collect(client, ended)[-1]
    assert isinstance(last, Finished)
    assert last.reason == "interrupted"
    assert client.wait(10) == 130


def test_an_interrupt_from_the_terminal_is_not_for_the_process(client: WorkerClient) -> None:
    client.start(TrainRequest(corpus="tales"))
    collect(client, is_progress)
    assert client._process is not None
    assert os.getsid(client._process.pid) != os.getsid(0)
    client._process.send_signal(signal.SIGINT)
    client.drain()
    collect(client, is_progress)
    assert client.running


@pytest.mark.long
def test_a_process_that_hangs_is_killed_on_closing(client: WorkerClient) -> None:
    client.start(TrainRequest(corpus="tales", name="unfinished"))
    collect(client, lambda event: isinstance(event, Saved))
    assert client._process is not None
    client._process.send_signal(signal.SIGSTOP)
    client.close(grace=0.2)
    assert client.returncode == -signal.SIGKILL
    last = client.drain()[-1]
    assert isinstance(last, Failed)
    assert last.message == "the training process did not answer and was killed; saved at step 1"


def test_the_process_leaves_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from chargru.config import TrainRequest\n"
        "from chargru.worker.client import WorkerClient\n"
        f"client = WorkerClient(command={fakes.command()!r})\n"
        "client.start(TrainRequest(corpus='tales'))\n"
        "while not client.drain(): time.sleep(0.01)\n"
        "print(client._process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    try:
        child = int(parent.stdout.readline())
        assert alive(child)
    finally:
        parent.kill()
        parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(child)


def test_a_process_that_is_gone_before_anybody_listens_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def slowly(thread: threading.Thread) -> None:
        start(thread)
        time.sleep(0.5)  # the process ends meanwhile, and whoever reads its events sees that

    with WorkerClient(command=[sys.executable, "-c", "import sys; sys.exit('gone')"]) as client:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", slowly)
            client.start(TrainRequest(corpus="tales"))
        failed = collect(client, ended)[-1]
    assert isinstance(failed, Failed)
    assert "gone" in failed.hint


def test_unreadable_lines_are_told_once_and_cost_no_event() -> None:
    said = r"print('hello'); print('[]'); print('x' * 10**6); print('{\"event\":\"notice\",\"message\":\"good\"}')"
    with WorkerClient(command=[sys.executable, "-c", said]) as client:
        client.start(TrainRequest(corpus="tales"))
        events = collect(client, ended)
    assert [type(event) for event in events] == [Notice, Notice, Failed]
    assert events[1] == Notice("good")


def test_what_the_process_complains_is_kept_to_a_tail() -> None:
    said = "import sys; sys.stderr.write('x' * 100_000 + 'the end')"
    with WorkerClient(command=[sys.executable, "-c", said]) as client:
        client.start(TrainRequest(corpus="tales"))
        collect(client, ended)
        assert client.stderr_tail.endswith("the end")
        assert len(client.stderr_tail) == 8192


async def test_it_starts_within_a_running_event_loop(client: WorkerClient) -> None:
    client.start(TrainRequest(corpus="tales"))
    for _ in range(3000):
        if client.drain():
            break
        await asyncio.sleep(0.01)
    else:
        raise AssertionError("no event came")


def test_what_cannot_be_started_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match="could not be started"):
        WorkerClient(command=[str(tmp_path / "missing")]).start(TrainRequest(corpus="tales"))
    with pytest.raises(WorkerError, match="standard input"):
        WorkerClient().start(TrainRequest(corpus="-"))


def test_a_client_serves_one_training(client: WorkerClient) -> None:
    client.start(TrainRequest(corpus="tales"))
    with pytest.raises(WorkerError, match="already"):
        client.start(TrainRequest(corpus="tales"))


def test_a_module_in_the_current_directory_does_not_pass_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('intruder')")
    (tmp_path / "chargru.py").write_text("raise SystemExit('intruder')")
    monkeypatch.chdir(tmp_path)
    with WorkerClient() as client:
        client.start(TrainRequest(corpus=str(tmp_path / "missing.txt")))
        last = collect(client, ended)[-1]
        assert isinstance(last, Failed)
        assert "intruder" not in client.stderr_tail + last.message + last.hint
