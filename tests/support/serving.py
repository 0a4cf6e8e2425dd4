"""A flow with its admitter and an instance of the join, taken forward by hand."""

from collections.abc import Sequence
from functools import partial

from modelstream import publish
from modelstream.engines.embedded import Embedded
from modelstream.models.admit import Admitter
from modelstream.models.artifacts import lowered_bytes
from modelstream.models.jail import Jail
from tests.support.flows import Rig, run_until


class Serving:
    """What serves a rig's flow; every model goes through the jail."""

    def __init__(self, rig: Rig, jail: Jail) -> None:
        self.rig = rig
        log, flow = rig.log, rig.flow
        self.admitter = Admitter(flow, log, jail)
        self.engine = Embedded(
            flow, log, partial(lowered_bytes, log=log, flow=flow, jail=jail), "one"
        )

    def publish(
        self,
        data: bytes,
        name: str,
        *,
        format: str = "",  # noqa: A002 - as in `publish`
        feature_names: Sequence[str] = (),
        stage: bool = False,
    ) -> None:
        """Publish a model, and let the instance load it where it became current."""
        log, flow = self.rig.log, self.rig.flow
        publish(log, flow, data, name=name, format=format, feature_names=feature_names, stage=stage)
        self.settle()

    def settle(self) -> None:
        """Admit what was published, and take turns until the instance serves what it should."""
        while self.admitter.step(0):
            pass
        _, end = self.rig.log.bounds(self.rig.flow.registry, 0)
        machine = self.engine.shell.machine
        run_until(
            self.engine, lambda: machine.snapshot().position == end - 1 and not machine.loading()
        )

    def answer(self) -> None:
        """Take turns until every record has its outcome."""
        run_until(self.engine, lambda: self.engine.lag() == 0)

    def close(self) -> None:
        """Leave the groups, and release every model."""
        self.engine.close()
        self.admitter.close()
