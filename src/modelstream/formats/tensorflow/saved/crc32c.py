"""CRC-32C (Castagnoli, RFC 3720 appendix B.4) of bytes, as LevelDB's tables mask it.

The bytes are laid out as lanes of equal length whose sums are computed side by side, and then
joined: a sum is linear over GF(2), and shifting it past a lane of zeros is a matrix.
"""

import numpy as np
import numpy.typing as npt

_POLYNOMIAL = 0x82F63B78  # its bits reversed
_MASK_DELTA = 0xA282EAD8
_ALL_ONES = 0xFFFFFFFF
_LANES_MAX = 16_384
_BITS = np.arange(32, dtype=np.uint32)

_Words = npt.NDArray[np.uint32]


def masked_crc32c(data: bytes) -> int:
    """Return the sum of some bytes, masked so that sums of bytes that hold sums are good ones."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & _ALL_ONES


def crc32c(data: bytes) -> int:
    """Return the sum of some bytes."""
    lanes = max(1, min(_LANES_MAX, int(len(data) ** 0.5)))
    length = len(data) // lanes
    columns = np.frombuffer(data, np.uint8, lanes * length).reshape(lanes, length).T
    sums = np.zeros(lanes, np.uint32)
    table = _table()
    for column in np.ascontiguousarray(columns):
        sums = table[(sums ^ column) & 0xFF] ^ (sums >> 8)
    shift = _zeros(table, length)
    crc = _ALL_ONES
    for each in sums.tolist():
        crc = _times(shift, crc) ^ each
    for byte in data[lanes * length :]:
        crc = int(table[(crc ^ byte) & 0xFF]) ^ (crc >> 8)
    return crc ^ _ALL_ONES


def _table() -> _Words:
    """Return the sum of each single byte, followed by nothing."""
    sums = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        sums = np.where(sums & 1, (sums >> 1) ^ _POLYNOMIAL, sums >> 1).astype(np.uint32)
    return sums


def _zeros(table: _Words, length: int) -> list[int]:
    """Return the matrix, as the images of single bits, that a sum meets over zero bytes."""
    matrix: list[int] = (1 << _BITS).tolist()
    step = [int(table[bit & 0xFF]) ^ (bit >> 8) for bit in matrix]
    while length:
        if length & 1:
            matrix = [_times(step, image) for image in matrix]
        step = [_times(step, image) for image in step]
        length >>= 1
    return matrix


def _times(matrix: list[int], crc: int) -> int:
    image = 0
    while crc:
        lowest = crc & -crc
        image ^= matrix[lowest.bit_length() - 1]
        crc ^= lowest
    return image
