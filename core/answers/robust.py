"""The lab's own answer rules: read what a person would read as the answer.

Where it looks, the first that holds a candidate winning:
    1. the last \\boxed{…}
    2. where no prefix was asked for (the text answers a prompt that ends in "the answer is"): a first
       sentence that is nothing but an answer, "25%. The answer (as a fraction) is 1/4"
    3. the sentence after the last explicit marker: the given prefix, "-->", "####", "answer is", "Answer:";
       but for the prefix, only if no further step of work comes behind it
    4. else the first candidate where the text answers a prompt, the last one where it is a whole rationale
    5. a choice that is named by its text alone, "08/20/2020", where the question's choices are known
In a calculation, "8 + 4 = 12", the number after the last "=" of the sentence is the candidate.

What counts as the same number: $29.00 = 29, 7.0 = 7, 1,234 = 1234, 1/2 = 0.5, 1 1/2 = 1.5, ½ = 0.5,
\\frac{1}{2} = 0.5, −3 (any minus) = -3, 1.5 million = 1500000, .5 = 0.5; "29 dollars" and "29kg" hold 29.
A percentage is ambiguous and matches both ways: 50% = 50 and 50% = 0.5.
A digit glued to a word (mp3, A4) is no number, nor is the minus of 70-27 a sign.
A choice letter is never taken out of a word, and a lone "A" is the article before a noun ("A cat"), not
before what goes on with a sentence ("A or E", "A because").
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

# Groups of two are India's, "1,00,000", and slips, "$100,00" for $100,000.
_DIGITS = r"(?:\d{1,3}(?:(?:,|\{,\}|\\,)\d{2,3})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+"
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
_GOES_ON_WITH = (
    "and|or|nor|but|because|since|as|if|so|which|that|is|are|was|were|be|would|will|should|must|can|has|have"
    "|for|with|from|in|on|at|to|by|of|not|only|also|again|instead|then|therefore|seems?|makes?|fits"
)
_ARTICLE = re.compile(rf"\s+(?!(?:{_GOES_ON_WITH})\b)[a-z]")
_LEADING = re.compile(
    r"[^\w([{]*([A-Z])(?:\s*(?:$|[.:;*\"–—]|--|\n)|\s-\s|\))"
)  # "D. P(A AND B)", "D--exhaustion"
_NAMED = re.compile(r"\b(?:Grade|Step|Page|Chapter|Question|Problem|Example|Level|Part)\s$")  # by a number
_WORK = re.compile(r"=|^\W*(?:step\s*)?\d+[.):*]", re.IGNORECASE | re.MULTILINE)
_SHORT = 2  # words that an answer may have with it and still be all of its sentence


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
    text = plain(text)
    for match in _NUMBER.finditer(text):
        number = _value(match)
        if number is not None and not _NAMED.search(text, max(0, match.start() - 12), match.start()):
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


def plain(text: str) -> str:
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


def sentence(text: str) -> str:
    """The first sentence or line that is not empty, with the white space before it."""
    begin = len(text) - len(text.lstrip())
    end = _SENTENCE_END.search(text, begin)
    return text[: end.start()] if end else text


def line(text: str) -> str:
    """The first line that is not empty, with the white space before it."""
    begin = len(text) - len(text.lstrip())
    end = text.find("\n", begin)
    return text if end < 0 else text[:end]


def _after(text: str, kind: Kind, to_the_end: bool) -> Found | None:
    """The answer in the first sentence of a text, unless that is a question ("Answer: how much …?"), or more
    work follows where the text goes to a rationale's end."""
    said = line(text) if kind.form == "words" else sentence(text)
    rest = text[len(said) :]
    return None if rest.startswith("?") or (to_the_end and _WORK.search(rest)) else _first(said, kind)


def _short(text: str, kind: Kind) -> Found | None:
    """The answer that the first sentence is, with next to nothing around it."""
    said = sentence(text)
    found = candidates(said, kind) if kind.form == "number" and "=" not in said else []
    if len(found) != 1 or re.search(r"\w", said[: found[0].start]):
        return None
    return found[0] if len(said[found[0].end :].split()) <= _SHORT else None


