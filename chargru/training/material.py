"""What is learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from chargru.storage.checkpoint import CorpusIdentity
from chargru.text.vocabulary import Vocabulary

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Material:
    """Ids of the training part (n,) and of the held-out tail, and where they come from."""

    train: Array
    val: Array
    vocabulary: Vocabulary
    corpus: CorpusIdentity
