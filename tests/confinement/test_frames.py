import socket
import struct
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.confinement.frames import receive_frame, send_frame


@given(st.lists(st.binary(max_size=2000), max_size=5))
def test_frames_come_out_as_they_went_in(payloads: list[bytes]) -> None:
    here, there = socket.socketpair()
    with here, there:
        for payload in payloads:
            send_frame(here, payload)
        assert [bytes(receive_frame(there, 2000)) for _ in payloads] == payloads


def test_a_frame_larger_than_the_pipe_is_put_together() -> None:
    payload = bytes(range(256)) * 8192
    here, there = socket.socketpair()
    with here, there:
        sender = threading.Thread(target=send_frame, args=(here, payload))
        sender.start()
        assert receive_frame(there, len(payload)) == payload
        sender.join()


def test_a_frame_over_the_limit_is_refused_before_it_is_read() -> None:
    here, there = socket.socketpair()
    with here, there:
        here.sendall(struct.pack("<Q", 2**63))
        with pytest.raises(ValueError, match="at most 10"):
            receive_frame(there, 10)


@pytest.mark.parametrize("sent", [b"", b"\x05", struct.pack("<Q", 5) + b"abcd"])
def test_a_frame_that_is_cut_short_is_an_end_of_file(sent: bytes) -> None:
    here, there = socket.socketpair()
    with there:
        here.sendall(sent)
        here.close()
        with pytest.raises(EOFError, match="ended after"):
            receive_frame(there, 10)


def test_a_frame_that_drips_in_is_not_waited_for_without_end() -> None:
    here, there = socket.socketpair()
    stop = threading.Event()

    def drip() -> None:
        here.sendall(struct.pack("<Q", 1_000_000))
        while not stop.wait(0.01):
            here.sendall(b".")

    with here, there:
        dripping = threading.Thread(target=drip)
        dripping.start()
        with pytest.raises(TimeoutError, match=r"of 1000000 bytes came in time|timed out"):
            receive_frame(there, 1_000_000, seconds=0.2)
        stop.set()
        dripping.join()
