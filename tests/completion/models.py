"""Small models for the tests of this room."""

from __future__ import annotations

import numpy as np

from chargru.completion.completer import Completer
from chargru.config import ModelConfig
from chargru.engine import Parameters
from chargru.text.vocabulary import Vocabulary
from tests.engine import naive

LETTERS = "\n abcdefgé가각😀"


def make_completer(letters=LETTERS, *, layers=2, units=6, seed=1, dtype=np.float32):
    """A network with opinions."""
    vocabulary = Vocabulary.from_text(letters)
    parameters = Parameters.initial(ModelConfig(vocabulary.size, units, layers), seed, dtype)
    parameters.flat *= 3
    return Completer(parameters, vocabulary, step=7)


def naive_nats(completer, text, before=""):
    """−ln p of every character of `text` after `before`, from the equations alone; `before` must not be empty."""
    ids = completer.vocabulary.encode(before + text).astype(int)[:, None]
    config = completer.parameters.config
    h0 = np.zeros((config.num_layers, 1, config.hidden_size))
    return naive.losses(completer.parameters, ids[:-1], ids[1:], h0)[len(before) - 1 :, 0]
