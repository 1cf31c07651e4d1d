"""The two checksums of 16 bits in use."""

from binascii import crc_hqx

_REVERSED = bytes(int(f"{n:08b}"[::-1], 2) for n in range(256))


def x25(data: bytes) -> int:
    """CRC-16/X-25 of GT06 (devices.md §3): the standard library has the unreflected one, so bytes and result are mirrored."""
    value = crc_hqx(data.translate(_REVERSED), 0xFFFF)
    return (_REVERSED[value & 0xFF] << 8 | _REVERSED[value >> 8]) ^ 0xFFFF


def _entry(n: int) -> int:
    for _ in range(8):
        n = n >> 1 ^ (0xA001 if n & 1 else 0)
    return n


_ARC = tuple(_entry(n) for n in range(256))


def arc(data: bytes) -> int:
    """CRC-16/ARC of SIA DC-09 (devices.md §6): polynomial A001, begin 0."""
    value = 0
    for byte in data:
        value = value >> 8 ^ _ARC[(value ^ byte) & 0xFF]
    return value