def _first(text: str, kind: Kind) -> Found | None:
    """The answer in a text that starts with it."""
    if kind.form == "choice" and (leading := _LEADING.match(text)) and leading[1] in kind.letters:
        return _letter(leading)
    found = candidates(text, kind)
    if not found:
        return None
    if kind.form == "number":
        said = sentence(text)
        equals = said.rfind("=")
        after = [f for f in found if equals >= 0 and equals < f.start < len(said)]
        return after[0] if after else found[0]
    return found[0]


def candidates(text: str, kind: Kind) -> list[Found]:
    """Every candidate answer in a plain text, in order."""
    match kind.form:
        case "choice":
            return choices(text, kind.letters) or _by_text(text, kind.options)
        case "number":
            return numbers(text)
        case "yes-no":
            return [Found(f.value.lower(), f.start, f.end) for f in find(_YES_NO, text)]
        case "letters":
            return spellings(text)
        case _:
            said = line(text).rstrip()
            begin = len(said) - len(said.lstrip(" \t\n\"'*(["))
            value = said[begin:].rstrip(" \t\"'*)].,")
            return [Found(value, begin, begin + len(value))] if value else []


def choices(text: str, letters: str) -> list[Found]:
    """Marked letters, (B), B), [B], B. and "option B", else letters that stand alone."""
    last = letters[-1]
    marked = re.compile(
        rf"[(\[{{]\s*([A-{last}a-{last.lower()}])\s*[)\]}}]"
        rf"|(?<![\w'])([A-{last}a-{last.lower()}])[)\]]"
        rf"|\b(?:[Oo]ption|[Cc]hoice|OPTION|CHOICE)\s+([A-{last}])(?!\w)"
    )
    found = [_letter(m) for m in marked.finditer(text) if not m[2] or not _in_brackets(text, m.start())]
    if found:
        return found
    alone = re.compile(rf"(?<![\w'.-])([A-{last}])(?![\w']|-(?!-))")
    found = [_letter(m) for m in alone.finditer(text) if not (m[1] == "A" and _ARTICLE.match(text, m.end()))]
    if found:
        return found
    only = re.fullmatch(rf"\W*([a-{last.lower()}A])\W*", text)
    return [_letter(only)] if only else []


def _in_brackets(text: str, at: int) -> bool:
    """Whether a bracket is open there: "P(A AND B)"."""
    return text.rfind("(", 0, at) > text.rfind(")", 0, at)


def _by_text(text: str, options: tuple[tuple[str, str], ...]) -> list[Found]:
    """The choice whose text is said; none where two different ones are, one of them not within the other."""
    said = [(m, letter) for letter, option in options if (m := _phrase(option).search(text))]
    if not said:
        return []
    match, letter = max(said, key=lambda pair: len(pair[0].group()))
    within = all(match.start() <= m.start() and m.end() <= match.end() for m, _ in said)
    return [Found(letter, match.start(), match.end())] if within else []


def _phrase(option: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(option)}(?!\w)", re.IGNORECASE)


def _letter(match: re.Match[str]) -> Found:
    group = match.lastindex or 0  # one of them matched
    return Found(match[group].upper(), match.start(group), match.end(group))


def spellings(text: str) -> list[Found]:
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
    whole = plain(text)
    everything = tuple(candidates(whole, kind))
    correct_format = prefix is None or prefix in text
    if (box := boxed(whole)) and (inner := _first(_unwrap(whole[slice(*box)]), kind)):
        return Reading(inner.shift(box[0]), everything, correct_format)
    if prefix is None and (short := _short(whole, kind)):
        return Reading(short, everything, correct_format)
    written = prefix is not None and prefix in text
    markers = _markers(whole, prefix)[:MOST_MARKERS]
    for marker in markers:
        if after := _after(whole[marker:], kind, to_the_end=not written):
            return Reading(after.shift(marker), everything, correct_format)
    if prefix is None and not (markers and _WORK.search(whole, markers[-1])):
        return Reading(_first(whole, kind), everything, correct_format)
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
