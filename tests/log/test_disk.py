"""What is particular to the log on disk: files, processes, and what can go wrong with them.

The contract is in tests/contracts/log and tests/contracts/embedded, kills are in
tests/faults/test_disk_kill.py.
"""

import errno
import os
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream import limits
from modelstream.errors import LogError
from modelstream.log.disk import DiskLog, schema
from modelstream.log.disk.failures import explained
from modelstream.log.disk.segments import Segments
from modelstream.log.disk.store import Store
from modelstream.messages import Outgoing
from tests.support.logs import BYTES, WoundClock, covers, poll, read_all, take_values


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def log(path: Path) -> Iterator[DiskLog]:
    with closing(DiskLog(path)) as log:
        log.create_topic("a")
        yield log


def segments(path: Path, partition: int = 1) -> list[Path]:
    """Return the segment files of a partition, by its row in the database."""
    return sorted((path / "records" / str(partition)).iterdir())


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def read_on(log: DiskLog, values: list[bytes]) -> None:
    """Read record after record until the log refuses."""
    while True:
        values.extend(log.read("a", 0, len(values), 50, BYTES).values)


def flip(file: Path, at: int) -> None:
    """Change one bit of a file."""
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)


def check_integrity(path: Path) -> None:
    with closing(sqlite3.connect(path / "log.db")) as db:
        assert db.execute("pragma integrity_check").fetchall() == [("ok",)]


# -- files and processes --------------------------------------------------------------------------


def test_everything_is_there_again_after_closing(path: Path) -> None:
    with closing(DiskLog(path)) as log:
        log.create_topic("a", 2, retention_ms=10**12)
        log.append(Outgoing("a", [b"1", b"2"], partition=1))
        consumer = log.consumer("g", ["a"], instance="one")
        consumer.commit(covers(poll(consumer, 1)))
        digest = log.blobs.put(b"model")
    with closing(DiskLog(path)) as log:
        assert log.topics()["a"].retention_ms == 10**12
        assert read_all(log, "a", 1) == [b"1", b"2"]
        assert log.committed("g", "a", 1) == 1
        assert log.blobs.get(digest) == b"model"
        assert take_values(log.consumer("g", ["a"], instance="one"), 1) == [b"2"]


def test_closing_twice_is_harmless_and_a_closed_log_says_so(path: Path) -> None:
    log = DiskLog(path)
    log.create_topic("a")
    consumer = log.consumer("g", ["a"], instance="one")
    log.close()
    log.close()
    for call in (
        lambda: log.append(Outgoing("a", [b"x"])),
        lambda: log.read("a", 0, 0, 1, 1),
        lambda: log.create_topic("b"),
        lambda: poll(consumer),
        consumer.close,
    ):
        with pytest.raises(LogError, match="was closed: open it again"):
            call()


def test_a_waiting_poll_is_told_that_the_log_was_closed(path: Path) -> None:
    log = DiskLog(path)
    log.create_topic("a")
    consumer = log.consumer("g", ["a"], instance="one")
    told: list[LogError] = []

    def wait() -> None:
        try:
            consumer.poll(1, 30_000, BYTES)
        except LogError as error:
            told.append(error)

    waiter = threading.Thread(target=wait)
    waiter.start()
    log.close()
    waiter.join()
    assert "was closed" in str(told[0])


WRITER = """
import sys
from pathlib import Path
from modelstream.log.disk import DiskLog
from modelstream.messages import Outgoing
log = DiskLog(Path(sys.argv[1]))
log.create_topic("shared", 3)
for number in range(100):
    log.append(Outgoing("shared", [b"%s %d" % (sys.argv[2].encode(), number)], partition=1))
log.close()
"""


def test_processes_that_open_and_write_at_once_lose_nothing(path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in "xyz"]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    with closing(DiskLog(path)) as log:
        records = read_all(log, "shared", 1)
    for name in (b"x", b"y", b"z"):
        own = [record for record in records if record.startswith(name)]
        assert own == [b"%s %d" % (name, number) for number in range(100)]
    assert len(records) == 300
    check_integrity(path)


def test_a_poll_wakes_for_the_record_of_another_process(path: Path, log: DiskLog) -> None:
    log.create_topic("shared", 3)
    consumer = log.consumer("g", ["shared"], instance="one")
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path), "x"])
    assert consumer.poll(1, 30_000, BYTES)[0].values == [b"x 0"]
    assert writer.wait() == 0


