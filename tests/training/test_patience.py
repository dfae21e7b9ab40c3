"""When validation stands still: said once in a spell, and truly."""

from __future__ import annotations

import json

from chargru.training.patience import Patience


def after(patience, *steps):
    """Note (improved, training loss) one after another; the warnings."""
    warnings = []
    for improved, train_loss in steps:
        patience.note(improved=improved, train_loss=train_loss)
        warnings.append(patience.warning(1200))
    return warnings


def test_once_in_a_spell():
    patience = Patience()
    stale = (False, 1.0)
    warnings = after(patience, (True, 1.0), *[stale] * 7, (True, 1.0), *[stale] * 5)
    assert [bool(warning) for warning in warnings] == [place in (4, 12) for place in range(14)]
    assert "4 evaluations" in warnings[4]
    assert "step 1,200, is kept" in warnings[4]
    assert patience.stale == 5


def test_learning_by_heart_is_said_only_if_the_training_loss_fell():
    falling = after(Patience(), (True, 1.0), *[(False, loss) for loss in (0.95, 0.9, 0.85, 0.8)])[-1]
    standing = after(Patience(), (True, 1.0), *[(False, loss) for loss in (1.0, 1.01, 1.0, 0.995)])[-1]
    unknown = after(Patience(), (True, None), *[(False, None)] * 4)[-1]
    assert "by heart" in falling
    assert standing
    assert unknown
    assert "by heart" not in standing + unknown


def test_it_goes_on_from_a_checkpoint():
    whole, first = Patience(), Patience()
    steps = [(True, 1.0), (False, 0.9), (False, 0.8), (False, 0.7), (False, 0.6)]
    expected = after(whole, *steps)
    after(first, *steps[:3])
    history = json.loads(json.dumps([{"step": 3, "loss": 0.8}, {"step": 3, **first.record()}]))
    second = Patience.recall(history)
    assert after(second, *steps[3:]) == expected[3:]
    assert second.record() == whole.record()


def test_a_checkpoint_without_a_record_starts_afresh():
    assert Patience.recall([]).stale == 0
    assert Patience.recall([{"step": 3, "val_loss": 1.0}, {"stale": "many"}, {"stale": -1}]).stale == 0
