"""The writing side of a member: results and positions in one step, tried again while that can help."""

import logging
import time

from confluent_kafka import KafkaException

from modelstream.limits import KAFKA_COMMIT_SECONDS_MAX, KAFKA_REBALANCE_SECONDS_MAX
from modelstream.log.groups import fenced
from modelstream.log.kafka.address import KafkaAddress
from modelstream.log.kafka.errors import LASTING, LOST_MEMBERSHIP, NEW_GENERATION, log_error, told
from modelstream.log.kafka.member import Member, Tenure
from modelstream.log.kafka.transactions import Covered, Plain, Runs, Transactions
from modelstream.messages import TopicPartition

_log = logging.getLogger("modelstream.kafka")
# Between two attempts: the first pause, and the longest that it doubles to.
_PAUSE_SECONDS_MIN = 0.05
_PAUSE_SECONDS_MAX = 2.0


class Commits:
    """The producer of one member, with transactions where results are delivered exactly once.

    What a killed predecessor left open is ended first, so that positions can be read afterwards.
    `unsettled` tells that it is not known whether the last commit was done. Raises LogError.
    """

    def __init__(self, address: KafkaAddress, transactional_id: str) -> None:
        self.unsettled = False
        self._producer: Transactions | Plain = (
            Transactions(address, transactional_id)
            if address.delivery == "exactly_once"
            else Plain(address)
        )
        with told("cannot begin to write transactions"):
            self._end_open()

    def write(self, member: Member, runs: Runs, covers: dict[TopicPartition, int]) -> None:
        """Write results and positions. Raises Fenced, LogUnavailable, LogError."""
        began = time.monotonic()
        pause_seconds = _PAUSE_SECONDS_MIN
        tenures = member.tenures(covers)
        if tenures.keys() != covers.keys():
            raise fenced(sorted(covers))
        while True:
            try:
                if not (self.unsettled and self._is_committed(member, covers)):
                    self._attempt(member, runs, covers, tenures)
            except KafkaException as error:
                failure, code = error.args[0], error.args[0].code()
                seconds = time.monotonic() - began
                if code in NEW_GENERATION and seconds < KAFKA_REBALANCE_SECONDS_MAX:
                    _log.info("a commit met a rebalance: %s; it is tried again", failure.str())
                elif code in LOST_MEMBERSHIP:
                    raise fenced(sorted(covers)) from error
                else:
                    self.unsettled = True
                    if code in LASTING or not covers or seconds > KAFKA_COMMIT_SECONDS_MAX:
                        raise log_error("nothing was committed", failure) from error
                    _log.warning("a commit failed: %s; it is tried again", failure.str())
            else:
                return
            time.sleep(pause_seconds)
            pause_seconds = min(_PAUSE_SECONDS_MAX, 2 * pause_seconds)

    def settle(self) -> None:
        """End what a failed commit left open; what was done is then seen. Raises LogError."""
        with told("cannot read what was committed"):
            self._end_open()
        self.unsettled = False

    def close(self) -> None:
        """Release the producer."""
        self._producer.close()

    def _attempt(
        self,
        member: Member,
        runs: Runs,
        covers: dict[TopicPartition, int],
        tenures: dict[TopicPartition, Tenure],
    ) -> None:
        if isinstance(self._producer, Plain):
            self._producer.run(runs)
            if covers:
                member.commit(covers)
        else:
            covered = Covered(covers, member.metadata(tenures)) if covers else None
            self._producer.run(runs, covered)

    def _is_committed(self, member: Member, covers: dict[TopicPartition, int]) -> bool:
        """Tell whether a commit whose answer was lost had been done. Raises KafkaException."""
        self._end_open()
        done = bool(covers) and member.committed(covers) == covers
        self.unsettled = False
        return done

    def _end_open(self) -> None:
        if isinstance(self._producer, Transactions):
            self._producer.settle()