def test_power_syncs_every_commit_and_process_leaves_it_to_the_system(tmp_path: Path) -> None:
    for durability, level in (("process", 1), ("power", 2)):
        store = Store(_made(tmp_path / durability), durability)  # type: ignore[arg-type]
        with store.write() as db:
            assert db.execute("pragma synchronous").fetchone() == (level,)
        store.close()


@pytest.mark.parametrize(("durability", "synced"), [("process", False), ("power", True)])
def test_power_forces_the_records_to_the_disk_before_the_commit_that_names_them(
    path: Path, monkeypatch: pytest.MonkeyPatch, durability: schema.Durability, *, synced: bool
) -> None:
    named: list[int] = []
    with closing(DiskLog(path, durability)) as log:
        log.create_topic("a")
        monkeypatch.setattr(os, "fdatasync", lambda _: named.append(log.bounds("a", 0)[1]))
        log.append(Outgoing("a", [b"x"]))
        log.append(Outgoing("a", [b"y"]))
    assert named == ([0, 1] if synced else [])


def _made(path: Path) -> Path:
    path.mkdir()
    return path


# -- the write-ahead log --------------------------------------------------------------------------


def test_nothing_checkpoints_by_itself(path: Path, log: DiskLog) -> None:
    with closing(Store(path, "process")) as store, store.write() as db:
        assert db.execute("pragma wal_autocheckpoint").fetchone() == (0,)
        assert store.rows("pragma wal_autocheckpoint") == [(0,)]
        assert store.rows("pragma mmap_size") == [(0,)]


