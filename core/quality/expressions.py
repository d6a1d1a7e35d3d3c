r"""Read one side of an equation: a small grammar over tokens, worked out in fractions.

    sum = product ((+|-) product)*     product = power ((*|/|of) power)*     power = atom (^ power)?
    atom = number units? | "(" sum ")" units? | \frac{sum}{sum} | - power

Nothing is evaluated as code. What has no certain value (a variable, `sqrt`) raises Unreadable.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from core.quality.tokens import DETERMINERS, STOP_WORDS, UNIT_LETTERS, Token
from core.quality.units import unit

MAX_DEPTH = 20
MAX_POWER_DIGITS = 200
MAX_UNIT_WORDS = 6


class Reading(NamedTuple):
    """One way to read a loosely written side."""

    percent: str  # "part": 20% is 0.2; "plain": 20; "change": 50 - 20% is 40
    tight: bool  # 1/2 without blanks binds before anything else
    unrounded: bool  # 0.33 is a third


READINGS = tuple(
    Reading(percent, tight, unrounded)
    for unrounded in (False, True)
    for tight in (False, True)
    for percent in ("part", "plain", "change")
)


class Unreadable(Exception):
    """A variable or another thing without a known value stands where a number should."""


@dataclass(slots=True)
class Value:
    """What a part of an expression comes to; `number` is None after a division by zero."""

    number: Fraction | None
    percent: bool = False
    share: bool = False  # may stand before "of": a percentage, a fraction, a decimal below one
    tops: str = ""  # its last-applied operator, "" for a number


@dataclass(slots=True)
class Side:
    """One side of an equals sign."""

    value: Fraction | None
    start: int
    end: int
    next: int  # position of the token after it
    operators: int
    fraction: bool  # nothing but a/b, written without blanks
    first: Fraction | None
    before_of: Fraction | None  # "1/3" of "1/3 of $150"
    digits: int | None  # after the decimal point, where it is one printed number
    approximate: bool
    quotient: bool
    counted: bool
    units: frozenset[str] = frozenset()
    form: str = ""


@dataclass(slots=True)
class Reader:
    """Recursive descent over the tokens from one starting point, under one reading."""

    tokens: list[Token]
    reading: Reading
    at: int
    depth: int = 0
    end: int = 0
    operators: int = 0
    before_of: Fraction | None = None
    counted: bool = False  # words stand behind its last number
    units: set[str] = field(default_factory=set)
    form: list[str] = field(default_factory=list)
    numbers: list[Token] = field(default_factory=list)

    def peek(self, ahead: int = 0) -> Token | None:
        i = self.at + ahead
        return self.tokens[i] if i < len(self.tokens) else None

    def is_op(self, texts: str) -> bool:
        token = self.peek()
        return token is not None and token.kind == "op" and token.text in texts

    def side(self) -> Side:
        first_token = self.tokens[self.at]
        start = first_token.start
        total = self.sum()
        bare = self.numbers[0] if len(self.numbers) == 1 and not self.operators else None
        form = "".join(self.form)
        return Side(
            value=total.number,
            start=start,
            end=self.end,
            next=self.at,
            operators=self.operators,
            fraction=bool(re.fullmatch(r"[\d.]+/[\d.]+", form)) and self.end - start <= len(form),
            first=self.first_operand(),
            before_of=self.before_of,
            counted=self.counted,
            digits=self.printed_digits(bare) if bare else None,
            approximate=bool(bare and bare.approximate),
            quotient=total.tops == "/",
            units=frozenset(self.units),
            form=form,
        )

    def printed_digits(self, token: Token) -> int | None:
        """After the decimal point of its value: 33 % has two, as 0.33 has."""
        hundredths = token.percent and self.reading.percent != "plain"
        return token.digits + 2 if hundredths and token.digits is not None else token.digits

    def first_operand(self) -> Fraction | None:
        """The number that a running total goes on from."""
        return self.numbers[0].value if self.numbers and self.form and self.form[0] != "(" else None

    def sum(self) -> Value:
        total = self.product()
        while self.is_op("+-"):
            if not self.operand_follows():
                break
            sign = self.operator()
            term = self.product()
            total = self.added(total, term, sign)
        return total

    def added(self, total: Value, term: Value, sign: str) -> Value:
        if total.number is None or term.number is None:
            return Value(None, tops=sign)
        amount = term.number
        if term.percent and not total.percent and self.reading.percent == "change":
            amount = total.number * amount
        number = total.number + amount if sign == "+" else total.number - amount
        return Value(number, total.percent and term.percent, tops=sign)

    def product(self) -> Value:
        total = self.power()
        while True:
            token = self.peek()
            if token is not None and token.kind == "of":
                if not total.share:
                    raise Unreadable
                self.before_of = total.number
                self.at += 1
                self.operators += 1
                self.form.append("*")
                total = self.multiplied(total, self.power(), "*")
            elif self.is_op("*/"):
                if not self.operand_follows():
                    break
                sign = self.operator()
                total = self.multiplied(total, self.power(), sign)
            elif token is not None and token.kind == "open" and token.start == self.end:  # 2(3 + 4)
                self.operators += 1
                self.form.append("*")
                total = self.multiplied(total, self.power(), "*")
            else:
                return total
        return total

    @staticmethod
    def multiplied(a: Value, b: Value, sign: str) -> Value:
        share = a.share and b.share and sign == "/"
        if a.number is None or b.number is None or (sign == "/" and b.number == 0):
            return Value(None, tops=sign)
        number = a.number * b.number if sign == "*" else a.number / b.number
        whole = a.tops == "" == b.tops and sign == "/" and number < 1
        return Value(number, share=share or whole, tops=sign)

    def power(self) -> Value:
        """An operand with its exponent. All nesting goes through here: brackets, "- - 1", "2^2^2"."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unreadable
        made = self.raised()
        self.depth -= 1
        return made

    def raised(self) -> Value:
        base = self.atom()
        token = self.peek()
        if token is not None and token.kind == "sup" and token.start == self.end:
            self.at += 1
            exponent = token.value
            self.end = token.end
            self.operators += 1
            self.form.append(f"^{exponent}")
        elif self.is_op("^") and self.operand_follows():
            self.operator()
            right = self.power()
            if right.number is None:
                return Value(None, tops="^")
            exponent = right.number
        else:
            return base
        if base.number is None:
            return Value(None, tops="^")
        size = max(abs(base.number.numerator), base.number.denominator)
        if exponent.denominator != 1 or abs(exponent) * len(str(size)) > MAX_POWER_DIGITS:
            raise Unreadable
        if base.number == 0 and exponent < 0:
            return Value(None, tops="^")
        return Value(base.number ** int(exponent), tops="^")

    def atom(self) -> Value:
        token = self.peek()
        while token is not None and token.kind == "word" and token.text.lower() in DETERMINERS:
            self.at += 1
            token = self.peek()
        if token is None:
            raise Unreadable
        if token.kind == "op" and token.text == "-":
            self.at += 1
            self.form.append("-")
            inner = self.power()
            number = None if inner.number is None else -inner.number
            return Value(number, inner.percent, tops=inner.tops)
        if token.kind == "number":
            return self.number(token)
        if token.kind == "open":
            return self.group()
        if token.kind == "frac":
            self.at += 1
            top = self.group()
            self.operators += 1
            self.form.append("/")
            return self.multiplied(top, self.group(), "/")
        raise Unreadable

    def number(self, token: Token) -> Value:
        self.at += 1
        self.end = token.end
        self.numbers.append(token)
        self.form.append(_plain(token))
        value = _unrounded(token) if self.reading.unrounded else token.value
        if token.percent and self.reading.percent != "plain":
            value /= 100
        if token.money:
            self.units.add("dollar")
        made = Value(value, token.percent, share=token.percent or 0 < value < 1)
        if self.reading.tight and self.tight_fraction():
            self.at += 1
            below = self.tokens[self.at]
            self.at += 1
            self.end = below.end
            self.numbers.append(below)
            self.operators += 1
            self.form += ["/", _plain(below)]
            made = Value(value / below.value if below.value else None, share=True)
        self.unit_words()
        return made

    def tight_fraction(self) -> bool:
        slash, below = self.peek(), self.peek(1)
        return (
            slash is not None
            and below is not None
            and slash.text == "/"
            and below.kind == "number"
            and slash.start == self.end
            and below.start == slash.end
        )

    def group(self) -> Value:
        opening = self.peek()
        if opening is None or opening.kind != "open":
            raise Unreadable
        self.at += 1
        self.form.append("(")
        made = self.sum()
        closing = self.peek()
        if closing is None or closing.kind != "close":
            raise Unreadable
        self.at += 1
        self.end = closing.end
        self.form.append(")")
        self.unit_words()
        return Value(made.number, made.percent, share=made.share, tops="")

    def operator(self) -> str:
        token = self.tokens[self.at]
        self.at += 1
        self.operators += 1
        self.form.append(token.text)
        return token.text

    def operand_follows(self) -> bool:
        """Whether the operator at hand has a right side; False for a dash in prose.

        Raises Unreadable where something follows that should be an operand and has no value.
        """
        token, after = self.tokens[self.at], self.peek(1)
        skip = 1
        while after is not None and after.kind == "word" and after.text.lower() in DETERMINERS:
            skip += 1
            after = self.peek(skip)
        if after is not None and (
            after.kind in ("number", "open", "frac") or (after.kind == "op" and after.text == "-")
        ):
            return True
        if token.text == "-" and after is not None:
            if after.kind == "break" or (after.kind == "word" and len(after.text) > 1):
                return False
        raise Unreadable

    def unit_words(self) -> None:
        """Pass over what a number counts ("pieces of candy", "/week", "(oranges)"), if sums go on after."""
        ahead, words = 0, list[str]()
        while len(words) <= MAX_UNIT_WORDS:
            token = self.peek(ahead)
            if token is None:
                break
            if token.kind == "word":
                if token.text.lower() in STOP_WORDS or re.search(r"\d", token.text):
                    break
                self.refuse_variable(token, ahead)
                words.append(token.text)
                ahead += 1
            elif token.text == "/" and self.is_word(ahead + 1):
                ahead += 1
            elif token.kind == "open" and (inside := self.bracketed_words(ahead)):
                if token.start == self.end:  # .4(number of minutes)
                    raise Unreadable
                words += inside
                ahead += len(inside) + 2
            else:
                break
        following = self.peek(ahead)
        self.counted = bool(words)
        known = [name for word in words[:2] if (name := unit(word))]
        self.units.update(known)
        if words and following is not None and following.kind in ("op", "equals", "close", "of"):
            if following.kind == "of":
                raise Unreadable  # "5 bags of 4": a product, or a part
            self.at += ahead

    def is_word(self, ahead: int) -> bool:
        token = self.peek(ahead)
        return token is not None and token.kind == "word"

    def bracketed_words(self, ahead: int) -> list[str]:
        inside: list[str] = []
        while self.is_word(ahead + 1 + len(inside)) and len(inside) < MAX_UNIT_WORDS:
            inside.append(self.tokens[self.at + ahead + 1 + len(inside)].text)
        closing = self.peek(ahead + 1 + len(inside))
        return inside if closing is not None and closing.kind == "close" else []

    def refuse_variable(self, token: Token, ahead: int) -> None:
        if len(token.text) > 1:
            return
        if token.text in UNIT_LETTERS:
            self.units.add("(letter)")  # 4s + 16: seconds, or a variable
            return
        article = token.text == "a" and token.start > self.end and self.is_word(ahead + 1)
        if not article:
            raise Unreadable


def _unrounded(token: Token) -> Fraction:
    """The fraction with a small denominator that a decimal was rounded from, if any: 6.67 is 20/3."""
    digits = token.digits or 0
    if digits < 2:
        return token.value
    half = Fraction(1, 2 * 10**digits)  # rounded: half a last digit either way; cut off: a whole one less
    for denominator in (3, 6, 7, 9, 11, 12):
        near = Fraction(round(token.value * denominator), denominator)
        if near.denominator == denominator and -half <= near - token.value < 2 * half:
            return near
    return token.value


def _plain(token: Token) -> str:
    if token.digits is None:
        return str(token.value)
    return re.sub(r"[^\d.]", "", token.text.rstrip(".…")) + ("%" if token.percent else "")
