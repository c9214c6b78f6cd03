"""How large the pictures of an AVIF are by their own streams, which a decoder goes by, not by the container."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator
from itertools import islice, repeat
from typing import Final, NoReturn

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media.containers import Box, boxes

__all__ = ["stream_pixels"]

_SEQUENCE_HEADER: Final = 1  # the type of an open bitstream unit (OBU)
_PARTS: Final = 100_000  # items, samples and units of streams; more are no picture
_TIERED: Final = 7  # levels beyond have tiers
_WIDE: Final = 2  # version of an index whose numbers of items are wide
_OTHERS: Final = frozenset({b"Exif", b"mime", b"uri ", b"grid", b"iovl", b"iden", b"tmap", b"sato"})
_TRACK: Final = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


def stream_pixels(data: bytes, *, layers: int = 1) -> int:
    """Return how many pixels the AV1 streams of an AVIF have: of all its items together, or of one frame of a track.

    Args:
        data: The whole file.
        layers: How many items there are of each place: one of its colour and one of its transparency, or the first.

    Raises:
        InvalidInputError: The streams cannot be found, or are no AV1.
    """
    try:
        return _Avif(data).pixels(layers)
    except (struct.error, IndexError):
        _broken("its boxes cannot be followed")


class _Avif:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._file = io.BytesIO(data)
        self._parts = 0
        self._taken = 0

    def pixels(self, layers: int) -> int:
        """Return the pixels of the items in a layer, or of the largest frame of the tracks, whichever are more."""
        whole = Box(b"", 0, len(self._data))
        items = [self._largest([stream]) for meta in self._within(whole, b"meta") for stream in self._items(meta)]
        frames = [self._largest(self._samples(table)) for table in self._path(whole, _TRACK)]
        found = max(sum(items) // layers, *frames, 0)
        if not found:
            _broken("it has no picture (a sequence header of AV1)")
        return found

    def _path(self, outer: Box, names: tuple[bytes, ...]) -> list[Box]:
        found = [outer]
        for name in names:
            found = [box for one in found for box in self._within(one, name)]
        return found

    def _within(self, outer: Box, name: bytes) -> list[Box]:
        full = 4 if outer.name in {b"meta", b"iinf"} else 0  # version and flags
        full += 2 if outer.name == b"iinf" else 0  # how many
        if outer.name == b"iinf" and self._data[outer.begin]:
            full += 2
        end = min(outer.end, len(self._data))
        return [box for box in boxes(self._file, outer.begin + full, end) if box.name == name]

    def _items(self, meta: Box) -> Iterator[bytes]:
        """Yield the streams of the items of a meta box: by ISO/IEC 14496-12, 8.11.3."""
        kinds = dict(self._kinds(meta))
        places = [box.begin for box in self._within(meta, b"idat")]
        for box in self._within(meta, b"iloc"):
            content = _Numbers(self._data, box.begin)
            version = content.take(1)
            content.take(3)
            sizes = content.take(2)
            offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
            for _ in range(content.take(4 if version == _WIDE else 2)):
                item = content.take(4 if version == _WIDE else 2)
                method = content.take(2) & 15 if version else 0
                content.take(2)  # a file elsewhere, which nobody opens
                base = content.take(base_size)
                if method == 1:
                    base += places[0]
                parts = []
                for _ in range(content.take(2)):
                    content.take(index_size if version else 0)
                    begin = base + content.take(offset_size)
                    length = content.take(length_size)
                    parts.append(self._part(begin, length or len(self._data)))
                if kinds.get(item) not in _OTHERS:
                    if method > 1:
                        _broken("an item is made of others")
                    yield b"".join(parts)

    def _kinds(self, meta: Box) -> Iterator[tuple[int, bytes]]:
        for entry in self._path(meta, (b"iinf", b"infe")):
            wide = 4 if self._data[entry.begin] > _WIDE else 2
            item = int.from_bytes(self._data[entry.begin + 4 : entry.begin + 4 + wide], "big")
            yield item, self._data[entry.begin + 6 + wide : entry.begin + 10 + wide]

    def _samples(self, table: Box) -> Iterator[bytes]:
        """Yield the samples of a track: by ISO/IEC 14496-12, 8.7."""
        sizes = [self._sizes(box) for box in self._within(table, b"stsz")]
        chunks = [
            struct.unpack_from(f">{count}{kind}", self._data, box.begin + 8)
            for name, kind in ((b"stco", "I"), (b"co64", "Q"))
            for box in self._within(table, name)
            for count in struct.unpack_from(">I", self._data, box.begin + 4)
        ]
        runs = [
            list(struct.iter_unpack(">III", self._data[box.begin + 8 : box.begin + 8 + 12 * count]))
            for box in self._within(table, b"stsc")
            for count in struct.unpack_from(">I", self._data, box.begin + 4)
        ]
        if not (len(sizes) == len(chunks) == len(runs) == 1):
            _broken("a track has no index")
        each = iter(sizes[0])
        ends = [first - 1 for first, _, _ in runs[0][1:]] + [len(chunks[0])]
        for (first, many, _), end in zip(runs[0], ends, strict=False):  # without any run there is one end
            if end < first:
                _broken("the index of a track is in no order")
            for place in chunks[0][first - 1 : end]:
                self._count()
                begin = place
                for size in islice(each, many):
                    yield self._part(begin, size)
                    begin += size

    def _sizes(self, box: Box) -> Iterable[int]:
        same: int
        same, count = struct.unpack_from(">4xII", self._data, box.begin)
        sizes: tuple[int, ...] = struct.unpack_from(f">{0 if same else count}I", self._data, box.begin + 12)
        return repeat(same, count) if same else sizes

    def _part(self, begin: int, length: int) -> bytes:
        """Return a part of the file, of which all have at most twice as much as that: few overlap."""
        self._count()
        part = self._data[begin : begin + length]
        self._taken += len(part)
        if self._taken > 2 * len(self._data):
            _broken("its items are larger than the file")
        return part

    def _count(self) -> None:
        self._parts += 1
        if self._parts > _PARTS:
            _broken("it has too many parts")

    def _largest(self, streams: Iterator[bytes] | list[bytes]) -> int:
        """Return the pixels of the largest picture that streams may have."""
        most = 0
        for stream in streams:
            position = 0
            while position < len(stream):
                self._count()
                # Forbidden (1 bit), type (4), extension (1), size is there (1), reserved (1): AV1, 5.3.2.
                head = stream[position]
                position += 2 if head & 4 else 1
                size = len(stream) - position
                if head & 2:
                    size, position = _leb128(stream, position)
                if head >> 3 & 15 == _SEQUENCE_HEADER:
                    most = max(most, _most_pixels(stream[position : position + size]))
                position += size
        return most


def _most_pixels(header: bytes) -> int:
    """Return the pixels of the largest frame that a sequence header allows: AV1, 5.5.1."""
    bits = _Bits(header)
    bits.take(4)  # profile, still picture
    is_reduced = bits.take(1)
    if is_reduced:
        bits.take(5)
    else:
        _skip_operating_points(bits)
    lengths = bits.take(4) + 1, bits.take(4) + 1
    width, height = (bits.take(length) + 1 for length in lengths)
    # Any frame may have a size of its own, in as many bits, unless it is a still picture with a reduced header.
    return width * height if is_reduced else 1 << sum(lengths)


def _skip_operating_points(bits: _Bits) -> None:
    delay = 0
    if bits.take(1):  # timing
        bits.take(64)
        if bits.take(1):
            zeros = 0
            while not bits.take(1):
                zeros += 1
            bits.take(zeros)
        if bits.take(1):  # decoder model
            delay = bits.take(5) + 1
            bits.take(42)
    has_display_delay = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > _TIERED:
            bits.take(1)
        if delay and bits.take(1):
            bits.take(2 * delay + 1)
        if has_display_delay and bits.take(1):
            bits.take(4)


class _Bits:
    """Bits of a text, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data[:1024], "big")
        self._left = 8 * min(len(data), 1024)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            _broken("a sequence header of AV1 is cut")
        return self._value >> self._left & (1 << count) - 1


class _Numbers:
    """Numbers of so many bytes, one after the other."""

    def __init__(self, data: bytes, begin: int) -> None:
        self._data = data
        self._position = begin

    def take(self, count: int) -> int:
        self._position += count
        if self._position > len(self._data):
            _broken("its boxes cannot be followed")
        return int.from_bytes(self._data[self._position - count : self._position], "big")


def _leb128(stream: bytes, position: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, and where it ends."""
    value = 0
    for place, octet in enumerate(stream[position : position + 8]):
        value |= (octet & 127) << 7 * place
        if not octet & 128:
            return value, position + place + 1
    raise IndexError


def _broken(what: str) -> NoReturn:
    message = f"the AVIF is broken: {what}; get an intact copy of it"
    raise InvalidInputError(message)
