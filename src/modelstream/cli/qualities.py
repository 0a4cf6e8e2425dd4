"""How good versions were, as tables."""

from modelstream.cli.show import print_line, print_table
from modelstream.cli.text import counted
from modelstream.quality.measure import Agreement, QualityReport

# Disagreements of two versions that a line names.
_PAIRS_SHOWN_MAX = 3


def show_quality(report: QualityReport) -> None:
    """Print the metrics of each version, and how far versions agree."""
    print_line(
        f"{report.flow}: {counted(report.labels, 'label')}, {counted(report.results, 'result')}, "
        f"{report.unlabelled:,} of them without a label"
    )
    if report.unreadable:
        what = counted(report.unreadable, "message")
        print_line(f'{what} on the labels topic had no key, or no {{"label": ...}}')
    if report.dropped:
        print_line(f"{counted(report.dropped, 'label')} were left out: there are too many")
    metrics = list(dict.fromkeys(name for each in report.versions for name in each.metrics))
    rows = [
        [
            f"{each.name}@{each.version}",
            f"{each.labels:,}",
            *(f"{each.metrics[name]:.4f}" if name in each.metrics else "-" for name in metrics),
        ]
        for each in report.versions
    ]
    if rows:
        print_line("")
        headings = ["version", ">labels", *(f">{name}" for name in metrics)]
        print_table("quality", headings, rows)
    if report.agreements:
        print_line("")
        headings = ["one", "other", ">records", ">agreed", "where not"]
        print_table("agreement", headings, list(map(_agreement_row, report.agreements)))


def _agreement_row(each: Agreement) -> list[str]:
    apart = [f"{one} / {other}: {count:,}" for one, other, count in each.pairs if one != other]
    share = f"{each.agreed / each.records:.1%}"
    return [
        each.first,
        each.second,
        f"{each.records:,}",
        share,
        ", ".join(apart[:_PAIRS_SHOWN_MAX]),
    ]
