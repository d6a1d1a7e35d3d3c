r"""Completions that others recorded, read from their files: no call, no cost.

SOURCES, a row each:

fine-tune-cot     {"metadata": {…}, "data": {"14": [{"sample_index": 14, "completion_index": 0, "question": …,
                  "reasoning_prompt": …, "reasoning_completion": …, "prompt": …, "completion": " 39."}, …]}}
zero-shot-cot     1st data / 1_th_sampling / Q: … / A: Let's think step by step. … / pred_before :  2.
                  / pred_after : 2 / … / GT : 2
trace-of-thought  CSV; first column {"dataset_question": …, "dataset_answer": "… #### 18",
                  "delegation": {"input_text", "output_text", "input_count", "output_count"}, "answer": {…}}
openai-batch      {"custom_id": "multiarith-12-0", "response": {"status_code": 200, "body": {"choices": […]}}}
jsonl             {"question": "…" or "index": 12, "rationale": "…", "answer": "39"}

A record is joined to its question by index where the file has one, which must then ask the same, else by
text. A log shows other choices than the benchmark does (Zero-shot-CoT writes and shuffles them in its own
way), so texts are joined by their question and the words of their choices, and the log's own gold answer
is the one that its answers are scored with.
"""

from __future__ import annotations

import ast
import csv
import json
import logging
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.answers import ANSWER_PREFIXES, find_kind, robust
from core.errors import LabError, RefusedError
from core.records import Completion, Question, storable

log = logging.getLogger(__name__)

FEW_SHOT = ANSWER_PREFIXES["few-shot-cot"]
STUDENT = ANSWER_PREFIXES["student"]
GSM8K_MARK = "####"

# Fine-tune-CoT's names of what a text was made to write before its answer (evaluator.py)
_TEMPLATES = {"fs_cot": FEW_SHOT, "ft_cot_token": STUDENT, "ft_cot_natural": "Therefore, the answer is"}


@dataclass(frozen=True, slots=True)
class Raw:
    """One record as its file has it. `completion` still lacks its question's index."""

    place: str  # "record 12", "line 340": for the user
    completion: Completion
    index: int | None = None
    question: str | None = None
    gold: str | None = None
    prefix: str | None = None
    again: bool = False  # a further sample of the record before


@dataclass(frozen=True, slots=True)
class Record:
    """A recorded completion with its question (None if the benchmark lacks it) and what scores it."""

    completion: Completion
    question: Question | None
    gold: str
    prefix: str | None
    by_text: bool = False  # joined by what it asks: the file does not say which of equal questions it is


@dataclass(frozen=True, slots=True)
class Source:
    """One file layout. `rules` is the rule set its authors scored it with.

    `as_numbers`: they compared numbers, not strings.
    """

    key: str
    title: str
    parse: Callable[[Path], Iterator[Raw]]
    rules: str
    as_numbers: bool = False


# Reading files


def _encoding(path: Path) -> str:
    """UTF-8, or UTF-16 where the file begins with its mark, as what PowerShell redirects does."""
    with path.open("rb") as stream:
        return "utf-16" if stream.read(2) in (BOM_UTF16_LE, BOM_UTF16_BE) else "utf-8-sig"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding=_encoding(path))
    except UnicodeDecodeError as error:
        raise LabError(
            f"{path.name} is not a UTF-8 text file (byte {error.start}): convert it and read it again."
        ) from None


def _wrong(path: Path, place: str, what: str) -> LabError:
    return LabError(f"{path.name}, {place}: {what}; is this the right file and the right --source?")


def _json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(_text(path).split("\n"), 1):
        if not line.strip():
            continue
        place = f"line {number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise _wrong(path, place, "no JSON object (the file may be cut off)") from None
        if not isinstance(row, dict):
            raise _wrong(path, place, "a JSON object was expected")
        yield place, row


def _get(path: Path, place: str, row: Mapping[str, Any], key: str, of: type) -> Any:
    value = row.get(key) if isinstance(row, Mapping) else None
    if not isinstance(value, of):
        raise _wrong(path, place, f"{key!r} is missing or not {_NOUNS[of]}")
    return value


