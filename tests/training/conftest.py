"""A small text, and a trainer for it that needs no probe and no library."""

from __future__ import annotations

import dataclasses

import pytest

from chargru.config import ModelConfig, TrainingConfig
from chargru.storage.checkpoint import CorpusIdentity, load
from chargru.storage.runs import Run
from chargru.text.stream import identity, split
from chargru.text.vocabulary import Vocabulary
from chargru.training.device_place import OnDevice
from chargru.training.material import Material
from chargru.training.trainer import Trainer

TEXT = "".join(f"{n} and {n * n} is what the {n % 7}th said.\n" for n in range(120))


def material_of(text, val_fraction=0.1):
    vocabulary = Vocabulary.from_text(text)
    found = identity(text)
    train, val = split(vocabulary.encode(text), val_fraction)
    corpus = CorpusIdentity("test", "nowhere", found.sha256, found.characters, "utf-8")
    return Material(train, val, vocabulary, corpus)


def trainer_maker(directory, **defaults):
    """`make(steps=20, ...)`: settings of training or of the model; `run=` and `resume=` as in Trainer.

    With a `device` it trains there. `defaults` are settings too; runs are made in `directory`.
    """

    def make(*, text=TEXT, run=None, resume=None, threads=1, device=None, **settings):
        settings = defaults | settings
        material = material_of(text, settings.get("val_fraction", 0.1))
        names = {each.name for each in dataclasses.fields(TrainingConfig)}
        model = {"hidden_size": 12, "num_layers": 2} | {k: v for k, v in settings.items() if k not in names}
        training = {"batch_size": 4, "seq_len": 16, "dropout": 0.2, "weight_drop": 0.1, "evaluations": 5}
        training["state_reset"] = 0.2
        training |= {k: v for k, v in settings.items() if k in names}
        run = run or Run.create(directory, "test", {})
        best = load(run.best()).averaged if resume is not None else None
        model, training = ModelConfig(vocab_size=material.vocabulary.size, **model), TrainingConfig(**training)
        return Trainer(
            material,
            model,
            training,
            run,
            threads=threads,
            place=None if device is None else OnDevice(device, model, training),
            resume=resume,
            best_weights=best,
        )

    return make


@pytest.fixture
def make_trainer(tmp_path):
    return trainer_maker(tmp_path)
