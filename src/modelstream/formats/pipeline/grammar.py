"""The grammar of expressions: a text to a program, which `arithmetic` runs.

    or      = and { "or" and }
    and     = not { "and" not }
    not     = "not" not | compare
    compare = sum [ ( "<" | "<=" | ">" | ">=" | "==" | "!=" ) sum ]
    sum     = product { ( "+" | "-" ) product }
    product = sign { ( "*" | "/" | "%" ) sign }
    sign    = "-" sign | power
    power   = atom [ "**" sign ]
    atom    = number | column | function "(" or { "," or } ")" | "(" or ")"

A column is a word, or any text in backquotes. The program is in postfix order: it is run without
recursion, however long it is.
"""

import re
from dataclasses import dataclass

from modelstream.errors import InvalidModel
from modelstream.formats import limits

# Functions, with the least and the largest number of values that they take.
FUNCTIONS: dict[str, tuple[int, int]] = {
    "abs": (1, 1), "exp": (1, 1), "log": (1, 1), "sqrt": (1, 1), "round": (1, 1),
    "floor": (1, 1), "ceil": (1, 1), "isnan": (1, 1), "if": (3, 3),
    "min": (1, limits.EXPRESSION_ARGUMENTS_MAX), "max": (1, limits.EXPRESSION_ARGUMENTS_MAX),
}  # fmt: skip
_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
_RESERVED = frozenset({"and", "or", "not"})
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<word>[^\W\d][\w.]*)"
    r"|`(?P<column>[^`]+)`|(?P<sign>\*\*|<=|>=|==|!=|[-+*/%<>(),]))",
)


@dataclass(frozen=True, slots=True)
class Constant:
    """Put a number on the stack."""

    value: float


@dataclass(frozen=True, slots=True)
class Load:
    """Put a column on the stack."""

    column: str


@dataclass(frozen=True, slots=True)
class Call:
    """Replace the last `count` values on the stack by one that an operator makes of them."""

    operator: str
    count: int


Instruction = Constant | Load | Call
Program = tuple[Instruction, ...]


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # number, word, column, sign, end
    text: str
    at: int


def parse_expression(text: str) -> Program:
    """Return the program of an expression. Raises InvalidModel, which tells where."""
    if len(text) > limits.EXPRESSION_CHARS_MAX:
        raise InvalidModel(
            f"an expression of {len(text)} characters; {limits.EXPRESSION_CHARS_MAX} are allowed, "
            "so make a column of a part of it"
        )
    parser = _Parser(text)
    parser.either(0)
    parser.expect_end()
    return tuple(parser.program)


def _tokens(text: str) -> list[_Token]:
    found = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise InvalidModel(
                f"expression {text!r}: nothing is meant by {text[at:].strip()[:1]!r}"
            )
        found.append(_Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()
    return [*found, _Token("end", "", end)]


class _Parser:
    """Recursive descent; each method is a rule of the grammar, `depth` counts what is nested."""

    def __init__(self, text: str) -> None:
        self.program: list[Instruction] = []
        self._text = text
        self._tokens = _tokens(text)
        self._next = 0

    def either(self, depth: int) -> None:
        self._both(depth)
        while self._take("or"):
            self._both(depth)
            self._call("or", 2)

    def expect_end(self) -> None:
        if self._token.kind != "end":
            raise self._wrong("an operator or the end")

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _both(self, depth: int) -> None:
        self._negation(depth)
        while self._take("and"):
            self._negation(depth)
            self._call("and", 2)

    def _negation(self, depth: int) -> None:
        if self._take("not"):
            self._negation(self._deeper(depth))
            self._call("not", 1)
        else:
            self._comparison(depth)

    def _comparison(self, depth: int) -> None:
        self._sum(depth)
        if operator := self._take(*_COMPARISONS):
            self._sum(depth)
            self._call(operator, 2)
            if self._token.text in _COMPARISONS:
                raise self._wrong("'and' between two comparisons")

    def _sum(self, depth: int) -> None:
        self._product(depth)
        while operator := self._take("+", "-"):
            self._product(depth)
            self._call(operator, 2)

    def _product(self, depth: int) -> None:
        self._sign(depth)
        while operator := self._take("*", "/", "%"):
            self._sign(depth)
            self._call(operator, 2)

    def _sign(self, depth: int) -> None:
        if self._take("-"):
            self._sign(self._deeper(depth))
            self._call("negative", 1)
        else:
            self._power(depth)

    def _power(self, depth: int) -> None:
        self._atom(depth)
        if self._take("**"):
            self._sign(self._deeper(depth))
            self._call("**", 2)

    def _atom(self, depth: int) -> None:
        token = self._token
        if token.text in _RESERVED and token.kind == "word":
            raise self._wrong("a value")
        if token.kind == "sign" and token.text == "(":
            self._next += 1
            self.either(self._deeper(depth))
            self._close()
        elif token.kind == "word" and self._tokens[self._next + 1].text == "(":
            self._function(token, depth)
        elif token.kind in {"word", "column"}:
            self._next += 1
            self.program.append(Load(token.text))
        elif token.kind == "number":
            self._next += 1
            self._constant(float(token.text))
        else:
            raise self._wrong("a value")

    def _function(self, token: _Token, depth: int) -> None:
        if token.text not in FUNCTIONS:
            raise self._wrong(f"one of the functions {', '.join(FUNCTIONS)}")
        self._next += 2
        count = 1
        self.either(self._deeper(depth))
        while self._take(","):
            count += 1
            self.either(self._deeper(depth))
        least, most = FUNCTIONS[token.text]
        if not least <= count <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            raise InvalidModel(
                f"expression {self._text!r}: {token.text} takes {wanted} values, {count} are given"
            )
        self._close()
        self._call(token.text, count)

    def _constant(self, value: float) -> None:
        if value == float("inf"):
            raise InvalidModel(f"expression {self._text!r} has a number that is too large")
        self.program.append(Constant(value))

    def _call(self, operator: str, count: int) -> None:
        self.program.append(Call(operator, count))

    def _take(self, *texts: str) -> str:
        """Step over the next token if it is one of these; return it, or nothing."""
        token = self._token
        if token.kind in {"sign", "word"} and token.text in texts:
            self._next += 1
            return token.text
        return ""

    def _close(self) -> None:
        if not self._take(")"):
            raise self._wrong("')'")

    def _deeper(self, depth: int) -> int:
        if depth >= limits.EXPRESSION_DEPTH_MAX:
            raise InvalidModel(
                f"an expression is nested more than {limits.EXPRESSION_DEPTH_MAX} deep; make a "
                "column of a part of it"
            )
        return depth + 1

    def _wrong(self, wanted: str) -> InvalidModel:
        token = self._token
        found = f"{token.text!r}" if token.kind != "end" else "the end"
        return InvalidModel(
            f"expression {self._text!r}, character {token.at + 1}: {wanted} is needed, not {found}"
        )
