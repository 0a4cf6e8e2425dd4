"""Hashes are those of CatBoost: what it wrote into a model that was trained on these words."""

import pytest

from modelstream.formats.trees.cityhash import city_hash64

# By the number of bytes: up to 3, 7, 8, 16, 32, 64, and beyond.
SEEN = {
    "": 797982799,
    " ": 1163751643,
    "2su": 1495470378,
    "26sz": 2133774629,
    "h513epzt": -1945366929,
    " Ä c8w6ko": -2028295796,
    " bet 7t2yddlv8ac": -1654035211,
    "7Äzs8ioz egÄ3z7p": -966874881,
    "6f3c0af3u4ffx753cetÖ1q1i": -536186755,
    "1im4zluyek0z2漢tlpi7boc5 q1oso0": -1000672927,
    " atgav8gn6Äm5keuu8lxrd3muug0ckemc": -1448060126,
    "ub9eeÄp5mgt3yi漢vz0Öedtq4ioi1ns07fq122d nif9q": -153521994,
    "607j2tyr6deirfy0qfnl2w3b3zv4pv漢kz1ys8 acjoiv8sÖÄo1to9l7 iÄ": 905296975,
    "4rj2l漢ohmx4hlyÖbqfc8zx0ÄpzhopÖsom3cbÄpws0cf698jz5s5j漢sqv": -1696888220,
    "h漢01g6e3fq49sy4Äga5tpÖ7eki漢ubf漢c6k4Öw3rxvw1w96iw80Ömpo9": 1701961552,
    "wpj漢8c漢0rpxeÖy1jy nc漢j6vÄdt9k60z44m漢ow dgvc0qsma4ecÄd4o0mf9o0ad8xq ql漢n61ai75x9i3": -329450813,
    "mÄ2rp4漢f漢Äwazidfbg8Öcf0b4zllddexmywr9djuxb7qykybhp5r漢ejbt64mchgv1ÖdpÖvpw0fg1漢36op98s0v0w4dÄcc4Ä1jesÄokde672nyf94": -1723475747,
    "21漢k0q36d4tg bhdqtj 52ztb3s漢ha7vxjy6漢sdjtvgr6asÖ9alt5pkrqhpÖwÄxgwj259pi漢h s77 k5narpyfsd 0漢o66o 6q8fziy6Öxror l5ms7b": 1020509084,
    "d1bhtq7gwmenu漢ÖwivtÖdl67zzptxlr46i43iuyym6el3tqe漢vx漢6fj漢wmwlcÖ9Özd403gh7pf3漢djjvxxqtata5 rezwjgh18elgÖckfÄÄ71iuc07cv4x50135 0mh2o tl9frz": 1138109657,
}


@pytest.mark.parametrize("text", SEEN, ids=lambda text: str(len(text.encode())))
def test_the_low_half_is_what_catboost_knows_a_word_by(text: str) -> None:
    low = city_hash64(text.encode()) % 2**32
    assert SEEN[text] == (low if low < 2**31 else low - 2**32)


def test_a_hash_has_64_bits_and_every_byte_counts() -> None:
    for size in (1, 5, 12, 20, 40, 70, 200):
        word = bytearray(b"a" * size)
        hashes = {city_hash64(bytes(word))}
        for at in range(0, size, max(1, size // 7)):
            word[at] = ord("b")
            hashes.add(city_hash64(bytes(word)))
        assert len(hashes) == 1 + len(range(0, size, max(1, size // 7)))
        assert all(0 <= each < 2**64 for each in hashes)
    assert city_hash64(b"") == 0x9AE16A3B2F90404F
