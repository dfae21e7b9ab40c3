"""Every event survives the wire, and nothing else passes for one."""

from __future__ import annotations

import json
import types
import typing
from dataclasses import fields

import pytest

from chargru import events
from chargru.events import Evaluated, Landmarks, from_record, to_record

KINDS = typing.get_args(events.Event)
EXAMPLES = {int: 3, float: 1.25, str: "text", bool: True}


def example(kind):
    hints = typing.get_type_hints(kind)
    plain = {
        name: typing.get_args(hint)[0] if isinstance(hint, types.UnionType) else hint for name, hint in hints.items()
    }
    return kind(**{name: EXAMPLES[hint] for name, hint in plain.items()})


@pytest.mark.parametrize("kind", KINDS)
def test_there_and_back(kind):
    event = example(kind)
    assert from_record(json.loads(json.dumps(to_record(event)))) == event


def test_an_event_of_before_a_field_was_added_is_read():
    record = to_record(example(Evaluated))
    del record["stale"]
    assert from_record(record).stale == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_of_another_type_or_name_is_refused(kind):
    record = to_record(example(kind))
    with pytest.raises(ValueError, match="wrong fields"):
        from_record({**record, "surprise": 1})
    for each in fields(kind):
        with pytest.raises(ValueError, match=r"wrong type"):
            from_record({**record, each.name: [1]})


@pytest.mark.parametrize("name", [None, "", "landmark", "LANDMARKS", 3])
def test_an_unknown_name_is_refused(name):
    record = {**to_record(Landmarks(1.0, 1.0, 1.0, 1.0, 1)), "event": name}
    with pytest.raises(ValueError, match="unknown event"):
        from_record(record)
