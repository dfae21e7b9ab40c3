"""The words that flow back to a running trainer: pause, resume, save, faster, slower, stop, and interrupt."""

from __future__ import annotations

import threading


class Control:
    """Words for a trainer, said from any thread or signal handler; the trainer looks at them between updates."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.RLock())  # a signal handler may speak while its thread listens
        self._paused = False
        self._save = False
        self._notches = 0
        self._ending: str | None = None

    def pause(self) -> None:
        """Wait after this update, until `resume`, `stop` or `interrupt`."""
        self._say(paused=True)

    def resume(self) -> None:
        """Go on after a pause."""
        self._say(paused=False)

    def save(self) -> None:
        """Write a checkpoint after this update (also while paused)."""
        with self._changed:
            self._save = True
            self._changed.notify_all()

    def faster(self) -> None:
        """Multiply the learning rate by 1.25 from the next update on (also while paused)."""
        self._turn(1)

    def slower(self) -> None:
        """Divide the learning rate by 1.25 from the next update on (also while paused)."""
        self._turn(-1)

    def stop(self) -> None:
        """Finish this update, save, evaluate and end."""
        self._say(ending="stopped")

    def interrupt(self) -> None:
        """Finish this update, save and end as soon as possible: no last evaluation."""
        self._say(ending="interrupted")

    @property
    def paused(self) -> bool:
        return self._paused

    @property
    def ending(self) -> str | None:
        """ "stopped" or "interrupted" once one of them was said."""
        return self._ending

    def take_save(self) -> bool:
        """Whether a save was asked for since the last call."""
        with self._changed:
            asked, self._save = self._save, False
            return asked

    def take_rate(self) -> int:
        """How often "faster" was said since the last call, less how often "slower" was."""
        with self._changed:
            notches, self._notches = self._notches, 0
            return notches

    def wait_while_paused(self) -> None:
        """Return when training may go on, should end, should save, or should change the learning rate."""
        with self._changed:
            while self._paused and self._ending is None and not self._save and not self._notches:
                self._changed.wait(0.5)  # woken by a word; the half second serves platforms whose signals need it

    def _turn(self, notches: int) -> None:
        with self._changed:
            self._notches += notches
            self._changed.notify_all()

    def _say(self, paused: bool | None = None, ending: str | None = None) -> None:
        with self._changed:
            if paused is not None:
                self._paused = paused
            if ending is not None and self._ending != "interrupted":
                self._ending = ending
            self._changed.notify_all()
