import asyncio
import hashlib
import json

import pytest

from rekog_emotion.server.bodies import Intake
from rekog_emotion.server.protocol import RefusedError


def taken(*pieces, length=None, **limits):
    """Return a body that comes in pieces, or the status and code of its refusal."""
    incoming = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    incoming[-1]["more_body"] = False

    async def receive():
        return incoming.pop(0)

    async def take():
        return await Intake(timeout=10, **{"largest": 10, "held": 10, "modest": 0, "small": 3, **limits}).take(
            receive, length=length
        )

    try:
        return asyncio.run(take())
    except RefusedError as refused:
        return refused.answer.status, json.loads(refused.answer.body)["__type"]


TOO_LARGE = (413, "RequestEntityTooLargeException")


@pytest.mark.parametrize("pieces", [(b"",), (b"123",), (b"12", b"3456"), (b"1", b"2", b"", b"3", b"4")])
def test_a_body_is_all_its_pieces(pieces):
    """With their digest; one piece alone is not copied."""
    body, whole = taken(*pieces), b"".join(pieces)

    assert bytes(body.content) == whole
    assert body.digest == hashlib.sha256(whole).hexdigest()
    assert body.turned_out is False
    if len(pieces) == 1:
        assert body.content is pieces[0]


@pytest.mark.parametrize(
    ("pieces", "length"),
    [
        ((b"12345", b"67890"), None),
        ((b"1234567890",), "10"),
        # What is no number says nothing.
        *(((b"1",), odd) for odd in ("", "x", "-1", "1e9", "٩٩٩", "²")),
    ],
)
def test_the_largest_body(pieces, length):
    """A body may have all the bytes that one may have."""
    assert bytes(taken(*pieces, length=length).content) == b"".join(pieces)


@pytest.mark.parametrize(("pieces", "length"), [((b"12345", b"678901"), None), ((b"1",), "11"), ((b"1" * 11,), "5")])
def test_a_body_that_is_too_large(pieces, length):
    """One byte more is refused, by what the request says of its length, or when it has come."""
    assert taken(*pieces, length=length) == TOO_LARGE


@pytest.mark.parametrize(
    ("pieces", "length", "held"),
    [
        ((b"123",), None, 0),  # so much needs no room
        ((b"1234",), None, 10),
        ((b"1234",), "4", 4),
        ((b"12", b"34"), "4", 4),
        ((b"12345678",), "4", 8),  # more came than was said
    ],
)
def test_the_room_that_a_body_takes(pieces, length, held):
    """As much as it says that it has, as much as it may have where it says nothing; given back when it is released."""
    body = taken(*pieces, length=length)

    assert body.held == held
    assert body._room._free == 10 - held
    assert (body in body._room.unverified) == bool(held)
    body.verified()
    assert body not in body._room.unverified
    body.release()
    assert (body._room._free, body.held, body.content) == (10, 0, b"")


def test_keys_share_the_room():
    """Each has its part of it, and room for one body at least."""
    rooms = {many: Intake(timeout=1, keys=range(many), largest=10, held=40)._rooms for many in (1, 2, 8)}

    assert {many: [room._free for room in of.values()] for many, of in rooms.items()} == {
        1: [40],
        2: [20] * 2,
        8: [10] * 8,
    }
