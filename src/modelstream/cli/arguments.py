"""What can be written on the command line; nothing is done here.

Each verb's parser names the function that does it as `calls`: its module and its name.
"""

from argparse import ArgumentParser
from pathlib import Path

from modelstream._version import __version__
from modelstream.cli import kinds
from modelstream.cli.options import (
    EXIT_CODES,
    Add,
    add_data_type,
    add_hints,
    add_json,
    add_model,
    add_no_rescore,
    add_record_file,
    add_verdict,
    flow_verb,
    plain_verb,
)
from modelstream.limits import (
    EXPORT_TOLERANCE,
    RELEASE_EVERY,
    RELEASE_ROLL_BACK,
    RELEASE_STEPS,
    TAIL_RECORDS,
    TAIL_RECORDS_MAX,
    WORKERS_MAX,
)


def parser() -> ArgumentParser:
    """Return the parser of the whole command line."""
    top = ArgumentParser(
        prog="modelstream",
        description="Models are events: join a stream of records with a stream of models.",
        epilog=EXIT_CODES,
    )
    top.add_argument("--version", action="version", version=f"modelstream {__version__}")
    add = top.add_subparsers(title="commands", metavar="COMMAND", required=True).add_parser
    _add_serving(add)
    _add_publishing(add)
    _add_reading(add)
    _add_sending(add)
    _add_checking(add)
    return top


def _add_serving(add: Add) -> None:
    verb = plain_verb(
        add, "demo", "serving.demo", "the whole story on one screen, in under a minute"
    )
    verb.add_argument("--keep", type=Path, metavar="DIR", help="where its log and models stay")
    verb.add_argument(
        "--seconds", type=kinds.positive, metavar="N", help="about how long records stream"
    )
    verb = flow_verb(add, "serve", "serving.serve", "admit models and score records until stopped")
    verb.add_argument(
        "--engine",
        choices=["embedded", "flink"],
        default="embedded",
        help="what runs it: this process, or a job on Apache Flink (default: %(default)s)",
    )
    verb.add_argument(
        "--once", action="store_true", help="end when all that is there has been answered"
    )
    verb.add_argument(
        "--workers",
        type=kinds.whole(1, WORKERS_MAX),
        default=1,
        metavar="N",
        help="processes, or a job's subtasks, that share the partitions (default: %(default)s)",
    )
    verb = flow_verb(add, "admit", "serving.admit", "admit models, without scoring anything")
    verb.add_argument("--once", action="store_true", help="end when no message is left")


def _add_publishing(add: Add) -> None:
    for name, what in (
        ("publish", "publish a model; it serves once it is admitted"),
        ("stage", "publish a model that serves only once it is promoted"),
    ):
        verb = flow_verb(add, name, f"publishing.{name}", what)
        add_model(verb)
        verb.add_argument("--name", required=True, help="the model's name")
        verb.add_argument("--version", default="", help="default: numbered by the registry")
        add_data_type(verb)
        add_hints(verb)
        verb.add_argument("--description", default="", help="what people should know of it")
        verb.add_argument("--publisher", default="", help="who publishes it")
        verb.add_argument(
            "--metric",
            type=kinds.metric,
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="a measured quality; may be given several times",
        )
        verb.add_argument(
            "--golden",
            type=kinds.file,
            metavar="FILE.jsonl",
            help='records with the outputs they must give: {"record": {}, "outputs": {}, "tolerance": 0}',
        )
        add_verdict(verb)
    verb = flow_verb(add, "promote", "publishing.promote", "make an admitted version current")
    verb.add_argument("version", metavar="NAME[@VERSION]", help="without a version: the newest")
    add_verdict(verb)
    verb = flow_verb(add, "rollback", "publishing.rollback", "go back to the version before")
    add_data_type(verb)
    add_verdict(verb)
    verb = flow_verb(add, "plan", "publishing.plan", "say by which policy answers are found")
    verb.add_argument(
        "policy",
        nargs="?",
        default="",
        metavar="POLICY",
        help='such as \'FirstWithin(20, prefer=["smart", "fast"])\'; without: tell the present one',
    )
    add_data_type(verb)
    add_verdict(verb)
    _add_release(add)
    verb = flow_verb(add, "retire", "publishing.retire", "take a version out for ever")
    verb.add_argument("version", metavar="NAME@VERSION", type=kinds.named_version)
    add_verdict(verb)


