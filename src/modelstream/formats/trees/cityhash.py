"""CityHash64 1.0, by which CatBoost knows a category; later versions of it give other numbers.

The function is that of Geoff Pike and Jyrki Alakuijala (Google, 2011), written anew in Python.
"""

_K0 = 0xC3A5C85C97CB3127
_K1 = 0xB492B66FBE98F273
_K2 = 0x9AE16A3B2F90404F
_K3 = 0xC949D7C7509E6557
_MIX = 0x9DDFEA08EB382D69
_64 = 0xFFFF_FFFF_FFFF_FFFF


def city_hash64(data: bytes) -> int:
    """Return a number from 0 to 2^64 - 1."""
    size = len(data)
    if size <= 16:
        return _up_to_16(data, size)
    if size <= 32:
        return _up_to_32(data, size)
    return _up_to_64(data, size) if size <= 64 else _long(data, size)


def _up_to_16(data: bytes, size: int) -> int:
    if size > 8:
        end = _word(data, size - 8)
        return _two(_word(data, 0), _turned(end + size & _64, size)) ^ end
    if size >= 4:
        return _two(size + (_half(data, 0) << 3), _half(data, size - 4))
    if size:
        low = data[0] + (data[size >> 1] << 8)
        high = size + (data[-1] << 2)
        return _folded(low * _K2 & _64 ^ high * _K3 & _64) * _K2 & _64
    return _K2


def _up_to_32(data: bytes, size: int) -> int:
    a = _word(data, 0) * _K1 & _64
    b = _word(data, 8)
    c = _word(data, size - 8) * _K2 & _64
    d = _word(data, size - 16) * _K0 & _64
    return _two(
        _turned(a - b & _64, 43) + _turned(c, 30) + d & _64,
        a + _turned(b ^ _K3, 20) - c + size & _64,
    )


def _up_to_64(data: bytes, size: int) -> int:
    begin = _word(data, 0) + (size + _word(data, size - 16)) * _K0 & _64
    low, high = _four(begin, _word(data, 24), _word(data, 8), _word(data, 16))
    begin = _word(data, 16) + _word(data, size - 32) & _64
    last = _word(data, size - 8), _word(data, size - 24), _word(data, size - 16)
    low_end, high_end = _four(begin, *last)
    mixed = _folded((low + high_end) * _K2 + (low_end + high) * _K0 & _64)
    return _folded(mixed * _K0 + high & _64) * _K2 & _64


def _four(a: int, z: int, second: int, third: int) -> tuple[int, int]:
    b, c = _turned(a + z & _64, 52), _turned(a, 37)
    a = a + second & _64
    c += _turned(a, 7)
    a = a + third & _64
    return a + z & _64, b + _turned(a, 31) + c & _64


def _long(data: bytes, size: int) -> int:
    x = _word(data, 0)
    y = _word(data, size - 16) ^ _K1
    z = _word(data, size - 56) ^ _K0
    v = _seeded(data, size - 64, size, y)
    w = _seeded(data, size - 32, size * _K1, _K0)
    z = z + _folded(v[1]) * _K1 & _64
    x = _turned(z + x & _64, 39) * _K1 & _64
    y = _turned(y, 33) * _K1 & _64
    for at in range(0, (size - 1) & ~63, 64):
        x = _turned(x + y + v[0] + _word(data, at + 16) & _64, 37) * _K1 & _64
        y = _turned(y + v[1] + _word(data, at + 48) & _64, 42) * _K1 & _64
        x ^= w[1]
        y ^= v[0]
        z = _turned(z ^ w[0], 33)
        v = _seeded(data, at, v[1] * _K1, x + w[0])
        w = _seeded(data, at + 32, z + w[1], y)
        z, x = x, z
    return _two(
        _two(v[0], w[0]) + _folded(y) * _K1 + z & _64,
        _two(v[1], w[1]) + x & _64,
    )


def _seeded(data: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    """Return a weak hash of 32 bytes and two seeds."""
    last = _word(data, at + 24)
    a = a + _word(data, at) & _64
    b = _turned(b + a + last & _64, 21)
    c = a
    a = a + _word(data, at + 8) + _word(data, at + 16) & _64
    return a + last & _64, b + _turned(a, 44) + c & _64


def _two(low: int, high: int) -> int:
    a = (low ^ high) * _MIX & _64
    a ^= a >> 47
    b = (high ^ a) * _MIX & _64
    b ^= b >> 47
    return b * _MIX & _64


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _half(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _turned(value: int, by: int) -> int:
    return (value >> by | value << 64 - by) & _64


def _folded(value: int) -> int:
    return value ^ value >> 47
