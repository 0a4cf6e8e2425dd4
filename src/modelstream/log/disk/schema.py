"""The tables of the database file, how it is opened, and how a foreign or newer one is told."""

import sqlite3
from pathlib import Path
from typing import Literal

from modelstream import limits
from modelstream.errors import LogError

Durability = Literal["process", "power"]
Mode = Literal["passive", "truncate"]

# What `file` and SQLite call an application id: "mlog".
APPLICATION_ID = 0x6D6C6F67
VERSION = 2

# The blob comes last in its row, because what stands after it is slow to reach.
_TABLES = (
    """create table topic (
        id integer primary key, name text not null unique, partitions integer not null,
        compacted integer not null, retention_ms integer)""",
    # The kept records of a partition are those from `start` up to, without, `next`. It is written
    # to `segment` (named after the first offset in it) behind the first `segment_bytes` of it.
    """create table partition (
        id integer primary key, topic integer not null references topic, number integer not null,
        start integer not null default 0, next integer not null default 0,
        segment integer not null default 0, segment_bytes integer not null default 0,
        unique (topic, number))""",
    # A stored batch is `stored_bytes` of a segment from the byte `at` on; on compacted topics,
    # where it is the one record of its `key`, it is in `records` instead.
    """create table batch (
        id integer primary key, partition integer not null references partition,
        first integer not null, last integer not null, size_bytes integer not null,
        max_timestamp integer not null, checksum integer not null,
        segment integer not null, at integer not null, stored_bytes integer not null,
        key blob, records blob)""",
    "create unique index batch_by_offset on batch (partition, last)",
    "create unique index batch_by_key on batch (partition, key) where key is not null",
    # `state` is a groups.Group; its generation stands beside it, to be looked at often.
    """create table consumer_group (
        name text primary key, generation integer not null, state blob not null) without rowid""",
    """create table position (
        consumer_group text not null, partition integer not null references partition,
        next integer not null, primary key (consumer_group, partition)) without rowid""",
)


def connect(path: Path, durability: Durability) -> sqlite3.Connection:
    """Open one connection, set so that it never checkpoints by itself."""
    connection = sqlite3.connect(
        path,
        timeout=limits.LOCK_WAIT_MS / 1000,
        isolation_level=None,
        check_same_thread=False,
    )
    settings = (
        "wal_autocheckpoint = 0",
        "mmap_size = 0",
        "secure_delete = off",
        f"page_size = {limits.DATABASE_PAGE_BYTES}",
        f"cache_size = -{limits.DATABASE_CACHE_BYTES // 1024}",
        f"synchronous = {'full' if durability == 'power' else 'normal'}",
    )
    try:
        for setting in settings:
            connection.execute(f"pragma {setting}")
    except BaseException:
        connection.close()
        raise
    return connection


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables of a new database; raise LogError for one that is not ours to use."""
    (application,) = connection.execute("pragma application_id").fetchone()
    (version,) = connection.execute("pragma user_version").fetchone()
    (tables,) = connection.execute("select count(*) from sqlite_master").fetchone()
    if application == 0 and version == 0 and tables == 0:
        _create(connection)
    elif application != APPLICATION_ID:
        raise LogError(
            f"{path} is the database of another program: choose another directory for the log"
        )
    elif version != VERSION:
        raise LogError(
            f"{path} has format {version}, and this version of modelstream knows format {VERSION}:"
            " use the version that wrote it, or a newer one"
        )


def checkpoint(connection: sqlite3.Connection, mode: Mode) -> bool:
    """Fold the write-ahead log into the database; False when a reader kept a part of it."""
    connection.execute(f"pragma busy_timeout = {limits.CHECKPOINT_WAIT_MS}")
    try:
        busy, pages, folded = connection.execute(f"pragma wal_checkpoint({mode})").fetchone()
    finally:
        connection.execute(f"pragma busy_timeout = {limits.LOCK_WAIT_MS}")
    return not busy and pages == folded


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("pragma journal_mode = wal")
    connection.execute("begin immediate")
    for table in _TABLES:
        connection.execute(table)
    connection.execute(f"pragma application_id = {APPLICATION_ID}")
    connection.execute(f"pragma user_version = {VERSION}")
    connection.execute("commit")
