"""The job that one writes on PyFlink by hand: a pandas UDF that scores a column of JSON, and nothing else.

`python -m benchmarks.flink_udf MODEL RECORDS OUT`, in the environment of Flink; it tells its processor time.
"""

import os
import sys
from pathlib import Path
from typing import Any


def session_cpu(session: int) -> float:
    """Return the processor time of all processes of a session, in seconds."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(fields[3]) == session:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def main(model: str, records: str, out: str) -> None:
    """Score a directory of records."""
    from pyflink.common import Configuration
    from pyflink.table import DataTypes, EnvironmentSettings, TableEnvironment
    from pyflink.table.udf import udf

    configuration = Configuration()
    for key in ("python.executable", "python.client.executable"):
        configuration.set_string(key, sys.executable)
    configuration.set_string("parallelism.default", "1")
    configuration.set_string("python.fn-execution.arrow.batch.size", "1000")
    settings = EnvironmentSettings.new_instance().in_streaming_mode()
    tables = TableEnvironment.create(settings.with_configuration(configuration).build())
    loaded: list[object] = []

    @udf(result_type=DataTypes.STRING(), func_type="pandas")  # type: ignore[untyped-decorator, unused-ignore]
    def answer(texts: Any) -> Any:
        import pandas as pd  # type: ignore[import-untyped]

        from benchmarks.by_hand import Plainly

        if not loaded:
            loaded.append(Plainly(Path(model).read_bytes(), [f"f{n}" for n in range(30)]))
        by_hand: Plainly = loaded[0]  # type: ignore[assignment]
        values = [text.encode() for text in texts]
        return pd.Series([each.decode() for each in by_hand.answer(values)])

    for name, place in (("records", records), ("answers", out)):
        tables.execute_sql(
            f"create table {name} (line string) with ('connector' = 'filesystem', "
            f"'path' = 'file://{place}', 'format' = 'raw')"
        )
    table = tables.from_path("records")
    table.select(answer(table.line)).execute_insert("answers").wait()
    sys.stdout.write(f"{session_cpu(os.getsid(0))}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
