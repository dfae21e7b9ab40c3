"""Text that comes in pieces is the text that is decoded at once."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargru.text import blocks
from chargru.text.blocks import Blocks
from chargru.text.decoding import COUNTING, decode
from chargru.text.pieces import Pieces


def pieces_of(data: bytes, codec: str, errors: str = "strict") -> Pieces:
    return Pieces(Blocks(io.BytesIO(data), len(data), "x"), codec, errors)


@given(
    st.text(st.sampled_from("a\r\n\ufeffé한🙂\0"), max_size=30),
    st.sampled_from(["utf-8", "utf-16", "utf-16-be", "utf-32", "gb18030"]),
    st.integers(1, 5),
)
def test_the_pieces_are_the_whole(text: str, codec: str, block: int) -> None:
    data = text.encode(codec)
    whole = decode(data, "x", codec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK", block)
        pieces = pieces_of(data, codec)
        found = list(pieces)
    assert "".join(found) == whole.text
    assert all(found)
    assert pieces.characters == len(whole.text)
    told = pieces.outcome("", given=True)
    assert (told.encoding, told.crlf, told.lone_cr, told.nuls) == (codec, whole.crlf, whole.lone_cr, whole.nuls)


def test_bad_bytes_are_counted_from_the_beginning_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 2)
    pieces = pieces_of("한글".encode() + b"\xff\xed\xa0" + b"end\xe2", "utf-8", COUNTING)
    assert "".join(pieces) == "한글\ufffd\ufffd\ufffdend\ufffd"
    assert (pieces.bad.count, pieces.bad.first) == (4, 6)


def test_what_is_not_this_codec_raises() -> None:
    with pytest.raises(UnicodeError):
        list(pieces_of(b"abc\xff", "utf-8"))