_NOUNS = {str: "a text", int: "a whole number", dict: "an object", list: "a list"}


# fine-tune-cot


def _fine_tune_cot(path: Path) -> Iterator[Raw]:
    try:
        document = json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise _wrong(path, f"line {error.lineno}", "not JSON (the file may be cut off)") from None
    except RecursionError:
        raise _wrong(path, "line 1", "too deeply nested") from None
    data = _get(path, "the whole file", document, "data", dict)
    metadata = document.get("metadata") or {}
    prefix = _TEMPLATES.get(str(metadata.get("prediction_template")))
    for key, rows in data.items():
        if not isinstance(rows, list):
            raise _wrong(path, f"question {key}", "a list of completions was expected")
        for order, row in enumerate(rows):
            place = f"question {key}, completion {order}"
            text = _get(path, place, row, "completion", str)
            two_calls = "reasoning_completion" in row
            prompt = str(row.get("prompt") or "")
            index = row.get("sample_index", key)
            if not str(index).isdigit():
                raise _wrong(path, place, "'sample_index' is no whole number")
            completion = Completion(
                question_index=int(index),
                sample_index=int(row.get("completion_index", order)),
                prompt=str(row.get("reasoning_prompt") or "") if two_calls else prompt,
                rationale=_get(path, place, row, "reasoning_completion", str) if two_calls else text,
                finish_reason=str(
                    row.get("reasoning_finish_reason" if two_calls else "finish_reason") or "stop"
                ),
                answer_prompt=prompt if two_calls else "",
                answer_text=text if two_calls else "",
            )
            gold = row.get("answer")
            yield Raw(
                place,
                completion,
                index=int(index),
                question=row.get("question"),
                gold=None if gold is None else str(gold),
                prefix=prefix,
            )


# zero-shot-cot


def _zero_shot_cot(path: Path) -> Iterator[Raw]:
    # A log is a print-out: a byte that is no UTF-8 spoils one letter, not the file.
    lines = path.read_bytes().decode(_encoding(path), "replace").replace("\r\n", "\n").split("\n")
    settings = next((_namespace(line) for line in lines[:5] if line.startswith("Namespace(")), {})
    body: list[str] | None = None
    answer: list[str] | None = None
    samples: list[tuple[str, str]] = []
    number, began = 0, 0
    for at, line in enumerate(lines, 1):
        if answer is not None:
            if line.startswith("pred_after : "):
                samples.append(("\n".join(body or []), "\n".join(answer)))
                body = answer = None
            else:
                answer.append(line)
        elif body is not None:
            if line.startswith("pred_before : "):
                answer = [line.removeprefix("pred_before : ")]
            else:
                body.append(line)
        elif line.startswith("Q: "):
            body, began = [line], began if samples else at
        elif line.startswith("GT : "):
            if not samples:
                raise _wrong(path, f"line {at}", "a gold answer (GT) without an answer before it")
            gold = line.removeprefix("GT : ")
            for order, (asked, text) in enumerate(samples):
                yield _log_record(f"record {number + 1} (line {began})", asked, text, gold, order, settings)
            number, samples = number + 1, []
    if body is not None or samples:
        raise _wrong(path, f"record {number + 1} (line {began})", "no gold answer (GT), the log is cut off")


