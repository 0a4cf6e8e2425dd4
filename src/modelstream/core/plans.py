"""The plans of all data types, kept in step with the registry and with what is in memory."""

from collections.abc import Callable, Iterable, Sequence

from modelstream.core.effects import Effect, Load, Release, Unload
from modelstream.core.plan import Plan, Roster, roster_of
from modelstream.core.policies.base import Policy
from modelstream.core.policies.single import Latest
from modelstream.core.registry import Registry
from modelstream.core.snapshot import Snapshot, plan_view
from modelstream.events import Admitted, RegistryEvent
from modelstream.limits import VERSIONS_KEPT_LOADED
from modelstream.messages import VersionId

# The versions of a data type that records wait for.
InUse = Callable[[str], set[VersionId]]


class Plans:
    """The registry's fold, and for each data type who answers and who should.

    With `on_demand` nothing is loaded for a data type before the first of its records is met.
    """

    def __init__(self, declared: Policy | None, *, on_demand: bool = False) -> None:
        self.registry = Registry()
        self._met: set[str] | None = set() if on_demand else None  # None: all are
        self._needs_plan = declared not in {None, Latest()}
        self._by_type: dict[str, Plan] = {}
        self._changed: dict[str, None] = {}  # data types whose plan is to be looked at

    def of(self, data_type: str) -> Plan | None:
        """Return a data type's plan; None while nothing was said of it."""
        return self._by_type.get(data_type)

    def all(self) -> Iterable[Plan]:
        """Return every plan."""
        return self._by_type.values()

    def awaits_plan(self, data_type: str) -> bool:
        """Tell whether the flow declares a policy that the registry does not have yet."""
        return self._needs_plan and self.registry.plan(data_type) is None

    def follow(
        self, events: Sequence[tuple[int, RegistryEvent]], in_use: InUse, *, more: bool
    ) -> list[Effect]:
        """Apply registry events; see `Machine.on_registry`."""
        for position, event in events:
            for data_type in self.registry.apply(event, position):
                roster = self._roster(data_type)
                if isinstance(event, Admitted) and roster is None:
                    continue
                plan = self._by_type.setdefault(data_type, Plan(data_type))
                plan.want(roster, position)
                self._changed[data_type] = None
        if more:
            return []
        changed, self._changed = self._changed, {}
        met = [each for each in changed if self._met is None or each in self._met]
        return [effect for each in met for effect in self._advance(each, in_use)]

    def meet(self, data_types: Iterable[str], in_use: InUse) -> list[Effect]:
        """Take note of data types that have records here; load for those that are new."""
        if self._met is None:
            return []
        new = [each for each in data_types if each not in self._met]
        self._met.update(new)
        return [
            effect
            for each in new
            if each in self._by_type
            for effect in self._advance(each, in_use)
        ]

    def leave(self, data_types: Iterable[str], in_use: InUse) -> list[Effect]:
        """Release what is loaded for data types whose records are others' to answer now."""
        effects: list[Effect] = []
        for each in data_types:
            plan = self._by_type.get(each)
            if self._met is None or plan is None or in_use(each):
                continue
            self._met.discard(each)
            effects.extend(map(Unload, plan.loads))
            plan.loads.clear()
            plan.serving = None
        return effects

    def loaded(self, version: VersionId, in_use: InUse, *, ok: bool) -> list[Effect]:
        """Take note that a Load ended."""
        plan = self._plan_of(version)
        if version not in plan.loads:
            return [Unload(version)] if ok else []
        plan.loads[version] = "ready" if ok else "failed"
        return self._advance(plan.data_type, in_use)

    def retry(self, version: VersionId) -> list[Effect]:
        """Ask again for a version whose load failed, if it is still wanted."""
        plan = self._plan_of(version)
        if plan.loads.get(version) != "failed":
            return []
        plan.loads[version] = "loading"
        return [Load(version)]

    def loading(self) -> bool:
        """Tell whether a version that should answer is still on its way."""
        return any(plan.serving != plan.wanted and plan.loading() for plan in self.all())

    def snapshot(self) -> Snapshot:
        """Return where the plans stand."""
        position = self.registry.position
        return Snapshot(
            position,
            tuple(plan_view(plan, position) for plan in self.all()),
            tuple(load for plan in self.all() for load in plan.loads.items()),
        )

    def _roster(self, data_type: str) -> Roster | None:
        return None if self.awaits_plan(data_type) else roster_of(self.registry, data_type)

    def _plan_of(self, version: VersionId) -> Plan:
        return self._by_type[self.registry.versions[version].admitted.data_type]

    def _advance(self, data_type: str, in_use: InUse) -> list[Effect]:
        """Load what a plan wants, flip to it once it is ready, release what it left behind."""
        plan = self._by_type[data_type]
        effects: list[Effect] = []
        for version in plan.wanted.ids() if plan.wanted else ():
            if version not in plan.loads:
                plan.loads[version] = "loading"
                effects.append(Load(version))
        if plan.ready() and plan.serving != plan.wanted:
            plan.flip()
            effects.append(Release())
        return effects + self._unload_unused(plan, in_use(data_type))

    def _unload_unused(self, plan: Plan, in_use: set[VersionId]) -> list[Effect]:
        """Unload versions that neither answer, nor will, nor are the way back."""
        kept = in_use | set(self.registry.recent(plan.data_type, 1 + VERSIONS_KEPT_LOADED))
        for roster in (plan.serving, plan.wanted):
            kept.update(roster.ids() if roster else ())
        unused = [version for version in plan.loads if version not in kept]
        for version in unused:
            del plan.loads[version]
        return [Unload(version) for version in unused]
