"""Latencies as `cofferdam load --histogram` tells them: HdrHistogram's V2 encoding in base64."""

import base64
import struct
from collections import Counter

HEADER = struct.Struct(">iiiiqqd")


def read(text: str) -> Counter:
    """How often each latency occurred, in microseconds."""
    data = base64.b64decode(text)
    _cookie, length, _offset, digits, lowest, _highest, _ratio = HEADER.unpack_from(data)
    half = 1 << ((2 * 10**digits - 1).bit_length() - 1)
    shift = max(lowest, 1).bit_length() - 1
    counts, place = Counter(), 0
    for number in numbers(data[HEADER.size : HEADER.size + length]):
        if number > 0:
            counts[value_ns(place, half, shift) / 1000] = number
        # A negative one is a run of places without any.
        place += 1 if number >= 0 else -number
    return counts


def quantile_us(counts: Counter, part: float) -> float:
    """The latency that this part of all was as quick as; 0 where there are none."""
    left = part * counts.total()
    for value in sorted(counts):
        left -= counts[value]
        if left <= 0:
            return value
    return 0.0


def value_ns(place: int, half: int, shift: int) -> int:
    """The least latency of a place: each doubling has `half` of them, the first has twice as many."""
    doubling, rest = max(place // half - 1, 0), place % half
    return (rest + (half if place >= half else 0)) << (doubling + shift)


def numbers(data: bytes) -> list[int]:
    """Zigzag numbers of seven bits a byte, nine bytes at most, the last of which has eight."""
    all_numbers, number, bits = [], 0, 0
    for byte in data:
        if bits == 56:
            number, more = number | byte << bits, False
        else:
            number, more = number | (byte & 0x7F) << bits, byte >= 0x80
        bits += 7
        if not more:
            all_numbers.append(number >> 1 ^ -(number & 1))
            number, bits = 0, 0
    return all_numbers
