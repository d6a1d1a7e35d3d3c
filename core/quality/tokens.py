r"""Cut a text into the tokens that arithmetic is made of.

    "$12.50 x 12 is $150"   →   number 12.5 (money), op *, number 12, equals "is", number 150 (money)

What no sum can go across (a full stop, an arrow, a quoted date) is a `break` or `hidden` token, so
that a later stage need not know why.
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from typing import NamedTuple

from core.quality.vocabulary import WORDS

MAX_DIGITS = 30  # a longer number is no arithmetic of a word problem
NEARBY = 200  # characters to look for the other end of an emphasis


class Token(NamedTuple):
    """kind: number, op, of, open, close, equals, word, frac, sup, hidden (an operand that cannot be
    read) or break (nothing reads across it)."""

    kind: str
    text: str
    start: int
    end: int
    value: Fraction = Fraction(0)
    percent: bool = False
    digits: int | None = None  # printed after the decimal point
    approximate: bool = False  # ≈, "about", or a number that ends in "..."
    worded: bool = False  # "is", "equals"
    money: bool = False


_CURRENCY = r"[$£€¥₹]"
_PATTERN = re.compile(
    r"""
    (?P<space>[^\S\n]+)
  | (?P<newline>\n\s*)
  | (?P<hidden>
        \b(?:1[5-9]|20)\d\d[-/]\d{1,2}[-/]\d{1,2}\b | \b\d{1,2}[-/]\d{1,2}[-/](?:1[5-9]|20)\d\d\b
      | (?!\d{1,3}(?:,\d{3})+(?![\d,]*\d))\d+(?:,\d+)+ | \d{1,3}(?:\.\d{3})+,\d+
      | \b0\d/\d{1,2}/\d{2}\b | \b0\d{3}\b(?!\.) | \d{1,2}:\d{2}\b | \.\.\.|… | √ | \?
      | \\(?!text|frac|dfrac|tfrac|times|cdot|div|approx|boxed|left|right|quad|[%$,;!\[\]()])[A-Za-z]+ )
  | (?P<word1>\\text(?:bf|rm|it)?\{[^{}\n]*\})
  | (?P<skip>\\(?:boxed|left|right|quad|[,;!])|["“”'’`_°]|\\?"""
    + _CURRENCY
    + r""")
  | (?P<frac>\\[dt]?frac)
  | (?P<break1>\\[\[\]()]|[=−-]{1,20}>|⇒|→|[<>!:]=|[<>≤≥≠])
  | (?P<number>(?:
        (?P<whole>\d+)[ \u00a0\u202f\u2009](?:and[ ])?(?P<top>\d+)/(?P<bottom>\d+)(?![\d/.,]*[\d/])
      | (?P<lead>\d+)?(?P<vulgar>[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞])
      | (?P<decimal>(?:\d{1,3}(?:,\d{3})+(?!\d)
              |\d{1,3}(?:(?:[ \u00a0\u202f\u2009'’]|\{,\}|\\,)\d{3})+(?![\d,])|\d+)(?:\.\d+)?
          |(?<!\d)\.\d+) )
    (?P<ordinal>(?:st|nd|rd|th)s?\b)?(?P<dots>\.\.\.|…)?(?P<percent>\s?\\?%|\s?percent\b|\s?per\ cent\b)?)
  | (?P<equals>(?:,?\s*\b(?:which\s+|that\s+|this\s+)?
        (?:is\s+equal\s+to|equals?(?:\s+to)?|is|gives(?:\s+(?:us|you|him|her|them))?|makes|(?:to|we|you)\s+get)
          |,\s*or)
        (?:\s+a\s+total\s+of)?(?:\s+(?P<roughly>about|approximately|roughly))?
        (?=\s+(?:(?=[-−\\$£€¥₹])[-−]?\\?[$£€¥₹]?\s*)?\d)
      | ==?|＝|\\approx|[≈≅]|(?<=\s)~(?=\s))
  | (?P<times>\\times|\\cdot|[×·∙⋅✕∗＊]|\bmultiplied\s+by\b|\btimes\b(?=\s+(?:the\s+)?[$£€]?[\d.(]))
  | (?P<divided>\\div|[÷∕⁄／]|\bdivided\s+by\b)
  | (?P<plus>＋|\bplus\b)
  | (?P<minus>[−–－]|\bminus\b)
  | (?P<x>[xX](?=\s*(?:\\?[$£€])?[\d.(]))
  | (?P<of>\bof\s+(?:the\s+|his\s+|her\s+|their\s+|those\s+|these\s+)?(?=\\?[$£€]?\d))
  | (?P<sup>[²³])
  | (?P<word2>[^\W\d_]\w*(?:['’-][^\W\d_]\w*)*)
  | (?P<power>\*\*|\^)
  | (?P<op>[-+*/])
  | (?P<open>[(\[{])
  | (?P<close>[)\]}])
  | (?P<other>.)
    """,
    re.VERBOSE,
)
_OPERATORS = {"times": "*", "divided": "/", "plus": "+", "minus": "-"}
STOP_WORDS = frozenset(WORDS["stops"])
DETERMINERS = frozenset(WORDS["determiners"])
COMPARATIVES = frozenset(WORDS["comparatives"])
LABELS = frozenset(WORDS["labels"])
UNIT_LETTERS = frozenset(WORDS["unit_letters"])


def tokens_of(text: str) -> list[Token]:
    """The tokens of a text in order, each with its span. Blanks, quotes and emphasis give none."""
    made: list[Token] = []
    money = False
    for match in _PATTERN.finditer(text):
        kind, piece = str(match.lastgroup), match.group()  # the outermost named group
        if kind == "space":
            continue
        if kind == "skip":
            money = money or piece[-1] in "$£€¥₹"
            continue
        token = _token(kind, match, text, made, money)
        money = False
        if token is not None:
            made.append(token)
    return _without_joined_newlines(made, text)


def _token(kind: str, match: re.Match[str], text: str, before: list[Token], money: bool) -> Token | None:
    piece, start, end = match.group(), match.start(), match.end()
    previous = before[-1] if before else None
    if kind == "number":
        return _number(match, text, previous, money)
    if kind == "equals":
        worded = piece.strip()[-1:].isalpha() and not piece.startswith("\\")
        rough = bool(match["roughly"]) or piece in ("≈", "≅", "~", "\\approx")
        return Token("equals", piece, start, end, approximate=rough, worded=worded)
    if kind in _OPERATORS:
        return Token("op", _OPERATORS[kind], start, end)
    if kind == "x":
        # "5 x 3" multiplies, "x 3" alone does not.
        # Nor does one that clings to both, "0.9x(2)": a variable as well as a sign.
        variable = text[end : end + 1] == "(" and text[start - 1 : start].isdigit()
        after_operand = previous is not None and previous.kind in ("number", "close", "word") and not variable
        return Token("op", "*", start, end) if after_operand else Token("hidden", piece, start, end)
    if kind == "power":
        power = piece == "^" or not _is_emphasis(text, start, end)
        return Token("op", "^", start, end) if power else None
    if kind == "op":
        if piece in "-+*" and _is_bullet(text, start, end):
            return Token("break", piece, start, end)
        if piece == "*" and _is_emphasis(text, start, end):
            return None
        return Token("op", piece, start, end)
    if kind == "of" and (previous is None or previous.kind not in ("number", "close")):
        return Token("word", "of", start, start + 2)
    if kind == "sup":
        return Token("sup", piece, start, end, Fraction(unicodedata.digit(piece)))
    names = {"word1": "word", "word2": "word", "break1": "break", "other": "break"}
    return Token(names.get(kind, kind), piece, start, end)


def _number(match: re.Match[str], text: str, previous: Token | None, money: bool) -> Token:
    start, end = match.span()
    digits = None
    if len(match.group()) > MAX_DIGITS:
        return Token("hidden", match.group(), start, end)
    if match["whole"]:
        if int(match["bottom"]) == 0:
            return Token("hidden", match.group(), start, end)
        value = int(match["whole"]) + Fraction(int(match["top"]), int(match["bottom"]))
    elif match["vulgar"]:
        part = Fraction(unicodedata.numeric(match["vulgar"])).limit_denominator(10)
        value = int(match["lead"] or 0) + part
    else:
        plain = re.sub(r"[^\d.]", "", match["decimal"])
        value = Fraction(plain if not plain.startswith(".") else "0" + plain)
        digits = len(plain.partition(".")[2])
    below = previous is not None and previous.text == "/"  # 1/4th
    label = previous is not None and previous.text.lower().removesuffix("s") in LABELS
    label = label and not re.match(r"\s+[a-z]", text[end : end + 3])  # "in the first year 6 students left"
    if (match["ordinal"] and not below) or label:
        return Token("hidden", match.group(), start, end)
    return Token(
        "number", match.group(), start, end, value, bool(match["percent"]), digits, bool(match["dots"]),
        money=money,
    )  # fmt: skip


def _is_emphasis(text: str, start: int, end: int) -> bool:
    """Whether stars are Markdown's: blank on one side only, and closed, or opened, on the same line."""
    before = text[max(text.rfind("\n", 0, start) + 1, start - NEARBY) : start]
    after = text[end : end + NEARBY].partition("\n")[0]
    opens = re.search(r"(?:^|[\s(:=+*/-])$", before) and re.match(r"\S", after)
    closes = re.search(r"\S$", before) and re.match(r"(?:[\s).,;:!?=+-]|$)", after)
    if opens and not closes:
        return bool(re.search(r"\S\*+(?:[\s).,;:!?=+-]|$)", after))
    if closes and not opens:
        return bool(re.search(r"(?:^|[\s(:=+*/-])\*+[^\s*]", before))
    return False


def _is_bullet(text: str, start: int, end: int) -> bool:
    line = text[max(text.rfind("\n", 0, start) + 1, start - NEARBY) : start]
    return not line.strip() and text[end : end + 1] in (" ", "\t")


def _without_joined_newlines(tokens: list[Token], text: str) -> list[Token]:
    """A line break next to an equals sign joins; any other parts."""
    kept: list[Token] = []
    for i, token in enumerate(tokens):
        if token.kind != "newline":
            kept.append(token)
            continue
        after = tokens[i + 1] if i + 1 < len(tokens) else None
        joins_before = after is not None and after.kind == "equals" and not after.worded
        joins_after = (
            bool(kept)
            and kept[-1].kind == "equals"
            and token.text.count("\n") == 1
            and not re.match(r"\d+[.)]\s", text[token.end : token.end + 10])
        )
        if not (joins_before or joins_after):
            kept.append(token._replace(kind="break"))
    return kept
