r"""Find every equation in a text and recompute it, exactly.

    "They eat 35 pieces, so they have 74 - 35 = 39 pieces left."   →   74 - 35 = 39, right
    "$12.50 x 12 = $150"   "20% of 50 = 10"   "5 apples + 3 apples = 8 apples"   "2+3*2=5*2=10"

A text is cut into tokens, the tokens are read by a small grammar (numbers with units, + - * / ^,
brackets, "20% of"), and both sides of each equals sign are worked out in fractions; nothing is ever
evaluated as code. What cannot be read with certainty (a variable, a date, `sqrt`) gives no equation
rather than a wrong one.

People write arithmetic loosely, so a side may be read in more than one way and an equation is right
if any of them fits: a percentage as a hundredth part, as a plain number, or as a share of what it is
added to; `1/2` without blanks as one number; 0.33 as the third it was rounded from; "5 + 3 = 8 * 2 = 16" as a
running total. A decimal
result may be rounded or cut off at its last printed digit. Where the two sides are in different units
of the same kind (hours and minutes, dollars and cents) a mismatch proves nothing and is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from core.quality.expressions import READINGS, Reader, Reading, Side, Unreadable
from core.quality.tokens import COMPARATIVES, Token, tokens_of
from core.quality.units import incomparable, ratios, unit
from core.quality.vocabulary import WORDS

_IN_BRACKETS = re.compile(r"\([\d.]+/[\d.]+\)")
MULTIPLIERS = frozenset(WORDS["multipliers"])
READ_CHARACTERS = 20_000  # ten times a long rationale; a hostile text of more would take seconds


@dataclass(frozen=True, slots=True)
class Equation:
    """One `left = right` of a text. `start:end` spans it; in a chain, spans do not overlap.

    `value` is what the left side comes to (None: division by zero), `stated` what stands on the right;
    `form` is the equation without units and blanks, "74-35=39".
    """

    start: int
    end: int
    left: str
    right: str
    value: Fraction | None
    stated: Fraction | None
    correct: bool
    form: str
    comes_to: str = ""  # the left side's value, where it is no number: a date


def equations(text: str) -> list[Equation]:
    """Every readable equation of `text`, in order. Includes GSM8K's annotations (`<<48/2=24>>`).

    Of a text that goes on and on, its first 20,000 characters are read.
    """
    text = text[:READ_CHARACTERS]
    outside = re.sub(r"<<[^<>\n]*>>", lambda m: " " * len(m.group()), text)
    found = list(_scan(outside, 0))
    for match in re.finditer(r"<<([^<>\n]*)>>", text):
        for inner in _scan(match[1], match.start(1)):
            # "48/2 = <<48/2=24>>24" says it twice: one of the two is kept, the wrong one if there is one.
            around = [e for e in found if e.start < inner.end and inner.start < e.end]
            if not around or not inner.correct:
                found = [e for e in found if e not in around] + [inner]
    return sorted(found, key=lambda e: e.start)


def number_text(value: Fraction) -> str:
    """A number as a person would write it: 8, 0.25, 1,024, or "about 3.333"."""
    if value.denominator == 1:
        return f"{value.numerator:,}"
    finite = pow(10, value.denominator.bit_length(), value.denominator) == 0  # it has the primes 2 and 5 only
    if finite and value.denominator < 10**7:
        return f"{float(value):,.6f}".rstrip("0")
    return f"about {float(value):,.3f}"


def _scan(text: str, offset: int) -> Iterator[Equation]:
    tokens = tokens_of(text)
    i = 0
    while i < len(tokens):
        sides = _chain(tokens, i, READINGS[0]) if _may_start(tokens, i) else []
        if len(sides) < 2:
            i = max(i + 1, sides[0].next if sides else 0)
            continue
        readings = [sides]
        plainly_right = all(a.value == b.value for a, b in zip(sides, sides[1:], strict=False))
        for reading in () if plainly_right else READINGS[1:]:
            other = _chain(tokens, i, reading)
            if len(other) == len(sides):
                readings.append(other)
        yield from _judged(text, tokens, i, readings, offset)
        i = sides[-1].next


def _may_start(tokens: list[Token], i: int) -> bool:
    token = tokens[i]
    previous = tokens[i - 1] if i else None
    negative = token.kind == "op" and token.text == "-"
    if negative:
        after = tokens[i + 1] if i + 1 < len(tokens) else None
        signed = after is not None and after.kind in ("number", "open") and _glued(tokens, i)
        if previous is None or previous.kind in ("break", "equals", "open"):
            return signed
        return signed and previous.kind == "word" and previous.end < token.start
    if token.kind not in ("number", "open", "frac"):
        return False
    if previous is None:
        return True
    if previous.kind in ("op", "of", "sup", "close"):
        return False
    if previous.text.lower() in MULTIPLIERS:
        return False
    if token.kind == "open" and (previous.kind == "number" or _is_aside(tokens, i)):  # 1/2 (68)
        return False
    return not (previous.kind in ("word", "close", "hidden", "frac") and previous.end == token.start)


def _is_aside(tokens: list[Token], i: int) -> bool:
    """Whether a bracket holds one number that the words before it speak of: "twice that amount ($8)"."""
    kinds = [token.kind for token in tokens[i - 1 : i + 3]]
    return kinds == ["word", "open", "number", "close"]


def _glued(tokens: list[Token], i: int) -> bool:
    """Whether nothing but a currency sign stands between a minus and its number."""
    return tokens[i + 1].start - tokens[i].end <= tokens[i + 1].money


def _chain(tokens: list[Token], i: int, reading: Reading) -> list[Side]:
    """The sides of `a = b = c` from token i on, as far as they can be read."""
    sides: list[Side] = []
    while i < len(tokens):
        try:
            side = Reader(tokens, reading, i).side()
        except Unreadable:
            break
        sides.append(side)
        if side.next >= len(tokens) or tokens[side.next].kind != "equals":
            break
        i = side.next + 1
        if i < len(tokens) and tokens[i].kind not in ("number", "open", "frac", "op"):
            break
    return sides


def _judged(
    text: str, tokens: list[Token], i: int, readings: list[list[Side]], offset: int
) -> Iterator[Equation]:
    sides = readings[0]
    arithmetic_seen = False
    for k in range(len(sides) - 1):
        left, right = sides[k], sides[k + 1]
        sign = tokens[left.next]
        arithmetic_seen = arithmetic_seen or left.operators > 0
        has_sum = arithmetic_seen or right.operators > 0
        if not has_sum or (sign.worded and not _is_statement(tokens, left, right)):
            continue
        after = text[right.end : right.end + 40]
        around = text[max(0, left.start - 40) : left.start] + after
        right_enough = any(
            _equal(a[k], b[k + 1], sign.approximate, around, after) for a in readings for b in readings
        )
        if not right_enough and (
            incomparable(left.units | right.units)
            or after.startswith("!")  # 7!
            or _in_other_units(left, right)
            or (k == 0 and (_is_label(tokens, i, left) or _is_part(tokens, i, left)))
        ):
            continue
        if not right_enough and re.match(r"\s*(?:and\s+)?\(?\d+/\d", after):  # 16 and (2/3)
            continue
        yield Equation(
            start=offset + (left.start if k == 0 else sign.start),
            end=offset + right.end,
            left=text[left.start : left.end],
            right=text[right.start : right.end],
            value=left.value,
            stated=right.value,
            correct=right_enough,
            form=f"{left.form}={right.form}",
        )


def _is_label(tokens: list[Token], i: int, left: Side) -> bool:
    """Whether the first number only ends a phrase: "16 students drank 2 quarts = 16 * 2"."""
    phrase = i > 0 and tokens[i - 1].kind not in ("break", "equals")
    fraction = left.fraction or bool(_IN_BRACKETS.fullmatch(left.form))
    part = fraction and left.value is not None and left.value < 1
    percentage = not left.operators and left.form.endswith("%")  # 15% = 4500, so 100% = …
    return percentage or ((not left.operators or part) and (left.counted or phrase))


def _in_other_units(left: Side, right: Side) -> bool:
    """Whether one side is the other in a unit that is not said: "30 + 30 = 1 hour", of minutes."""
    if not left.value or not right.value:
        return False
    known = {ratio for name in left.units | right.units for ratio in ratios(name)}
    return left.value / right.value in known or right.value / left.value in known


def _is_part(tokens: list[Token], i: int, left: Side) -> bool:
    """Whether the first number is the lesser part of a measure: "1 hour and 30 minutes + 45 minutes"."""
    at = i - 2 if i and tokens[i - 1].text.lower() == "and" else i - 1
    if at < 1 or tokens[at].kind != "word" or tokens[at - 1].kind != "number":
        return False
    greater = unit(tokens[at].text)
    return greater is not None and incomparable(left.units | {greater})


def _is_statement(tokens: list[Token], left: Side, right: Side) -> bool:
    """Whether "is" states a result: "5 + 3 is 8", but not "2/3 is 4 less than"."""
    after = tokens[right.next] if right.next < len(tokens) else None
    compared = after is not None and after.kind == "word" and after.text.lower() in COMPARATIVES
    part = after is not None and after.kind == "of"
    described = right.operators > 0 and left.value != right.value  # "a 2 x 4 x 10 board is 10*0.50"
    return left.operators > 0 and not (left.fraction or compared or part or described)


def _equal(left: Side, right: Side, approximate: bool, around: str, after: str) -> bool:
    a, b = left.value, right.value
    if a is None or b is None:
        return False
    if a == b or (a and abs(a - b) / abs(a) < Fraction(1, 10**6)):
        return True
    if right.digits is not None and rounds_to(a, b, right.digits):
        return True
    if left.digits is not None and rounds_to(b, a, left.digits):
        return True
    if right.operators and right.first == a and left.operators:  # 5 + 3 = 8 * 2 = 16
        return True
    if right.before_of == a:  # 3/3 - 2/3 = 1/3 of $150
        return True
    if approximate or right.approximate:
        return abs(a - b) <= abs(a) / 100 or rounds_to(a, b, right.digits or 0, least=0)
    if left.quotient and b.denominator == 1 and b == a.numerator // a.denominator:
        if re.match(r"[^.\n]*?(?:\bremain|\bleft[ -]?over|\br\s*\d)", after, re.IGNORECASE):
            return True
    if right.digits is not None and re.search(
        r"\bround|\bapprox|\babout\b|\bnearest\b|\bestimat", around, re.I
    ):
        return abs(a - b) < 1 and b.denominator == 1
    return False


def rounds_to(exact: Fraction, printed: Fraction, digits: int, least: int = 1) -> bool:
    """Whether `printed` is `exact` rounded, or cut off, at its last digit after the decimal point."""
    if digits < least:
        return False
    scale = 10**digits
    scaled, shown = abs(exact) * scale, abs(printed) * scale
    same_sign = (exact < 0) == (printed < 0) or not printed
    return same_sign and (
        abs(scaled - shown) <= Fraction(1, 2) or scaled.numerator // scaled.denominator == shown
    )
