"""Bytes and their encodings of text (PFA 0.8.1, bytes.*)."""

import base64
import binascii
from collections.abc import Callable

from modelstream.formats.pfa.faults import Fault, check_size
from modelstream.formats.pfa.functions.arrays import span
from modelstream.formats.pfa.library import LibraryFunction, plain

# Each encoding's name here and in Python, and the codes of its decoder's and encoder's faults.
_ENCODINGS = (
    ("Ascii", "ascii", 16090, 16150),
    ("Latin1", "latin-1", 16100, 16160),
    ("Utf8", "utf-8", 16110, 16170),
    ("Utf16", "utf-16", 16120, 16180),
    ("Utf16be", "utf-16-be", 16130, 16190),
    ("Utf16le", "utf-16-le", 16140, 16200),
)


def _decoder(encoding: str, code: int) -> Callable[[bytes], str]:
    def rule(x: bytes) -> str:
        try:
            return x.decode(encoding)
        except UnicodeDecodeError:
            raise Fault("invalid bytes", code) from None

    return rule


def _encoder(encoding: str, code: int) -> Callable[[str], bytes]:
    def rule(s: str) -> bytes:
        try:
            return s.encode(encoding)
        except UnicodeEncodeError:
            raise Fault("invalid string", code) from None

    return rule


def _tester(encoding: str) -> Callable[[bytes | str], bool]:
    decode, encode = _decoder(encoding, 0), _encoder(encoding, 0)

    def rule(x: bytes | str) -> bool:
        try:
            _ = decode(x) if isinstance(x, bytes) else encode(x)
        except Fault:
            return False
        return True

    return rule


def _from_base64(s: str) -> bytes:
    try:
        return base64.b64decode(s, validate=True)
    except (binascii.Error, ValueError):
        raise Fault("invalid base64", 16220) from None


def _subseq_to(x: bytes, start: int, end: int, replacement: bytes) -> bytes:
    first, last = span(len(x), start, end)
    check_size(len(x) + len(replacement))
    return x[:first] + replacement + x[last:]


def _of_encoding(
    word: str, encoding: str, decode_code: int, encode_code: int
) -> tuple[LibraryFunction, ...]:
    return (
        plain(
            f"bytes.is{word}",
            "(x: bytes) -> boolean",
            "(x: string) -> boolean",
            rule=_tester(encoding),
        ),
        plain(f"bytes.decode{word}", "(x: bytes) -> string", rule=_decoder(encoding, decode_code)),
        plain(f"bytes.encode{word}", "(x: string) -> bytes", rule=_encoder(encoding, encode_code)),
    )


FUNCTIONS: tuple[LibraryFunction, ...] = (
    plain("bytes.len", "(x: bytes) -> int", rule=len),
    plain(
        "bytes.subseq",
        "(x: bytes, start: int, end: int) -> bytes",
        rule=lambda x, start, end: x[slice(*span(len(x), start, end))],
    ),
    plain(
        "bytes.subseqto",
        "(x: bytes, start: int, end: int, replacement: bytes) -> bytes",
        rule=_subseq_to,
    ),
    *(function for each in _ENCODINGS for function in _of_encoding(*each)),
    plain("bytes.toBase64", "(x: bytes) -> string", rule=lambda x: base64.b64encode(x).decode()),
    plain("bytes.fromBase64", "(s: string) -> bytes", rule=_from_base64),
)
