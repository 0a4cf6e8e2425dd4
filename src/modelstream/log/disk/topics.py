"""The topics of a log on disk, and the row that each partition has in the database."""

from dataclasses import dataclass

from modelstream.log.base import TopicInfo
from modelstream.log.disk.store import Row, Store
from modelstream.log.topics import check_partition, check_same, check_topic, unknown_topic

_TOPICS = "select id, name, partitions, compacted, retention_ms from topic"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic, and the database's number of each of its partitions."""

    info: TopicInfo
    rows: tuple[int, ...]

    def row(self, partition: int) -> int:
        """Return the number of a partition. Raises UnknownTopic."""
        check_partition(self.info, partition)
        return self.rows[partition]


class Topics:
    """Topics by name, looked up once: they are never changed and never dropped."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, Topic] = {}

    def create(self, wanted: TopicInfo) -> TopicInfo:
        """Make a topic, or return the one that is there. Raises LogError."""
        check_topic(wanted)
        with self._store.write() as db:
            there = db.execute(f"{_TOPICS} where name = ?", (wanted.name,)).fetchone()
            if there is not None:
                return check_same(_info(there), wanted)
            made = db.execute(
                "insert into topic (name, partitions, compacted, retention_ms) values (?, ?, ?, ?)",
                (wanted.name, wanted.partitions, wanted.compacted, wanted.retention_ms),
            )
            db.executemany(
                "insert into partition (topic, number) values (?, ?)",
                ((made.lastrowid, number) for number in range(wanted.partitions)),
            )
        return wanted

    def all(self) -> dict[str, TopicInfo]:
        """Return every topic by name."""
        infos = [_info(row) for row in self._store.rows(f"{_TOPICS} order by name")]
        return {info.name: info for info in infos}

    def find(self, name: str) -> Topic:
        """Return a topic. Raises UnknownTopic."""
        topic = self._known.get(name)
        if topic is None:
            rows = self._store.rows(f"{_TOPICS} where name = ?", (name,))
            if not rows:
                raise unknown_topic(name, self.all())
            partitions = self._store.rows(
                "select id from partition where topic = ? order by number", (rows[0][0],)
            )
            topic = Topic(_info(rows[0]), tuple(number for (number,) in partitions))
            self._known[name] = topic
        return topic


def _info(row: Row) -> TopicInfo:
    _, name, partitions, compacted, retention_ms = row
    return TopicInfo(name, partitions, bool(compacted), retention_ms)