def _add_release(add: Add) -> None:
    what = "let a version take over step by step, by rules, or show how releases went"
    verb = flow_verb(add, "release", "releasing.release", what)
    verb.add_argument(
        "do",
        nargs="?",
        choices=["show", "start", "promote", "abort"],
        default="show",
        help="start one; or end the one that goes on, well or not (default: %(default)s)",
    )
    verb.add_argument(
        "version", nargs="?", default="", metavar="NAME[@VERSION]", help="which version, to start"
    )
    verb.add_argument(
        "--steps",
        type=kinds.shares,
        default=RELEASE_STEPS,
        metavar="1%,10%",
        help="shares of the keys that meet it, 0 to compare its answers alone (default: 1%%,10%%,50%%)",
    )
    verb.add_argument(
        "--every",
        type=kinds.whole(1),
        default=RELEASE_EVERY,
        metavar="N",
        help="of its records at each step (default: %(default)s)",
    )
    verb.add_argument(
        "--promote-when",
        default="",
        metavar="RULE",
        help="'auc + 0.01 over 5,000 labels' (default: after the last step)",
    )
    verb.add_argument(
        "--roll-back-when",
        default=RELEASE_ROLL_BACK,
        metavar="RULE",
        help="'errors > 1 %% or p99 > 20 ms' (default: 'errors > 1 %%')",
    )
    add_data_type(verb)
    add_verdict(verb)


def _add_reading(add: Add) -> None:
    verb = flow_verb(add, "models", "reading.models", "list every version and every refusal")
    add_json(verb)
    verb = flow_verb(add, "stats", "reading.stats", "show how each version does, and the rejects")
    add_json(verb)
    verb = flow_verb(add, "quality", "reading.quality", "show how good each version was, by labels")
    add_json(verb)
    verb = flow_verb(add, "tail", "reading.tail", "show the last messages of a topic")
    verb.add_argument(
        "--topic",
        choices=["results", "rejects", "registry", "records"],
        default="results",
        help="which of the flow's topics (default: %(default)s)",
    )
    verb.add_argument(
        "-n",
        type=kinds.whole(0, TAIL_RECORDS_MAX),
        default=TAIL_RECORDS,
        metavar="N",
        help="how many (default: %(default)s)",
    )
    verb.add_argument("--follow", action="store_true", help="go on with those that arrive")
    add_json(verb, "one JSON document a line")


def _add_sending(add: Add) -> None:
    verb = flow_verb(add, "send", "sending.send", "append records of a file to a record topic")
    add_record_file(verb)
    verb.add_argument("--topic", default="", help="which record topic, where there are several")
    verb.add_argument("--key", default="", metavar="FIELD", help="the field that is a record's key")
    verb.add_argument(
        "--rate",
        type=kinds.positive,
        metavar="N",
        help="records a second (default: as fast as it goes)",
    )
    verb = plain_verb(
        add, "score", "sending.score", "score a file of records with a model, without a log"
    )
    add_model(verb)
    add_record_file(verb)
    add_hints(verb)
    verb = plain_verb(
        add, "show", "describing.show", "show what a model reads, is made of and answers"
    )
    add_model(verb)
    add_hints(verb)
    add_json(verb)
    verb = plain_verb(
        add, "export", "exporting.export", "write an estimator of scikit-learn as ONNX"
    )
    verb.add_argument(
        "estimator", metavar="MODULE:NAME", type=kinds.attribute, help="in a module of your own"
    )
    verb.add_argument("out", metavar="OUT.onnx", type=Path, help="the file to write")
    add_record_file(verb)
    verb.add_argument(
        "--features", type=kinds.names, default=(), metavar="A,B", help="its columns, in order"
    )
    verb.add_argument(
        "--tolerance",
        type=kinds.positive,
        default=EXPORT_TOLERANCE,
        metavar="X",
        help="by how much answers may differ (default: %(default)s)",
    )


def _add_checking(add: Add) -> None:
    verb = flow_verb(add, "lint", "checking.lint", "check a flow.toml and the topics it names")
    add_json(verb)
    verb = flow_verb(add, "explain", "checking.explain", "tell why a record has its score")
    verb.add_argument(
        "where", metavar="POSITION|KEY", help="TOPIC/PARTITION/OFFSET, or a record's key"
    )
    add_no_rescore(verb)
    add_json(verb)
    verb = flow_verb(add, "verify", "checking.verify", "check the invariants from the topics alone")
    add_no_rescore(verb)
    add_json(verb)
    verb = flow_verb(add, "replay", "checking.replay", "score answered records again and compare")
    verb.add_argument(
        "--version",
        metavar="NAME@VERSION",
        type=kinds.named_version,
        help="default: each one's own",
    )
    verb.add_argument("--data-type", default="", help="only records of this one")
    for option, what in (
        ("--start", "from this offset of each partition on"),
        ("--end", "below it"),
    ):
        verb.add_argument(option, type=kinds.whole(0), metavar="OFFSET", help=what)
    for option, what in (("--since", "from this time on"), ("--until", "before this time")):
        verb.add_argument(
            option, type=kinds.time_ms, metavar="TIME", help=f"{what}, such as 2026-01-31T12:00:00Z"
        )
    verb.add_argument("--limit", type=kinds.whole(1), metavar="N", help="at most so many records")
    add_json(verb)