def _namespace(line: str) -> dict[str, Any]:
    """The settings that a log starts with: "Namespace(cot_trigger=\"Let's think…\", dataset='addsub', …)"."""
    try:
        call = ast.parse(line.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return {}
    keywords = call.keywords if isinstance(call, ast.Call) else []
    return {k.arg: k.value.value for k in keywords if k.arg and isinstance(k.value, ast.Constant)}


def _log_record(place: str, shown: str, text: str, gold: str, order: int, settings: Mapping[str, Any]) -> Raw:
    """One sample of a log: what was shown is every prompt and reply in a row, its last reply `text`."""
    asked = _without_reply(shown, text, settings)
    few_shot = asked.rstrip().endswith("\nA:")
    # Only in few-shot prompts is the question the last one; a rationale may go on to ask others.
    begin = asked.rfind("\nQ: ") + 1 if few_shot else 0
    end = asked.find("\nA:", begin)
    question = asked[begin + len("Q: ") : end if end >= 0 else len(asked)]
    trigger = str(settings.get("cot_trigger") or "Let's think step by step.")
    think = end + len("\nA: ") + len(trigger)
    if end >= 0 and asked[end:].startswith(f"\nA: {trigger}"):
        ask_answer = str(settings.get("direct_answer_trigger") or "\nTherefore, ")
        at = asked.rfind(ask_answer)
        rationale = asked[think : at if at >= think else len(asked)]
        completion = Completion(
            -1, order, asked[:think], rationale.removesuffix(" "), answer_prompt=asked, answer_text=text
        )
        return Raw(place, completion, question=question, gold=gold, again=order > 0)
    prefix = str(settings.get("direct_answer_trigger_for_fewshot") or FEW_SHOT) if few_shot else None
    completion = Completion(-1, order, asked, text)
    return Raw(place, completion, question=question, gold=gold, prefix=prefix, again=order > 0)


def _without_reply(shown: str, reply: str, settings: Mapping[str, Any]) -> str:
    """The prompt of the last reply, which is shown right after it."""
    # MultiArith's logs give the reply stripped of its white space, and once of a colon within.
    body, end = shown.rstrip(), reply.rstrip()
    if not end or body.endswith(end):
        return body[: len(body) - len(end)] if end else shown
    two_calls = str(settings.get("direct_answer_trigger") or "")
    one_call = two_calls.removeprefix("\nTherefore, ")
    one_call = one_call[:1].upper() + one_call[1:]
    for trigger in filter(None, (two_calls, one_call)):
        if (at := shown.rfind(trigger)) >= 0:
            return shown[: at + len(trigger)]
    return shown


# trace-of-thought


def _trace_of_thought(path: Path) -> Iterator[Raw]:
    csv.field_size_limit(2**31 - 1)
    try:
        _text(path)
        with path.open(encoding=_encoding(path), newline="") as stream:
            for number, row in enumerate(csv.reader(stream), 1):
                if row and not (number == 1 and "{" not in row[0]):
                    yield _trace(path, f"record {number}", row[0])
    except csv.Error as error:
        raise _wrong(path, "the whole file", f"not a CSV file ({error})") from None


def _trace(path: Path, place: str, cell: str) -> Raw:
    try:
        trace = json.loads(cell)
    except (ValueError, RecursionError):
        raise _wrong(path, place, "the first column is no JSON trace (the file may be cut off)") from None
    delegation = _get(path, place, trace, "delegation", dict)
    solving = _get(path, place, trace, "answer", dict)
    label = str(trace.get("dataset_answer", ""))
    completion = Completion(
        question_index=-1,
        sample_index=0,
        prompt=str(delegation.get("input_text", "")),
        rationale=_get(path, place, delegation, "output_text", str),
        answer_prompt=str(solving.get("input_text", "")) or " ",
        answer_text=_get(path, place, solving, "output_text", str),
        prompt_tokens=_count(delegation, "input_count") + _count(solving, "input_count"),
        completion_tokens=_count(delegation, "output_count") + _count(solving, "output_count"),
    )
    return Raw(
        place,
        completion,
        question=_get(path, place, trace, "dataset_question", str),
        gold=label_of(label),
        prefix=GSM8K_MARK,
    )


def _count(call: Mapping[str, Any], key: str) -> int:
    value = call.get(key)
    return int(value) if isinstance(value, int | float) else 0


def label_of(solution: str) -> str:
    r"""The gold answer of a solution: after GSM8K's "####", else in MATH's last \boxed{…}, else all of it."""
    if GSM8K_MARK in solution:
        return solution.rpartition(GSM8K_MARK)[2].strip()
    box = robust.boxed(solution)
    return solution[slice(*box)] if box else solution.strip()


# openai-batch

# "multiarith-12-0": question 12, sample 0; the 8 of "gsm8k-12" is no number of its own
_ID_NUMBERS = re.compile(r"(?<!\d)\d+(?![A-Za-z\d])")


def _openai_batch(path: Path) -> Iterator[Raw]:
    for place, row in _json_lines(path):
        name = _get(path, place, row, "custom_id", str)
        numbers = [int(n) for n in _ID_NUMBERS.findall(name)][-2:]
        if not numbers:
            raise _wrong(path, place, f"custom_id {name!r} ends in no question index")
        index, first = numbers[0], numbers[1] if len(numbers) > 1 else 0
        base = Completion(index, first, "", "", calls=1)
        response = row.get("response") or {}
        body = response.get("body") or {}
        if row.get("error") or response.get("status_code", 200) != 200 or not body:
            sentence = (
                f"The batch gave no answer for {name} (status {response.get('status_code', 'unknown')})."
            )
            yield Raw(place, replace(base, finish_reason="error", error=sentence), index=index)
            continue
        usage = body.get("usage") or {}
        replies = _replies(body)
        if not replies:
            raise _wrong(path, place, "the response holds no text")
        for order, (text, finish) in enumerate(replies):
            completion = replace(
                base,
                sample_index=first + order,
                rationale=text,
                finish_reason=finish,
                # The usage is the whole request's: counted once, with its first text.
                prompt_tokens=0
                if order
                else int(usage.get("prompt_tokens") or usage.get("input_tokens") or 0),
                completion_tokens=0
                if order
                else int(usage.get("completion_tokens") or usage.get("output_tokens") or 0),
            )
            yield Raw(place, completion, index=index, prefix=_written_prefix(text))


def _replies(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Texts and finish reasons of a response: chat, completions or responses endpoint."""
    replies = []
    for choice in body.get("choices") or []:
        message = choice.get("message") or {}
        text = message.get("content") if message else choice.get("text")
        replies.append((str(text or ""), str(choice.get("finish_reason") or "stop")))
    parts = [p for item in body.get("output") or [] for p in item.get("content") or []]
    if parts:
        finish = "length" if body.get("status") == "incomplete" else "stop"
        replies.append(("".join(str(p.get("text") or "") for p in parts), finish))
    return replies


def _written_prefix(text: str) -> str | None:
    """What a whole rationale writes before its answer: a student's arrow, else "The answer is"."""
    return STUDENT if STUDENT and STUDENT in text else FEW_SHOT


# jsonl


def _first(row: Mapping[str, Any], *keys: str) -> Any:
    return next((row[key] for key in keys if row.get(key) is not None), None)


def _whole(value: Any) -> int:
    """A whole number, also as 3.0 or "3". ValueError or TypeError for anything else."""
    if isinstance(value, bool) or int(value) != float(value):
        raise ValueError
    return int(value)


def _jsonl(path: Path) -> Iterator[Raw]:
    for place, row in _json_lines(path):
        index = _first(row, "question_index", "index")
        sample = _first(row, "sample", "completion_index")
        if index is None and row.get("question") is None:
            index = row.get("sample_index")  # Fine-tune-CoT's name for a question's index
        elif sample is None:
            sample = row.get("sample_index")
        question = row.get("question")
        rationale = _first(row, "rationale", "reasoning", "reasoning_completion")
        whole = _first(row, "completion", "response", "output", "text", "generation")
        answer = _first(row, "answer_text", "answer", "prediction")
        if rationale is not None and answer is None:
            answer = whole
        text = rationale if rationale is not None else whole
        if index is None and not isinstance(question, str):
            raise _wrong(path, place, "neither 'question' nor 'index' says whose it is")
        if text is None and answer is None:
            raise _wrong(path, place, "no 'rationale', 'completion' or 'answer'")
        if any(isinstance(part, dict | list) for part in (text, answer)):
            raise _wrong(path, place, "a rationale or an answer is a list or an object, not one text")
        try:
            index = None if index is None else _whole(index)
            completion = Completion(
                question_index=-1 if index is None else index,
                sample_index=_whole(sample or 0),
                prompt=str(row.get("prompt") or ""),
                rationale=str(text if text is not None else ""),
                finish_reason=str(row.get("finish_reason") or "stop"),
                answer_prompt=str(row.get("answer_prompt") or ""),
                answer_text="" if answer is None else str(answer),
                prompt_tokens=_whole(row.get("prompt_tokens") or 0),
                completion_tokens=_whole(row.get("completion_tokens") or 0),
            )
        except (TypeError, ValueError, OverflowError):
            raise _wrong(path, place, "an index, sample or token count is no whole number") from None
        gold = _first(row, "gold", "label", "ground_truth")
        yield Raw(
            place,
            completion,
            index=index,
            question=question if isinstance(question, str) else None,
            gold=None if gold is None else str(gold),
            prefix=None if answer is not None else _written_prefix(completion.rationale),
        )


SOURCES: dict[str, Source] = {
    source.key: source
    for source in (
        Source("fine-tune-cot", "Fine-tune-CoT completion file", _fine_tune_cot, "fine-tune-cot"),
        Source("zero-shot-cot", "Zero-shot-CoT log", _zero_shot_cot, "zero-shot-cot"),
        Source(
            "trace-of-thought", "Trace-of-Thought traces", _trace_of_thought, "fine-tune-cot", as_numbers=True
        ),
        Source("openai-batch", "OpenAI batch output", _openai_batch, "fine-tune-cot"),
        Source("jsonl", "JSON lines", _jsonl, "fine-tune-cot"),
    )
}


# Joining


def _storable(raw: Raw) -> Raw:
    """The record with texts that a database keeps."""
    made, question, gold = raw.completion, raw.question, raw.gold
    return replace(
        raw,
        completion=replace(
            made,
            prompt=storable(made.prompt),
            rationale=storable(made.rationale),
            answer_prompt=storable(made.answer_prompt),
            answer_text=storable(made.answer_text),
        ),
        question=None if question is None else storable(question),
        gold=None if gold is None else storable(gold),
    )


class _ByText:
    """Questions by what they ask; equal ones are handed out in order, and then once more."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self.exact: dict[Any, list[Question]] = defaultdict(list)
        self.stem: dict[Any, list[Question]] = defaultdict(list)
        for question in questions:
            key = _asks(question.text)
            self.exact[key].append(question)
            self.stem[key[0]].append(question)
        self.given: dict[Any, int] = defaultdict(int)

    def take(self, text: str) -> Question | None:
        key = _asks(text)
        found = self.exact.get(key) or self.stem.get(key[0])
        if not found:
            return None
        self.given[key] += 1
        return found[(self.given[key] - 1) % len(found)]


_CHOICES = re.compile(r"(?:which choice is true\s*\?\s*)?answer choices\s*:", re.IGNORECASE)


def _asks(text: str) -> tuple[str, tuple[str, ...]]:
    """What a question asks: its words run together, and the words of its choices in any order."""
    match = _CHOICES.search(text)
    stem, choices = (text[: match.start()], text[match.end() :]) if match else (text, "")
    words = [word for word in re.findall(r"\w+", choices.lower()) if not re.fullmatch("[a-j]", word)]
    return "".join(re.findall(r"\w+", stem.lower())), tuple(sorted(words))


def find_source(key: str) -> Source:
    """The row of SOURCES with this key."""
    if key not in SOURCES:
        raise LabError(f"There is no source {key!r}: choose one of {', '.join(SOURCES)}.")
    return SOURCES[key]


def records(path: str | Path, source: str, questions: Sequence[Question]) -> list[Record]:
    """Every record of a file, in its order, joined to its question where the benchmark has it.

    With no questions at all, questions are numbered in the order in which the file first asks them.
    Raises LabError, with the line or record, for a file that is missing, broken or of another benchmark.
    """
    path, row = Path(path), find_source(source)
    if not path.is_file():
        raise LabError(f"There is no file {path}: check the path.")
    raws: list[Raw] = []
    try:
        raws.extend(_storable(raw) for raw in row.parse(path))
    except OSError as error:
        raise LabError(f"{path} cannot be read ({error.strerror}): check the file and its rights.") from None
    except (AttributeError, TypeError, ValueError, OverflowError):  # a text where an object should be, …
        place = f"record {len(raws) + 1}"
        raise _wrong(path, place, "it is of another shape than records of this kind are") from None
    if not raws:
        raise LabError(f"{path.name} holds no record of the kind {source!r}: is --source right?")
    if not questions:
        questions = _own_questions(raws)
    joined = _join(path, raws, questions)
    missing = sum(record.question is None for record in joined)
    if missing == len(joined):
        raise LabError(f"No question of {path.name} is in this benchmark: choose the one it was recorded on.")
    if missing:
        log.warning("%d of %d records of %s are of no question here.", missing, len(joined), path.name)
    return joined


def _own_questions(raws: Sequence[Raw]) -> list[Question]:
    texts: dict[str, str] = {}
    for raw in raws:
        if raw.question is not None and raw.index is None:
            texts.setdefault(raw.question, raw.gold or "")
    numbered = {r.index: (r.question or "", r.gold or "") for r in raws if r.index is not None}
    return [Question(i, text, gold) for i, (text, gold) in sorted(numbered.items())] or [
        Question(i, text, gold) for i, (text, gold) in enumerate(texts.items())
    ]


def _join(path: Path, raws: Sequence[Raw], questions: Sequence[Question]) -> list[Record]:
    """Each record with its question; one that is joined by text gets the next free sample index."""
    by_index = {question.index: question for question in questions}
    by_text, samples = _ByText(questions), defaultdict(int)
    joined: list[Record] = []
    for raw in raws:
        sample = raw.completion.sample_index
        if raw.index is not None:
            question = by_index.get(raw.index)
            if question and raw.question and _asks(raw.question) != _asks(question.text):
                raise _wrong(
                    path, raw.place, "it asks another question than this benchmark does at its index"
                )
        else:
            question = joined[-1].question if raw.again else by_text.take(raw.question or "")
            if question:
                sample = samples[question.index]
                samples[question.index] += 1
        if question is None:
            joined.append(Record(raw.completion, None, raw.gold or "", raw.prefix))
            continue
        completion = replace(raw.completion, question_index=question.index, sample_index=sample)
        gold = question.answer if raw.gold is None else raw.gold
        joined.append(Record(completion, question, gold, raw.prefix, by_text=raw.index is None))
    return joined


def _said(record: Record) -> tuple[str, ...]:
    return record.completion.rationale, record.completion.answer_text, record.gold


def in_any_order(found: Sequence[Record]) -> list[Record]:
    """The records, equal questions handed out by what was answered and not by the order of the file.

    MultiArith asks 20 questions twice. Only where each is answered once: several samples keep their order.
    """
    groups: dict[Any, list[int]] = defaultdict(list)
    for i, record in enumerate(found):
        if record.by_text and record.question is not None:
            groups[_asks(record.question.text)].append(i)
    made = list(found)
    for members in groups.values():
        places = sorted((found[i].question for i in members), key=lambda q: q.index)
        if len({question.index for question in places}) < len(members):
            continue
        by_answer = sorted(members, key=lambda i: _said(found[i]))
        for question, i in zip(places, by_answer, strict=True):
            completion = replace(found[i].completion, question_index=question.index)
            made[i] = replace(found[i], completion=completion, question=question)
    return made


def read(path: str | Path, source: str, questions: Sequence[Question], kind: str) -> list[Completion]:
    """The completions of a file, those of questions that the benchmark lacks left out.

    `source` is a key of SOURCES, `kind` the benchmark's kind of answer. Raises RefusedError where the file
    showed the choices in another order (Zero-shot-CoT's logs of Date Understanding): a letter in its
    rationales is not the benchmark's.
    """
    known = [record for record in records(path, source, questions) if record.question is not None]
    if find_kind(kind).form == "choice":
        for record in known:
            if record.question and record.gold.strip() != record.question.answer.strip():
                raise RefusedError(
                    f"{Path(path).name} shows the choices of question {record.question.index} in another "
                    "order than this benchmark does, so its rationales name other letters: it can be scored, "
                    "with its own gold answers, but not imported."
                )
    return [record.completion for record in known]