def test_the_write_ahead_log_stays_within_bounds(
    path: Path, log: DiskLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WAL_BYTES_MAX", 1024 * 1024)
    with closing(DiskLog(path)) as writer:
        sizes = []
        for number in range(60):
            writer.append(Outgoing("a", [bytes([number]) * 200_000]))
            sizes.append((path / "log.db-wal").stat().st_size)
    assert max(sizes) <= 3 * 1024 * 1024
    assert min(sizes[20:]) < 2 * 1024 * 1024
    assert len(read_all(log, "a")) == 60


def test_a_reader_in_the_way_of_a_checkpoint_stops_no_writer(
    path: Path, log: DiskLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WAL_BYTES_MAX", 100_000)
    log.append(Outgoing("a", [b"x"]))
    with closing(DiskLog(path)) as writer, closing(sqlite3.connect(path / "log.db")) as reader:
        reader.execute("begin")
        reader.execute("select * from topic").fetchall()
        for _ in range(5):
            writer.append(Outgoing("a", [b"x" * 200_000]))
        reader.rollback()
        for _ in range(5):
            writer.append(Outgoing("a", [b"x" * 200_000]))
        assert (path / "log.db-wal").stat().st_size <= 1_300_000
    assert len(read_all(log, "a")) == 11
    check_integrity(path)


def test_a_checkpoint_that_fails_does_not_unsay_the_commit_before_it(
    path: Path, log: DiskLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(connection: sqlite3.Connection, mode: schema.Mode) -> bool:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(limits, "WAL_BYTES_MAX", 1)
    monkeypatch.setattr(schema, "checkpoint", fail)
    with closing(DiskLog(path)) as writer:
        assert writer.append(Outgoing("a", [b"x"])) == {0: range(1)}


def test_no_read_transaction_is_left_open(path: Path, log: DiskLog) -> None:
    log.append(Outgoing("a", [b"x"] * 5000))
    assert len(log.read("a", 0, 0, 10, BYTES)) == 10
    with closing(sqlite3.connect(path / "log.db")) as db:
        busy, pages, folded = db.execute("pragma wal_checkpoint(truncate)").fetchone()
    assert (busy, pages, folded) == (0, 0, 0)


# -- segments -------------------------------------------------------------------------------------


def test_segments_follow_one_another_and_readers_see_one_log(
    path: Path, log: DiskLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEGMENT_BYTES_MAX", 1000)
    values = [b"%d" % number * 100 for number in range(10)]
    for value in values:
        log.append(Outgoing("a", [value] * 3))
    assert [int(file.stem) for file in segments(path)] == [0, 12, 24]
    expected = [value for value in values for _ in range(3)]
    assert read_all(log, "a") == expected
    with closing(DiskLog(path)) as other:
        assert read_all(other, "a") == expected
        assert other.append(Outgoing("a", [b"last"])) == {0: range(30, 31)}
    assert read_all(log, "a") == [*expected, b"last"]


def test_segments_that_hold_nothing_any_more_are_removed(
    path: Path, log: DiskLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEGMENT_BYTES_MAX", 100)
    for number in range(5):
        log.append(Outgoing("a", [b"%d" % number * 200]))
    log.delete_before("a", 0, 3)
    assert [int(file.stem) for file in segments(path)] == [3, 4]
    log.delete_before("a", 0, 5)
    assert [int(file.stem) for file in segments(path)] == [4]
    assert log.append(Outgoing("a", [b"x"])) == {0: range(5, 6)}
    assert read_all(log, "a") == [b"x"]


def test_retention_removes_segments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SEGMENT_BYTES_MAX", 100)
    clock = WoundClock()
    with closing(DiskLog(tmp_path / "kept", clock=clock)) as log:
        log.create_topic("a", retention_ms=1000)
        for _ in range(20):
            log.append(Outgoing("a", [b"x" * 200]))
            clock.wind(500)
        start, end = log.bounds("a", 0)
        assert (end - start, end) == (3, 20)
        assert len(segments(tmp_path / "kept")) <= end - start + 2
        assert len(read_all(log, "a")) == 3


def test_a_reader_goes_on_behind_what_is_deleted_under_it(
    path: Path, log: DiskLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEGMENT_BYTES_MAX", 100)
    for number in range(4):
        log.append(Outgoing("a", [b"%d" % number * 200]))
    with closing(DiskLog(path)) as reader:
        looked_up = Store.rows_while

        def then_deleted(*args: Any) -> Any:
            found = looked_up(*args)
            monkeypatch.setattr(Store, "rows_while", looked_up)
            log.delete_before("a", 0, 2)
            return found

        monkeypatch.setattr(Store, "rows_while", then_deleted)
        batch = reader.read("a", 0, 0, 10, BYTES)
    assert list(batch.offsets) == [2, 3]


def test_a_segment_that_somebody_removed_is_told(path: Path, log: DiskLog) -> None:
    log.append(Outgoing("a", [b"x"]))
    (segment,) = segments(path)
    segment.unlink()
    with pytest.raises(LogError, match=r"a/0 from offset 0 on are damaged .* restore"):
        log.read("a", 0, 0, 1, BYTES)


def test_what_an_append_that_failed_left_behind_is_written_over(
    path: Path, log: DiskLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.append(Outgoing("a", [b"1"]))
    written = Segments.write

    def then_fail(*args: Any) -> None:
        written(*args)
        raise OSError(errno.EIO, "failed")

    monkeypatch.setattr(Segments, "write", then_fail)
    with pytest.raises(LogError, match="check the disk"):
        log.append(Outgoing("a", [b"a long record that is nobody's"]))
    monkeypatch.undo()
    log.append(Outgoing("a", [b"2"]))
    assert read_all(log, "a") == [b"1", b"2"]
    with closing(DiskLog(path)) as other:
        assert read_all(other, "a") == [b"1", b"2"]


def test_no_more_segments_are_held_open_than_the_limit(
    path: Path, log: DiskLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEGMENT_FILES_OPEN_MAX", 2)
    log.create_topic("many", 6)
    before = open_files()
    for _ in range(2):
        for partition in range(6):
            log.append(Outgoing("many", [b"%d" % partition], partition=partition))
    for partition in range(6):
        assert read_all(log, "many", partition) == [b"%d" % partition] * 2
    assert open_files() - before == 4


@given(at=st.integers(0, 10**6), cut=st.booleans())
def test_no_flipped_bit_and_no_cut_is_read_as_a_record(
    tmp_path_factory: pytest.TempPathFactory, at: int, cut: bool
) -> None:
    path = tmp_path_factory.mktemp("flip") / "log"
    with closing(DiskLog(path)) as log:
        log.create_topic("a")
        for number in range(3):
            log.append(Outgoing("a", [b"%d" % number] * 50))
    (segment,) = segments(path)
    at %= segment.stat().st_size
    if cut:
        os.truncate(segment, at)
    else:
        flip(segment, at)
    with closing(DiskLog(path)) as log:
        values: list[bytes] = []
        with pytest.raises(LogError, match=r"from offset \d+ on are damaged"):
            read_on(log, values)
        assert values == [b"%d" % (row // 50) for row in range(len(values))]


# -- what cannot be opened ------------------------------------------------------------------------


def test_a_missing_parent_is_told(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="its parent is missing: make that first"):
        DiskLog(tmp_path / "no" / "log")


def test_a_file_where_the_directory_should_be_is_told(path: Path) -> None:
    path.write_text("")
    with pytest.raises(LogError, match="is not a directory: choose another path"):
        DiskLog(path)


def test_what_is_no_database_is_told_and_left_alone(path: Path) -> None:
    path.mkdir()
    (path / "log.db").write_bytes(b"no database" * 1000)
    with pytest.raises(LogError, match="is damaged, or is no log: restore"):
        DiskLog(path)
    assert (path / "log.db").read_bytes() == b"no database" * 1000


def test_the_database_of_another_program_is_told_and_left_alone(path: Path) -> None:
    path.mkdir()
    with closing(sqlite3.connect(path / "log.db")) as db:
        db.execute("create table theirs (x)")
    before = (path / "log.db").read_bytes()
    with pytest.raises(LogError, match="another program: choose another directory"):
        DiskLog(path)
    assert (path / "log.db").read_bytes() == before


def test_a_newer_format_is_told(path: Path) -> None:
    DiskLog(path).close()
    with closing(sqlite3.connect(path / "log.db")) as db:
        db.execute(f"pragma user_version = {schema.VERSION + 1}")
    told = rf"has format {schema.VERSION + 1}, .* knows format {schema.VERSION}: use the version"
    with pytest.raises(LogError, match=told):
        DiskLog(path)


READ_ONLY = """
import os, sys
from pathlib import Path
from modelstream.errors import LogError
from modelstream.log.disk import DiskLog
if os.geteuid() == 0:
    os.setresuid(65534, 65534, 65534)  # root may write anywhere, so be nobody
for directory in sys.argv[1:]:
    try:
        DiskLog(Path(directory))
    except LogError as error:
        print(error)
"""


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    path = Path("/tmp") / f"modelstream-{os.getpid()}-{tmp_path.name}"
    path.mkdir(mode=0o755)
    try:
        DiskLog(path).close()
        for file in path.iterdir():
            file.chmod(0o444)
        path.chmod(0o555)
        child = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(path), str(path / "below")],
            capture_output=True,
            text=True,
            check=True,
        )
    finally:
        path.chmod(0o755)
        for file in path.iterdir():
            file.unlink()
        path.rmdir()
    first, second = child.stdout.splitlines()
    for told in (first, second):
        assert "cannot be written: give this user the right to" in told


# -- what goes wrong later ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (OSError(errno.ENOSPC, "full"), "free some space, then repeat"),
        (OSError(errno.EROFS, "read-only"), "give this user the right"),
        (OSError(errno.EIO, "failed"), "check the disk"),
    ],
)
def test_an_error_of_the_system_is_told_with_what_to_do(error: OSError, advice: str) -> None:
    with pytest.raises(LogError, match=advice) as told, explained(Path("data")):
        raise error
    assert told.value.__cause__ is error


def test_a_foreign_lock_on_the_database_is_told(
    path: Path, log: DiskLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOCK_WAIT_MS", 20)
    with closing(DiskLog(path)) as mine, closing(sqlite3.connect(path / "log.db")) as theirs:
        theirs.execute("begin immediate")
        with pytest.raises(LogError, match="a program that is not part of the log holds"):
            mine.append(Outgoing("a", [b"x"]))
        theirs.rollback()
        mine.append(Outgoing("a", [b"x"]))


def test_a_writer_that_hangs_is_told_instead_of_waited_for_without_end(
    path: Path, log: DiskLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOCK_WAIT_MS", 20)
    with closing(DiskLog(path)) as other, closing(Store(path, "process")) as hanging:
        with hanging.write():
            with pytest.raises(LogError, match="look for a process that is stopped"):
                other.append(Outgoing("a", [b"x"]))
            nested = threading.Thread(target=lambda: told.append(_refusal(hanging)))
            told: list[str] = []
            nested.start()
            nested.join()
            assert "look for a process" in told[0]
        other.append(Outgoing("a", [b"x"]))


def _refusal(store: Store) -> str:
    with pytest.raises(LogError) as told, store.write():
        pass
    return str(told.value)


def test_an_error_within_a_transaction_keeps_nothing_of_it(path: Path, log: DiskLog) -> None:
    with closing(Store(path, "process")) as store:
        with pytest.raises(LogError, match="UNIQUE"), store.write() as db:
            db.executemany(
                "insert into topic (name, partitions, compacted) values (?, 1, 0)", [("b",), ("a",)]
            )
        with store.write() as db:
            assert db.execute("select name from topic").fetchall() == [("a",)]


def test_damaged_records_are_told_with_their_place(path: Path, log: DiskLog) -> None:
    log.append(Outgoing("a", [b"x"] * 3))
    log.append(Outgoing("a", [b"y"] * 3))
    (segment,) = segments(path)
    flip(segment, segment.stat().st_size - 1)
    assert len(log.read("a", 0, 0, 3, BYTES)) == 3
    with pytest.raises(LogError, match=r"a/0 from offset 3 on are damaged .* delete_before"):
        log.read("a", 0, 0, 4, BYTES)
    log.delete_before("a", 0, 6)
    assert log.append(Outgoing("a", [b"z"])) == {0: range(6, 7)}
    assert read_all(log, "a") == [b"z"]


# -- artifacts ------------------------------------------------------------------------------------


def test_a_damaged_artifact_is_told_and_mended_by_keeping_it_again(
    path: Path, log: DiskLog
) -> None:
    digest = log.blobs.put(b"model")
    (path / "artifacts" / digest).write_bytes(b"wrong")
    with pytest.raises(LogError, match="is damaged: remove it"):
        log.blobs.get(digest)
    log.blobs.put(b"model")
    assert log.blobs.get(digest) == b"model"


def test_what_is_no_digest_names_no_file(path: Path, log: DiskLog) -> None:
    digest = log.blobs.put(b"model")
    for name in ("../log.db", "../LOCK", "", digest.upper(), digest + "\n"):
        assert log.blobs.get(name) is None


def test_an_artifact_over_the_limit_is_refused(
    log: DiskLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BLOB_BYTES_MAX", 4)
    with pytest.raises(LogError, match="4 is the most"):
        log.blobs.put(b"model")


def test_what_a_killed_writer_left_is_swept_once_nobody_can_be_at_it(
    path: Path, log: DiskLog
) -> None:
    log.blobs.put(b"x")
    old, new = path / "artifacts" / "old.part", path / "artifacts" / "new.part"
    for part in (old, new):
        part.write_bytes(b"half")
    os.utime(old, (0, 0))
    log.blobs.put(b"y")
    assert (old.exists(), new.exists()) == (False, True)


def test_an_artifact_that_cannot_be_written_leaves_nothing_behind(
    path: Path, log: DiskLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LogError, match="is full"):
        log.blobs.put(b"model")
    assert list((path / "artifacts").iterdir()) == []


# -- a full disk ----------------------------------------------------------------------------------

FULL = """
import sys
from pathlib import Path
from modelstream.errors import LogError
from modelstream.log.disk import DiskLog
from modelstream.messages import Outgoing
path, limit = Path(sys.argv[1]), int(sys.argv[2])
if limit:
    import resource, signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
log = DiskLog(path)
log.create_topic("in")
log.create_topic("out")
log.append(Outgoing("in", [b"%d" % number for number in range(500)]))
consumer = log.consumer("g", ["in"], instance="one")
done = 0
try:
    while done < 500:
        batches = consumer.poll(10, 0, 10**9)
        results = [b"%d" % number * 10_000 for number in range(done, done + 10)]
        covers = {batch.source: batch.next_offset for batch in batches}
        consumer.commit(covers, [Outgoing("out", results)])
        done += 10
except LogError as error:
    print(error)
    assert log.committed("g", "in", 0) == (done or None)
    assert log.bounds("out", 0) == (0, done)
    assert len(log.read("out", 0, 0, 1000, 10**9)) == done
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        consumer.commit(covers, [Outgoing("out", results)])
        done += 10
        assert log.committed("g", "in", 0) == done
        assert log.bounds("out", 0) == (0, done)
print(done)
"""


def fill(path: Path, limit: int) -> tuple[str, int]:
    child = subprocess.run(
        [sys.executable, "-c", FULL, str(path), str(limit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    told, done = child.stdout.splitlines()
    with closing(DiskLog(path)) as log:
        assert log.bounds("out", 0) == (0, int(done))
        assert log.committed("g", "in", 0) == int(done)
    check_integrity(path)
    return told, int(done)


def test_a_file_that_may_not_grow_refuses_whole_commits_and_goes_on_once_it_may(
    path: Path,
) -> None:
    told, done = fill(path, 2_000_000)
    assert re.search("disk of .*: (free|check)", told)
    assert 0 < done < 500


def test_a_full_disk_refuses_whole_commits_and_keeps_the_others(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(small)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mount.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mount.stderr.strip()}")
    try:
        told, done = fill(small / "log", 0)
    finally:
        subprocess.run(["umount", str(small)], check=True)
    assert "is full, and nothing of this write was kept: free some space" in told
    assert 0 < done < 500
