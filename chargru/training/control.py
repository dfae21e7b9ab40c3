"""The words that flow back to a running trainer: pause, resume, save, stop (and interrupt, which is a hurried stop)."""

from __future__ import annotations

import threading


class Control:
    """Words for a trainer, said from any thread or signal handler; the trainer looks at them between updates."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.RLock())  # a signal handler may speak while its thread listens
        self._paused = False
        self._save = False
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

    def wait_while_paused(self) -> None:
        """Return when training may go on, should end, or should save."""
        with self._changed:
            while self._paused and self._ending is None and not self._save:
                self._changed.wait(0.5)  # woken by a word; the half second serves platforms whose signals need it

    def _say(self, paused: bool | None = None, ending: str | None = None) -> None:
        with self._changed:
            if paused is not None:
                self._paused = paused
            if ending is not None and self._ending != "interrupted":
                self._ending = ending
            self._changed.notify_all()
