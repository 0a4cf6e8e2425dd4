"""The embedded log: topics, groups and artifacts in one directory, on stdlib SQLite.

Read `log` first, then `store` (transactions, the file lock), `batches`, `groups`.
"""

from modelstream.log.disk.log import DiskLog

__all__ = ["DiskLog"]
