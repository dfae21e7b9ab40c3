"""Masks: the right share, the right scale, and the same again from the same words."""

from __future__ import annotations

import numpy as np
import pytest

from chargru.engine.dropout import fill_mask, generator


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.95])
def test_share_and_scale(rate):
    mask = np.empty((200, 500), np.float32)
    fill_mask(generator(1, 2, 3), rate, mask)
    assert (mask == 0).mean() == pytest.approx(rate, abs=0.01)
    assert mask.mean() == pytest.approx(1.0, abs=0.03)
    assert len(np.unique(mask[mask > 0])) == 1


def test_masks_depend_on_every_word_and_on_nothing_else():
    def mask(*words):
        out = np.empty(64)
        fill_mask(generator(*words), 0.5, out)
        return out.tobytes()

    assert mask(1, 2, 3) == mask(1, 2, 3)
    assert len({mask(1, 2, 3), mask(9, 2, 3), mask(1, 9, 3), mask(1, 2, 9)}) == 4
