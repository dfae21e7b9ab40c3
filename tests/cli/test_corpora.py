from __future__ import annotations

import json

from .conftest import Command


def test_the_texts_that_can_be_named_are_listed(chargru: Command) -> None:
    assert chargru("corpora") == 0
    names = [line.split()[0] for line in chargru.out.splitlines()]
    assert names[0] == "NAME"
    assert {"python-reference", "python-stdlib"} <= set(names)


def test_json_lists_the_same_texts(chargru: Command) -> None:
    assert chargru("corpora") == 0
    names = [line.split()[0] for line in chargru.out.splitlines()[1:]]
    assert chargru("corpora", "--json") == 0
    found = [json.loads(line) for line in chargru.out.splitlines()]
    assert [each["name"] for each in found] == names
    assert all(set(each) == {"name", "title", "description", "language", "characters"} for each in found)
    assert chargru.err == ""
