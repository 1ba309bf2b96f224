"""Messages of every sort, and what goes wrong with messages, from a seed."""

from __future__ import annotations

import json
import random
import struct
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from engine.wire.batch import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

KPIS = ("load", "nobody's", "elsewhere", "größe")
HOSTS = ("h1", "h2", "ü", "x" * 40)
TOKENS = (
    *b'" "" "a" \\ \\" \\u0041 \\ud800 { } {} [ ] [1] , :'.split(),
    *b"null true NaN Infinity -0 0 -0.0 00 1e400 1e-400 1.5e3 - + e".split(),
    *b"9007199254740993 12345678901234567890 0.1000000000000000055511151231257827 1700000000 1700000000000".split(),
    *(b" ", b"\n", b"\t", b"\r", b"\x00", b"\x1f", b"\x7f"),
    *(b"\xff", b"\xc3\xa4", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80"),
)
TIMES = (
    "2013-02-08T05:00:00Z",
    "2013-02-08T00:00:00.25-05:00",
    "2024-02-29T23:59:59.9999999+14:00",
    "2023-02-29T00:00:00Z",
    "1899-12-31T23:59:59Z",
    "1900-01-01T00:00:00+01:00",
    "2999-12-31T23:59:59.999999Z",
    "2013-02-08t05:00:00z",
    "2013-02-08T24:00:00Z",
    "2013-02-08T05:00:60Z",
    "2013-02-08T05:00:00",
    "2013-02-08 05:00:00Z",
    "2013-02-08T05:00:00.Z",
    "2013-13-01T00:00:00Z",
    "2013-02-08T05:00:00+24:00",
    "2013-02-08T05:00:00-00:59",
    "0000-01-01T00:00:00Z",
    "20130208T050000Z",
)


class Messages:
    """An endless draw of messages."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield self.message()

    def message(self) -> bytes:
        """One message: mostly sound, or with one to three wounds."""
        chance = self._chance
        if chance.random() < 0.01:
            return chance.choice(TOKENS)
        text = self._sound()
        if chance.random() < 0.03:
            text = b"[" + b",".join([text, *(self._sound() for _ in range(chance.randrange(3)))]) + b"]"
        elif chance.random() < 0.03:
            text = b"\n".join([text, self._sound()])
        for _ in range(chance.choice((0, 0, 0, 0, 0, 1, 1, 1, 2, 3))):
            text = self._wounded(text)
        return text

    def record(self) -> Record:
        """The message as a record, some with headers and keys."""
        chance = self._chance
        headers: tuple[tuple[str, bytes], ...] = ()
        if chance.random() < 0.05:
            headers = tuple((chance.choice(("trace", "x" * 20, "ä", "")), b"1" * chance.randrange(3)) for _ in range(2))
        key = chance.choice((None, b"", b"key", b"k" * 200))
        return Record(key, None if chance.random() < 0.005 else self.message(), headers)

    def _sound(self) -> bytes:
        """A measurement, its fields in any order and spaces here and there."""
        chance = self._chance
        fields = {
            "kpi": self._string(chance.choices(KPIS, (40, 1, 1, 2))[0]),
            "time": self._time(),
            "value": self._number(),
        }
        if chance.random() < 0.8:
            fields["dimensions"] = self._dimensions()
        if chance.random() < 0.9:
            fields["id"] = self._string(self._id())
        if chance.random() < 0.1:
            fields["source"] = chance.choices((b"null", b'"meter"', b'"crm"', b'""'), (9, 9, 1, 9))[0]
        if chance.random() < 0.3:
            sorts = (b'"automated"', b'"self_reported"', b'"self_reportet"', b'"automatic"')
            fields["provenance"] = chance.choices(sorts, (9, 9, 1, 1))[0]
        if chance.random() < 0.3:
            revisions = (b"0", b"1", b"2147483647", b"2147483648", b"-1", b"1.0", b"1e0")
            fields["revision"] = chance.choices(revisions, (9, 9, 9, 1, 1, 1, 1))[0]
        if chance.random() < 0.03:
            del fields[chance.choice(list(fields))]
        if chance.random() < 0.05:
            fields[chance.choice(list(fields))] = chance.choice(TOKENS)
        named = list(fields.items())
        if chance.random() < 0.5:
            chance.shuffle(named)
        return self._object([(json.dumps(name).encode(), value) for name, value in named])

    def _object(self, named: list[tuple[bytes, bytes]]) -> bytes:
        chance = self._chance
        comma, colon = chance.choices(((b",", b":"), (b", ", b": "), (b" ,\n", b" :\t")), (8, 8, 1))[0]
        return b"{" + comma.join(name + colon + value for name, value in named) + b"}"

    def _string(self, text: str) -> bytes:
        return json.dumps(text, ensure_ascii=self._chance.random() < 0.02).encode()

    def _dimensions(self) -> bytes:
        chance = self._chance
        named = [(b'"host"', self._string(chance.choice(HOSTS)))]
        if chance.random() < 0.3:
            named.append((b'"zone"', self._string(chance.choice(("eu", "us")))))
        if chance.random() < 0.02:
            named += chance.choice(self._odd_dimensions())
        return self._object(named[chance.random() < 0.1 :])

    def _odd_dimensions(self) -> list[list[tuple[bytes, bytes]]]:
        """One that stands twice, too many, and those that are not strings."""
        many = [(b'"d%d"' % number, b'"x"') for number in range(self._chance.choice((14, 15, 16)))]
        return [[(b'"zone"', b'"eu"')], [(b'"host"', b'"a"')], many, [(b'"n"', b"1")], [(b'"n"', b"null")]]

    def _id(self) -> str:
        chance = self._chance
        if chance.random() < 0.05:
            return chance.choice(("", "y" * 256, "z" * 257, "\u00e4" * 256))
        return chance.choice(("a", "id-7", "\u00e4" * 3, "x" * 41, str(chance.random())))

    def _time(self) -> bytes:
        chance = self._chance
        drawn = chance.random()
        if drawn < 0.1:
            return json.dumps(chance.choice(TIMES)).encode()
        seconds = chance.randrange(-2 * 10**9, 3 * 10**10)
        if drawn < 0.6:
            moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
            zone = chance.choice(("Z", "Z", "Z", "+05:30", "-11:00"))
            fraction = chance.choice(("", "", ".5", ".123456", ".123456789"))
            return f'"{moment:%Y-%m-%dT%H:%M:%S}{fraction}{zone}"'.encode()
        if drawn < 0.65:
            return str(chance.choice((10**11, 10**11 + 1, -(10**11), 0, -1))).encode()
        return str(chance.choice((seconds, float(seconds), seconds + chance.random()))).encode()

    def _number(self) -> bytes:
        chance = self._chance
        drawn = chance.randrange(6)
        if drawn == 0:
            return str(chance.randrange(-(10**6), 10**6)).encode()
        if drawn == 1:
            return f"{chance.gauss(0, 1000):.{chance.randrange(8)}f}".encode()
        if drawn == 2:
            return repr(chance.gauss(0, 1) * 10.0 ** chance.randrange(-30, 30)).encode()
        if drawn == 3:
            return json.dumps(struct.unpack("d", chance.randbytes(8))[0]).encode()
        return self._odd_number() if chance.random() < 0.3 else b"17"

    def _odd_number(self) -> bytes:
        chance = self._chance
        if chance.random() < 0.5:
            return b"%de%d" % (chance.randrange(10 ** chance.randrange(1, 22)), chance.randrange(-330, 330))
        odd = b"0 -0 -0.0 0.0 1E5 1e+5 1.e5 .5 01 9999999999999999999 0.000000000000000000000000000000001"
        return chance.choice(odd.split())

    def _wounded(self, text: bytes) -> bytes:
        """A byte changed, something cut out, put in, doubled or cut off."""
        chance = self._chance
        place = chance.randrange(len(text) + 1)
        wound = chance.randrange(6)
        if wound == 0:
            return text[:place] + bytes([chance.randrange(256)]) + text[place + 1 :]
        if wound == 1:
            return text[:place] + text[place + chance.randrange(1, 4) :]
        if wound == 2:
            return text[:place] + chance.choice(TOKENS) + text[place:]
        if wound == 3:
            end = place + chance.randrange(1, 30)
            return text[:end] + text[place:end] + text[end:]
        if wound == 4:
            return text[:place]
        return text[:place] + chance.choice(TOKENS) + text[place + chance.randrange(1, 6) :]
