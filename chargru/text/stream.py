"""An array of ids as an endless stream of training windows, and the identity of a text.

The text is a ring: after its last character comes its first. B readers stand on it, evenly spaced, and each moves on by
T characters a window, so what a reader saw last is exactly what its hidden state remembers. That is why a ring:

- the state never has to be reset or thrown away, not even at the end of an epoch, where reader b goes on at the place
  where reader b+1 began; the one false step is the seam between the end of the text and its beginning;
- every character is predicted, none is dropped because the text does not divide by B and T;
- the whole state of the stream is one number, the characters that each reader has consumed: resuming is exact;
- any text will do, down to a single character, which predicts itself.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CHUNK = 1 << 22


@dataclass(frozen=True)
class Identity:
    """Which text it was: SHA-256 (hexadecimal) of its UTF-8, and its length in characters."""

    sha256: str
    characters: int


def identity(text: str) -> Identity:
    """The identity of `text`; chunk by chunk, so that no copy of a large text is made."""
    digest = hashlib.sha256()
    for start in range(0, len(text), _CHUNK):
        digest.update(text[start : start + _CHUNK].encode("utf-8", "surrogatepass"))
    return Identity(digest.hexdigest(), len(text))


def split(ids: NDArray[Any], val_fraction: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Views of the training part and of the tail held out for validation.

    The training part has `int(N * (1 - val_fraction))` ids, but at least one; the tail may be empty.

    Raises:
        ValueError: no ids, or a fraction outside 0 to 1.
    """
    if len(ids) == 0:
        raise ValueError("there is nothing to split")
    if not 0 <= val_fraction < 1:
        raise ValueError(f"val_fraction must be at least 0 and less than 1, not {val_fraction}")
    n_train = training_length(len(ids), val_fraction)
    return ids[:n_train], ids[n_train:]


def training_length(characters: int, val_fraction: float) -> int:
    """How many of so many characters are the training part; what follows them is held out."""
    return max(1, int(characters * (1 - val_fraction)))


def fit_shape(n_train: int, batch_size: int, seq_len: int) -> tuple[int, int]:
    """The batch size and window that a text of `n_train` characters can fill.

    A text of at least two windows for every reader keeps what was asked for. A shorter one gets fewer readers first, so
    that each still has two windows of its own text; a text too short even for one reader gets a smaller window.

    Raises:
        ValueError: an argument below 1.
    """
    if min(n_train, batch_size, seq_len) < 1:
        raise ValueError("n_train, batch_size and seq_len must be at least 1")
    batch_size = max(1, min(batch_size, n_train // (2 * seq_len)))
    if n_train < 2 * batch_size * seq_len:
        seq_len = max(1, n_train // (2 * batch_size))
    return batch_size, seq_len


class WindowStream:
    """Windows (T, B) over `ids` (N,), an array or a memory map, without end.

    `position` counts the characters that each reader has consumed and is the only state: a stream made with the same
    arguments and that position goes on with the same windows.
    """

    def __init__(self, ids: NDArray[Any], batch_size: int, seq_len: int, position: int = 0) -> None:
        """Raises ValueError for ids that are not a non-empty row of integers, and for impossible numbers."""
        # A plain view: indexing a memory map itself would wrap every window in a memory map again.
        self._ids = np.asarray(ids)
        if self._ids.ndim != 1 or self._ids.dtype.kind not in "iu" or len(self._ids) == 0:
            raise ValueError("ids must be one row of at least one integer")
        if batch_size < 1 or seq_len < 1:
            raise ValueError("batch_size and seq_len must be at least 1")
        if position < 0:
            raise ValueError("position must not be negative")
        self.batch_size = batch_size
        self.seq_len = seq_len
        self.position = position
        length = len(self._ids)
        starts = np.array([reader * length // batch_size for reader in range(batch_size)], dtype=np.intp)
        # Where each character of the first window stands, one row more than the window: the last target.
        self._offsets = np.arange(seq_len + 1, dtype=np.intp)[:, None] + starts  # (T+1, B)
        self._furthest = int(self._offsets[-1, -1])

    @property
    def epoch(self) -> float:
        """How often the text has been read so far, all readers together."""
        return self.position * self.batch_size / len(self._ids)

    def next_window(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The next inputs and targets, (T, B) each: `targets[t, b]` follows `inputs[t, b]` on the ring.

        Both are contiguous and share their memory (the targets begin one row later): they are to be read only.
        """
        length = len(self._ids)
        shift = self.position % length
        places = self._offsets + shift  # (T+1, B)
        if self._furthest + shift >= length:
            np.remainder(places, length, out=places)
        window = self._ids.take(places).astype(np.intp, copy=False)  # (T+1, B)
        self.position += self.seq_len
        return window[:-1], window[1:]
