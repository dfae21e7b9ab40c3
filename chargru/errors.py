"""What can go wrong for a user, each with one clear line and a hint.

Every failure that a user can meet is a `ChargruError`; anything else that escapes is a bug and shows its traceback.
"""


class ChargruError(Exception):
    """A failure to be told in one line.

    `message` says what happened, `hint` what to do about it; both are plain text and may hold file names, so a face
    must pass them through its own safe display. `exit_code` is what the command line leaves with.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(ChargruError):
    """A setting is impossible: out of its range, of the wrong type, or at odds with another one."""

    exit_code = 2


class TextError(ChargruError):
    """A text cannot be read: missing, empty, binary, special, or in an encoding that does not decode."""


class CheckpointError(ChargruError):
    """A checkpoint is unreadable, altered, or not one of ours; or it could not be written."""


class RunError(ChargruError):
    """A run does not exist, is in use by another process, or cannot be continued."""


class BackendError(ChargruError):
    """The array backend that was asked for is not to be had on this machine."""


class TrainingError(ChargruError):
    """Training cannot go on: the loss was not finite again and again."""


class WorkerError(ChargruError):
    """The training process could not be started, or it ended without saying why."""
