from modelstream.demo.chart import chart, recent_accuracy
from modelstream.demo.watch import Point, Tally
from modelstream.messages import VersionId

A, B = VersionId("a", "1"), VersionId("b", "1")
COLOURS = {A: "red", B: "green"}


def points(*shares: float, version: VersionId = A) -> list[Point]:
    return [Point(version, Tally(round(share * 100), 100)) for share in shares]


def plain(drawn: list[Point], width: int = 10, height: int = 1) -> list[str]:
    return [line.plain for line in chart(drawn, width, height, COLOURS)]


def test_a_column_is_as_high_as_its_accuracy() -> None:
    assert plain(points(0.0, 0.25, 0.5, 1.0)) == [" ▂▄█"]


def test_more_lines_tell_it_more_finely() -> None:
    assert plain(points(0.25, 0.5, 0.75, 1.0), height=2) == ["  ▄█", "▄███"]


def test_nothing_is_drawn_before_the_first_answer() -> None:
    assert plain([], height=2) == ["", ""]


def test_a_course_too_long_is_drawn_whole_in_the_columns_there_are() -> None:
    (line,) = plain(points(*[0.0] * 50, *[1.0] * 50))
    assert line == "     █████"


def test_columns_are_used_to_the_last() -> None:
    for count in range(1, 40):
        (line,) = plain(points(*[1.0] * count))
        assert line == "█" * min(count, 10)


def test_a_column_has_the_colour_of_its_version() -> None:
    (line,) = chart(points(1.0) + points(1.0, version=B), 10, 1, COLOURS)
    assert [str(span.style) for span in line.spans] == ["red", "green"]


def test_the_recent_accuracy_is_that_of_the_last_answers() -> None:
    assert recent_accuracy([], 2) is None
    assert recent_accuracy(points(0.0, 0.5, 1.0), 2) == 0.75
