"""The lab's own answer rules: read what a person would read as the answer.

Where it looks, the first that holds a candidate winning:
    1. the last \\boxed{…}
    2. the sentence after the last explicit marker: the given prefix, "-->", "####", "answer is", "Answer:"
    3. with no marker: the first candidate where no prefix was asked for (the text answers a prompt
       that ends in "the answer is"), else the last one (the text is a whole rationale)
In a calculation, "8 + 4 = 12", the number after the last "=" of the sentence is the candidate.

What counts as the same number: $29.00 = 29, 7.0 = 7, 1,234 = 1234, 1/2 = 0.5, 1 1/2 = 1.5, ½ = 0.5,
\\frac{1}{2} = 0.5, −3 (any minus) = -3, 1.5 million = 1500000, .5 = 0.5; "29 dollars" and "29kg" hold 29.
A percentage is ambiguous and matches both ways: 50% = 50 and 50% = 0.5.
A digit glued to a word (mp3, A4) is no number, nor is the minus of 70-27 a sign.
A choice letter is never taken out of a word, and a lone "A" before a word is the article.
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

from core.answers.kinds import Kind
from core.answers.papers import Reading
from core.answers.spans import Found, find

TOLERANCE = 1e-6
LONGEST_NUMBER = 400  # characters, and the largest exponent
LARGEST = 10**300  # what a float still holds
MOST_MARKERS = 50  # a text that says more of them goes in circles

# Same length in and out, so that spans need no mapping.
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("−﹣－‐‑‒", "-"),
        **dict.fromkeys("“”„‟″＂", '"'),
        **dict.fromkeys("‘’‚‛′", "'"),
        **{chr(0xFF10 + d): str(d) for d in range(10)},
        **{chr(0xFF21 + i): chr(0x41 + i) for i in range(26)},
        **{chr(0xFF41 + i): chr(0x61 + i) for i in range(26)},
        "（": "(", "）": ")", "，": ",", "．": ".", "：": ":", "％": "%", "＄": "$", "＝": "=",
        "／": "/", "⁄": "/",
        "\u00a0": " ", "\u202f": " ", "\u2009": " ",
    }
)  # fmt: skip
_CALCULATOR = re.compile(r"<<[^<>\n]*>>")  # GSM8K's "<<16-3-4=9>>9"
_MARKER = re.compile(
    r"-->|####"
    r"|\banswers?\b(?:\s*\([^()\n]{0,40}\))?(?:\s+(?:is|are|was|would\s+be|will\s+be|should\s+be|must\s+be|equals)\b"
    r"|\s*[:=])(?:\s*[:=])?[\s*_]*",
    re.IGNORECASE,
)
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{")

_DIGITS = r"(?:\d{1,3}(?:(?:,|\{,\}|\\,)\d{3})+|\d+)(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+"
_VULGAR = "".join(chr(c) for c in (*range(0xBC, 0xBF), *range(0x2150, 0x215F), 0x2189))
_SCALE = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_NUMBER = re.compile(
    r"(?P<sign>(?<![\w)\]}.])-\s?)?(?P<money>(?:\\?[$£€¥])\s?)?(?P<inner>-)?"
    rf"(?:\\[dt]?frac\s*\{{(?P<fn>-?\d+)\}}\s*\{{(?P<fd>\d+)\}}"
    rf"|(?<![A-Za-z_\d.])(?P<mw>\d+)(?:\s+|-|\s*\+\s*)(?P<mn>\d+)\s*/\s*(?P<md>\d+)(?![\d/])"
    rf"|(?<![A-Za-z_\d.])(?P<vw>\d+)?\s?(?P<vulgar>[{_VULGAR}])"
    rf"|(?<![A-Za-z_\d./])(?P<qn>\d+)\s*/\s*(?P<qd>\d+)(?![\d/]|\s*=)"
    rf"|(?<![A-Za-z_\d])(?P<plain>{_DIGITS}))"
    rf"(?P<percent>\s?\\?%|\s+percent\b)?(?:\s+(?P<scale>{'|'.join(_SCALE)})\b)?",
)
_SENTENCE_END = re.compile(r"\n|[.!?](?=\s|$)")
_YES_NO = re.compile(r"\b(?:yes|no)\b", re.IGNORECASE)
_LETTER = r"[^\W\d_]"  # of any alphabet
_LETTERS = rf"({_LETTER}(?:{_LETTER}|[ .,\-])*?)[\s.,]*"
_QUOTED = re.compile(rf"\"\s*{_LETTERS}\"|(?<!\w)'\s*{_LETTERS}'(?!\w)")
_SPELT = re.compile(rf"\b{_LETTER}(?:(?:\s*[-,.]\s*|\s+){_LETTER}\b)+")
_WORD = re.compile(rf"{_LETTER}+")
_ARTICLE = re.compile(r"\s+[a-z]")


# Numbers


def _value(match: re.Match[str]) -> Fraction | None:
    if len(match.group()) > LONGEST_NUMBER:
        return None  # no such answer, and Python refuses or spends minutes on it
    part = match.groupdict()
    if any(part[below] and not int(part[below]) for below in ("fd", "md", "qd")):
        return None
    if part["fn"]:
        number = Fraction(int(part["fn"]), int(part["fd"]))
    elif part["mw"]:
        number = int(part["mw"]) + Fraction(int(part["mn"]), int(part["md"]))
    elif part["vulgar"]:
        number = int(part["vw"] or 0) + Fraction(unicodedata.numeric(part["vulgar"])).limit_denominator(100)
    elif part["qn"]:
        number = Fraction(int(part["qn"]), int(part["qd"]))
    else:
        digits = re.sub(r"\{,\}|\\,|,", "", part["plain"])
        if abs(int((re.findall(r"[eE]([+-]?\d+)", digits) or ["0"])[0])) > LONGEST_NUMBER:
            return None
        number = Fraction(digits)
    number *= _SCALE.get(part["scale"], 1)
    if abs(number) > LARGEST:
        return None
    return -number if part["sign"] or part["inner"] else number


def numbers(text: str) -> list[Found]:
    """Every number in a text, its value written plainly: "$1,234.00" as "1234", "50%" as "50%"."""
    found = []
    for match in _NUMBER.finditer(_plain(text)):
        number = _value(match)
        if number is not None:
            percent = "%" if match["percent"] else ""
            found.append(Found(_written(number) + percent, match.start(), match.end()))
    return found


def _written(number: Fraction) -> str:
    if number.denominator == 1:
        return str(number.numerator)
    finite = pow(10, number.denominator.bit_length(), number.denominator) == 0  # as a decimal
    return repr(float(number)) if finite else str(number)


def _numbers_meant(value: str) -> set[float]:
    """What a written number may mean: "50%" is 50 and 0.5."""
    number = float(Fraction(value.removesuffix("%")))
    return {number, number / 100} if value.endswith("%") else {number}


def _same_number(value: str, gold: str) -> bool:
    golds = numbers(gold)
    if not golds:
        return False
    return any(
        abs(a - b) <= TOLERANCE * max(1.0, abs(b))
        for a in _numbers_meant(value)
        for b in _numbers_meant(golds[0].value)
    )


# Where to look


def _plain(text: str) -> str:
    """Plain minus signs, quotes, digits and spaces, calculator notes blanked; of the same length."""
    return _CALCULATOR.sub(lambda m: " " * len(m.group()), text.translate(_PLAIN))


def boxed(text: str) -> tuple[int, int] | None:
    """The place of the content of the last \\boxed{…} whose braces close; they may nest."""
    contents = {m.end() - 1: m.end() for m in _BOXED.finditer(text)}
    open_braces: list[int | None] = []
    last = None
    for i, char in enumerate(text) if contents else ():
        if char == "{":
            open_braces.append(contents.get(i))
        elif char == "}" and open_braces:
            start = open_braces.pop()
            if start is not None and (last is None or start > last[0]):
                last = start, i
    return last


def _markers(text: str, prefix: str | None) -> list[int]:
    """Where the texts after an explicit marker start, the last one first."""
    places = {m.end() for m in _MARKER.finditer(text)}
    if prefix and (at := text.rfind(prefix)) >= 0:
        places.add(at + len(prefix))
    return sorted(places, reverse=True)


def _sentence(text: str) -> str:
    """The first sentence or line that is not empty, with the white space before it."""
    begin = len(text) - len(text.lstrip())
    end = _SENTENCE_END.search(text, begin)
    return text[: end.start()] if end else text


def _line(text: str) -> str:
    """The first line that is not empty, with the white space before it."""
    begin = len(text) - len(text.lstrip())
    end = text.find("\n", begin)
    return text if end < 0 else text[:end]


def _after(text: str, kind: Kind) -> Found | None:
    """The answer in the first sentence of a text, unless that is a question ("Answer: how much …?")."""
    sentence = _line(text) if kind.form == "words" else _sentence(text)
    return None if text[len(sentence) :].startswith("?") else _first(sentence, kind)


def _first(text: str, kind: Kind) -> Found | None:
    """The answer in a text that starts with it."""
    found = _candidates(text, kind)
    if not found:
        return None
    if kind.form == "number":
        sentence = _sentence(text)
        equals = sentence.rfind("=")
        after = [f for f in found if equals >= 0 and equals < f.start < len(sentence)]
        return after[0] if after else found[0]
    return found[0]


def _candidates(text: str, kind: Kind) -> list[Found]:
    match kind.form:
        case "choice":
            return _choices(text, kind.letters)
        case "number":
            return numbers(text)
        case "yes-no":
            return [Found(f.value.lower(), f.start, f.end) for f in find(_YES_NO, text)]
        case "letters":
            return _spellings(text)
        case _:
            line = _line(text).rstrip()
            begin = len(line) - len(line.lstrip(" \t\n\"'*(["))
            value = line[begin:].rstrip(" \t\"'*)].,")
            return [Found(value, begin, begin + len(value))] if value else []


def _choices(text: str, letters: str) -> list[Found]:
    """Marked letters, (B), B), [B], B. and "option B", else letters that stand alone."""
    last = letters[-1]
    marked = re.compile(
        rf"[(\[{{]\s*([A-{last}a-{last.lower()}])\s*[)\]}}]"
        rf"|(?<![\w'])([A-{last}a-{last.lower()}])[)\]]"
        rf"|\b(?:[Oo]ption|[Cc]hoice|OPTION|CHOICE)\s+([A-{last}])(?!\w)"
    )
    found = [_letter(m) for m in marked.finditer(text)]
    if found:
        return found
    alone = re.compile(rf"(?<![\w'.-])([A-{last}])(?![\w'-])")
    found = [_letter(m) for m in alone.finditer(text) if not (m[1] == "A" and _ARTICLE.match(text, m.end()))]
    if found:
        return found
    only = re.fullmatch(rf"\W*([a-{last.lower()}A])\W*", text)
    return [_letter(only)] if only else []


def _letter(match: re.Match[str]) -> Found:
    group = match.lastindex or 0  # one of them matched
    return Found(match[group].upper(), match.start(group), match.end(group))


def _spellings(text: str) -> list[Found]:
    """Quoted words, else letters spelt one by one, else words; letters only."""
    for pattern in (_QUOTED, _SPELT, _WORD):
        found = []
        for match in pattern.finditer(text):
            group = match.lastindex or 0
            letters = "".join(c for c in match[group] if c.isalpha())
            if letters:
                found.append(Found(letters, match.start(group), match.end(group)))
        if found:
            return found
    return []


def read(text: str, kind: Kind, prefix: str | None) -> Reading:
    """The robust reading of a text; see the module for where it looks."""
    plain = _plain(text)
    everything = tuple(_candidates(plain, kind))
    correct_format = prefix is None or prefix in text
    if (box := boxed(plain)) and (inner := _first(_unwrap(plain[slice(*box)]), kind)):
        return Reading(inner.shift(box[0]), everything, correct_format)
    for marker in _markers(plain, prefix)[:MOST_MARKERS]:
        if after := _after(plain[marker:], kind):
            return Reading(after.shift(marker), everything, correct_format)
    if prefix is None:
        return Reading(_first(plain, kind), everything, correct_format)
    return Reading(everything[-1] if everything else None, everything, correct_format)


def _unwrap(text: str) -> str:
    """A boxed text with \\text and its like blanked; of the same length."""
    return re.sub(r"\\(?:text|textbf|mathrm|mathbf)\b", lambda m: " " * len(m.group()), text)


def match(value: str, gold: str, kind: Kind) -> bool:
    """Whether a value read robustly is the gold answer."""
    match kind.form:
        case "number":
            return _same_number(value, gold)
        case "letters" | "choice" | "yes-no":
            return value.casefold() == gold.strip().casefold()
        case _:
            return _words(value) == _words(gold) or f" {_words(gold)} " in f" {_words(value)} "


def _words(text: str) -> str:
    words = re.findall(r"[\w:/;]+", text.translate(_PLAIN).casefold())
    return " ".join(word for word in words if word not in {"the", "a", "an"})
