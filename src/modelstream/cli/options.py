"""What several verbs of the command line have in common: their flow, their model, their options."""

from argparse import ArgumentParser
from collections.abc import Callable

from modelstream.cli import kinds
from modelstream.limits import VERDICT_WAIT_SECONDS

# Adds a verb: `add_parser` of the parser's verbs.
Add = Callable[..., ArgumentParser]
EXIT_CODES = "exit codes: 0 fine, 1 a finding, 2 wrong use"


def add_no_rescore(verb: ArgumentParser) -> None:
    """Add the choice to load no model."""
    verb.add_argument(
        "--no-rescore", action="store_true", help="load no model, score nothing again"
    )


def plain_verb(add: Add, name: str, calls: str, what: str) -> ArgumentParser:
    """Add a verb that `calls` a function, as `module.function` of the command line's."""
    verb = add(name, help=what, description=f"{what[0].upper()}{what[1:]}.", epilog=EXIT_CODES)
    module, _, function = calls.partition(".")
    verb.set_defaults(calls=(f"modelstream.cli.{module}", function))
    return verb


def flow_verb(add: Add, name: str, calls: str, what: str) -> ArgumentParser:
    """Add a verb about one flow."""
    verb = plain_verb(add, name, calls, what)
    verb.add_argument("flow", metavar="FLOW.toml", type=kinds.file, help="the declared flow")
    return verb


def add_json(verb: ArgumentParser, what: str = "one JSON document") -> None:
    """Add the choice of JSON instead of text."""
    verb.add_argument("--json", action="store_true", help=f"print {what}")


def add_data_type(verb: ArgumentParser) -> None:
    """Add the data type that is meant."""
    verb.add_argument(
        "--data-type", default="", help="may be left out where the flow has one alone"
    )


def add_model(verb: ArgumentParser) -> None:
    """Add the model, a file or a URL."""
    verb.add_argument(
        "model", metavar="MODEL", type=kinds.model, help="its file, or its server's URL"
    )


def add_hints(verb: ArgumentParser) -> None:
    """Add what a model's bytes may not say."""
    verb.add_argument(
        "--format", default="", help="onnx, pmml, xgboost, ... (default: told by the first bytes)"
    )
    verb.add_argument(
        "--features",
        type=kinds.names,
        default=(),
        metavar="A,B",
        help="the order of an [N, k] input",
    )
    verb.add_argument(
        "--labels", type=kinds.names, default=(), metavar="A,B", help="names of the classes"
    )
    verb.add_argument(
        "--signature",
        default="",
        metavar="NAME",
        help="which signature of a SavedModel; of a frozen graph: 'input,... -> output,...'",
    )


def add_verdict(verb: ArgumentParser) -> None:
    """Add how long to wait for a verdict."""
    verb.add_argument(
        "--wait",
        type=kinds.seconds,
        default=VERDICT_WAIT_SECONDS,
        metavar="SECONDS",
        help="how long to wait for the verdict (default: %(default)s)",
    )
    add_json(verb)


def add_record_file(verb: ArgumentParser) -> None:
    """Add a file of records, and how to read it."""
    verb.add_argument(
        "file",
        metavar="FILE",
        type=kinds.file_or_stdin,
        help="JSON lines, CSV (.csv, .tsv), or - for stdin",
    )
    verb.add_argument(
        "--delimiter", type=kinds.character, help="what parts the values of a CSV file"
    )
    verb.add_argument(
        "--columns",
        type=kinds.names,
        default=(),
        metavar="A,B",
        help="names of the columns, without header",
    )
    for option, what in (("--strings", "text"), ("--numbers", "numbers")):
        verb.add_argument(
            option,
            type=kinds.names,
            default=(),
            metavar="A,B",
            help=f"columns that hold {what}, whatever is in them",
        )
