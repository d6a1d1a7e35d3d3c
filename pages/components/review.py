"""The Review page's parts: what is under review, one card of it, the keys that decide, and what is beside it.

A card keeps what its reader saw (`seen`, the last decision on it, and its text), and every decision is made
against that: core.review.desk refuses it where the item changed in between, and the page shows both.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from getpass import getuser
from typing import Any

import streamlit as st

from core import settings
from core.datasets import find_dataset
from core.errors import LabError
from core.exemplars.prompt import parse, preview, revised
from core.exemplars.selection import RULES
from core.methods import METHODS
from core.quality import checks
from core.quality.checks import CHECKS, Flag
from core.quality.steps import steps
from core.records import Decision, Exemplar, Question, content_hash
from core.review import agreement, desk, diff, history, texts
from core.review.fold import KINDS, QUEUES, Board, Item, Key
from core.stages import exemplars as stage
from core.stages.scoring import completion_prefix
from core.store import decisions, queries
from core.store.models import Completion, Point, Run, Study
from core.teachers import TEACHERS, token_counter
from pages.components import frame
from pages.components.jobs import local
from pages.components.rationales import label as generation_label
from pages.components.tables import choice, clickable, paged
from pages.components.text import BAD, GOOD, LABEL, STYLE, count, labelled, passage, plain, visible

DISPUTED, MINE, ALL = "disagreements", "not yet by me", "all"
SHOWN = (*QUEUES, DISPUTED, MINE, ALL)
VERDICTS: dict[str, bool | None] = {"any": None, "right": True, "wrong": False}
COLOURS = {
    "pending": "gray",
    "accepted": "green",
    "edited": "blue",
    "rejected": "red",
    "flagged": "orange",
    "skipped": "violet",
}
HELP = {
    "A": "accept it as it is",
    "X": "reject it; of a cluster, the next nearest question comes up",
    "E": "edit it",
    "S": "skip it for now",
    "F": "flag it for someone to look at",
    "N": "write a reason; it goes with the next decision, and N again makes it a comment",
    "U": "undo your last decision, as often as you like",
    "Y": "redo it",
    "← →": "the one before, the next one",
    "H": "this help",
    "Ctrl + Enter": "while editing: show what the edit changes",
    "Alt + S": "while editing: save",
    "Esc": "while editing: leave; what you typed waits here",
    "Shift + A, Shift + X": "settle a disagreement: keep it, reject it",
}
WINDOW = 4096  # tokens, where the teacher says nothing
HISTORY_ROWS = 12
EDIT_HEIGHT, PROMPT_HEIGHT = 220, 420  # pixels
RIGHT = "box-shadow:inset 0 -2px rgba(64,170,120,.9)"
WRONG = f"background:{BAD}"
DOUBTFUL = "text-decoration:underline dotted 2px rgba(224,160,40,.95);text-underline-offset:3px"
ANSWER = "background:rgba(64,120,200,.25);border-radius:.2em"
CHANGES = {  # of a word diff: tag and style
    "same": ("span", ""),
    "removed": ("del", f"background:{BAD}"),
    "added": ("ins", f"background:{GOOD};text-decoration:none"),
}
SIGNS = {"right": "✓", "wrong": "✗"}
FLAG_STYLES = {"right": RIGHT, "wrong": WRONG, "doubtful": DOUBTFUL}
NUMBER = "opacity:.55;text-align:right;font-variant-numeric:tabular-nums"
GRID = "display:grid;grid-template-columns:1.6em 1fr;column-gap:.6em;row-gap:.35em"
# A text area takes the keys only once it has the focus, which Streamlit cannot give.
FOCUS = """<script>(() => {{
  let tries = 0;
  const timer = setInterval(() => {{
    const field = document.querySelector('.st-key-{key} {tag}');
    if (field) field.focus();
    if (field || ++tries > 40) clearInterval(timer);
  }}, 50);
}})()</script>"""


# ── what is under review ────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Review:
    """A run under review: its decisions folded, and the rationales that a person goes through, in order."""

    run: Run
    study: Study
    board: Board
    keys: tuple[Key, ...]
    correct: Mapping[Key, bool]
    points: Mapping[Key, Point] = field(default_factory=dict)

    @property
    def generation(self) -> int:
        """The run that holds the completions."""
        return self.run.parents[0] if self.run.kind == "exemplars" else self.run.id

    def queue(self, key: Key) -> str:
        found = self.board.items.get(key)
        return found.queue if found else "pending"


@dataclass(frozen=True, slots=True)
class Card:
    """One rationale as it is shown; `text` is how it stands, `original` how the teacher wrote it."""

    key: Key
    question: Question
    completion: Completion
    text: str
    original: str
    item: Item
    point: Point | None = None


@dataclass(frozen=True, slots=True)
class Editing:
    """An edit under way: the text it began from, the last decision seen then, and what was typed so far."""

    run_id: int
    key: Key
    seen: int
    before: str
    typed: str


@dataclass(frozen=True, slots=True)
class Clash:
    """A decision that came too late: how the item stands now, and what its author had before them."""

    run_id: int
    kind: str
    item: Item
    before: str
    typed: str | None
    reason: str


def label(run: Run) -> str:
    """How a run is called in the picker and the URL; it never changes."""
    if run.kind == "generate":
        return f"{generation_label(run)}, all rationales"
    k = run.summary.get("k", run.config.get("k", "?"))
    return f"{run.id}: exemplars of {k} clusters, {run.config['rules']}"


def choose_run(study: Study) -> Run | None:
    """The exemplars or the generation to review, the newest exemplars to begin with; None before any."""
    found = [run for run in reversed(queries.runs(study.id)) if run.kind in texts.ORIGINALS]
    runs = {
        run.id: run
        for run in sorted(found, key=lambda run: run.kind != "exemplars")
        if run.kind == "generate" or run.status == "done"
    }
    if not runs:
        return None
    chosen = st.selectbox(
        "What to review", list(runs), format_func=lambda i: label(runs[i]), key="review", bind="query-params"
    )
    return runs[chosen]


def board(run_id: int) -> Board:
    """The run's decisions, folded; only those that are new to this session are read."""
    boards = st.session_state.setdefault("boards", {})
    place = (settings.database_url(), run_id)
    boards[place] = desk.board(run_id, boards.get(place))
    return boards[place]


def open_review(run: Run) -> Review:
    """What is reviewed of a run: every rationale of a generation; of an exemplars run one a cluster, and
    whatever else was decided on."""
    folded, study = board(run.id), queries.study(run.study_id)
    if run.kind == "generate":
        correct = _verdicts(settings.database_url(), run.id, queries.completion_counts(run.id)["n"])
        return Review(run, study, folded, tuple(correct), correct)
    points = map_points(run)
    standing = {_key(point) for point in stage.nearest(points.values(), folded)}
    keys = tuple(key for key in points if key in standing or key in folded.items)
    return Review(run, study, folded, keys, {key: points[key].correct for key in keys}, points)


def _key(point: Point) -> Key:
    return point.question_index, point.sample_index


def map_points(run: Run) -> Mapping[Key, Point]:
    """The questions of a finished exemplars run by cluster, nearest to its centre first."""
    return _points(settings.database_url(), run.id, str(run.finished))


# Shared by all sessions and never changed: the key says which rows of which database they are.
@st.cache_resource(max_entries=8, show_spinner=False)
def _points(database: str, run_id: int, finished: str) -> Mapping[Key, Point]:
    return {_key(point): point for point in queries.points(run_id)}


@st.cache_resource(max_entries=8, show_spinner=False)
def _verdicts(database: str, run_id: int, n: int) -> Mapping[Key, bool]:
    return {(question, sample): correct for question, sample, correct in queries.sample_verdicts(run_id)}


def choose_author() -> str:
    """Whose decisions these are: the one who is logged in, else a name that is kept in the session."""
    if getattr(st.user, "is_logged_in", False):
        name = str(st.user.get("name") or st.user.get("email"))
        st.sidebar.caption(f"You review as {plain(name)}.")
        return name
    return st.sidebar.text_input(
        "You review as",
        getuser(),
        max_chars=desk.AUTHOR_CHARACTERS,
        key="reviewer",
        bind="query-params",
        persist_state="session",
        required=True,
        help="Your name stands beside every decision you make. It is in the address, so a link can carry it.",
    ).strip()


def progress(review: Review) -> None:
    """What is left, and how many are in each queue; always in sight."""
    counts = Counter(review.queue(key) for key in review.keys)
    total, left = len(review.keys), counts["pending"]
    with st.container(horizontal=True, vertical_alignment="center", key="left"):
        for queue in QUEUES:
            if counts[queue] or queue == "pending":
                name = f"{counts[queue]:,} left" if queue == "pending" else f"{counts[queue]:,} {queue}"
                st.badge(name, color=COLOURS[queue])
    st.progress(frame.fraction(total - left, total), text=f"{total - left:,} of {total:,} decided")


def gaps(review: Review) -> None:
    """Name the clusters that give no exemplar as things stand, and what to do."""
    if review.run.kind != "exemplars":
        return
    standing = {point.cluster for point in stage.nearest(review.points.values(), review.board)}
    empty = [number for number in range(review.run.summary["k"]) if number not in standing]
    if empty:
        st.warning(
            f"{count(len(empty), 'cluster')} without an exemplar ({', '.join(map(str, empty))}): the teacher "
            f"is shown {len(standing)} instead of {review.run.summary['k']}. "
            "Bring a rejected one back, or choose other rules.",
            icon=":material/warning:",
        )


# ── filters ─────────────────────────────────────────────────────────────────────────────────────


def filters(review: Review, author: str) -> tuple[Key, ...]:
    """The rationales that the filters keep; all filters are in the URL."""
    with st.container(horizontal=True):
        queue = choice("Queue", SHOWN, "queue", width="content")
        verdict = choice("Answer", list(VERDICTS), "answer", width="content")
        check = st.selectbox(
            "Flagged by a check",
            ["any or none", *(row.title for row in CHECKS.values())],
            key="check",
            bind="query-params",
            width=270,
        )
    keys = [key for key in review.keys if _in_queue(review, key, queue, author)]
    if VERDICTS[verdict] is not None:
        keys = [key for key in keys if review.correct[key] is VERDICTS[verdict]]
    found = next((row.key for row in CHECKS.values() if row.title == check), None)
    if found is not None:
        flagged = _flagged(settings.database_url(), review.generation, len(_of_generation(review)))
        keys = [key for key in keys if found in flagged.get(key, ())]
    return tuple(agreement.disagreements_first(review.board, keys) if queue != "pending" else keys)


def _in_queue(review: Review, key: Key, queue: str, author: str) -> bool:
    if queue == ALL:
        return True
    if queue in QUEUES:
        return review.queue(key) == queue
    item = review.board.items.get(key)
    if queue == DISPUTED:
        return item is not None and item.disputed
    return item is None or author not in item.verdicts


def _of_generation(review: Review) -> Mapping[Key, Any]:
    return review.points or review.correct


@st.cache_resource(max_entries=4, show_spinner="Checking every rationale, once…")
def _flagged(database: str, generation: int, n: int) -> Mapping[Key, frozenset[str]]:
    """(question, sample) → the checks that speak up about the rationale as the teacher wrote it."""
    rows = queries.completions(generation, failed=False)
    dataset_id = queries.study(queries.run(generation).study_id).dataset_id
    asked = {question.index: question for question in queries.questions(dataset_id)}
    return {
        (row.question_index, row.sample_index): frozenset(
            checks.problems(_quality_item(asked[row.question_index], row, row.rationale))
        )
        for row in rows
    }


def _quality_item(
    question: Question, completion: Completion, text: str, shown: tuple[Exemplar, ...] = ()
) -> checks.Item:
    unchanged = text == completion.rationale
    return checks.Item(
        question.text,
        text,
        completion.value,
        question.answer,
        shown,
        completion.finish_reason if unchanged else "stop",
        completion.correct,
    )


# ── which card ──────────────────────────────────────────────────────────────────────────────────


def choose_card(review: Review, shown: Sequence[Key]) -> Card | None:
    """The rationale in the URL, else the first that the filters keep."""
    key = _asked(st.query_params.get("item", ""))
    if key not in review.correct:
        key = shown[0] if shown else None
    if key is None:
        st.info("Nothing is left here: choose another queue.", icon=":material/done_all:")
        return None
    return open_card(review, key)


def open_card(review: Review, key: Key) -> Card:
    """The rationale with everything that its card shows."""
    question = queries.question(review.study.dataset_id, key[0])
    completion = queries.completion_of(review.generation, *key)
    item = review.board.item(key)
    original = texts.original(review.run.id, key)
    text = original if item.text is None else item.text
    return Card(key, question, completion, text, original, item, review.points.get(key))


def _asked(text: str) -> Key | None:
    """ "12.0" → (12, 0); None where it is nothing of the kind."""
    question, _, sample = text.partition(".")
    if not (question.isdecimal() and (sample or "0").isdecimal() and len(text) < 20):
        return None
    return int(question), int(sample or 0)


def go(key: Key | None) -> None:
    """Show this card next; None: the first that the filters keep."""
    if key is None:
        st.query_params.pop("item", None)
    else:
        st.query_params["item"] = f"{key[0]}.{key[1]}"


def neighbour(review: Review, shown: Sequence[Key], key: Key | None, step: int) -> Key | None:
    """The card before (-1) or after (1) among those shown, also where this one has left their queue."""
    if key in shown:
        place = shown.index(key) + step
        return shown[place] if 0 <= place < len(shown) else None
    order = {other: i for i, other in enumerate(review.points or review.correct)}
    here = order.get(key, -1)
    ahead = [other for other in shown if (order[other] - here) * step > 0]
    return (ahead[0] if step > 0 else ahead[-1]) if ahead else None


# ── the keys ────────────────────────────────────────────────────────────────────────────────────


def keys(review: Review, card: Card | None, shown: Sequence[Key], author: str) -> None:
    """The buttons, each with its key; while an edit is under way they make room for the form's."""
    key = card.key if card else None
    if card is not None and _editing(card) is not None:
        return
    with st.container(horizontal=True, key="keys", gap="xsmall"):
        for kind, name, shortcut, icon in (
            ("accept", "Accept", "A", "check"),
            ("reject", "Reject", "X", "close"),
            ("skip", "Skip", "S", "redo"),
            ("flag", "Flag", "F", "flag"),
        ):
            st.button(
                name,
                key=kind,
                shortcut=shortcut,
                icon=f":material/{icon}:",
                type="primary" if kind == "accept" else "secondary",
                disabled=card is None or not author,
                on_click=_decide,
                args=(review, card, kind, author, neighbour(review, shown, key, 1)),
            )
        st.button("Edit", key="edit", shortcut="E", icon=":material/edit:", disabled=card is None,
                  on_click=_edit, args=(review, card))  # fmt: skip
        if card is not None and card.item.disputed:
            for name, shortcut, after in (("keep", "Shift+A", card.text), ("reject", "Shift+X", None)):
                st.button(
                    f"Settle: {name}",
                    key=f"settle_{name}",
                    shortcut=shortcut,
                    icon=":material/gavel:",
                    on_click=_decide,
                    args=(review, card, "adjudicate", author, neighbour(review, shown, key, 1), after),
                )
    with st.container(horizontal=True, key="moves", gap="xsmall"):
        for name, shortcut, step in (("Previous", "Left", -1), ("Next", "Right", 1)):
            target = neighbour(review, shown, key, step)
            st.button(name, key=name, shortcut=shortcut, type="tertiary", disabled=target is None,
                      on_click=go, args=(target,))  # fmt: skip
        for name, shortcut, turn in (("Undo", "U", desk.undo), ("Redo", "Y", desk.redo)):
            st.button(name, key=name, shortcut=shortcut, type="tertiary", disabled=not author,
                      on_click=_turn, args=(review, turn, author))  # fmt: skip
        if st.button("Keys", key="help", shortcut="H", type="tertiary", icon=":material/keyboard:"):
            _help()
    if card is not None:
        _note(review, card, author)


def _note(review: Review, card: Card, author: str) -> None:
    """The reason for the next decision; alone it becomes a comment."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="note"):
        st.text_input(
            "Reason",
            key="reason",
            placeholder="why; goes with your next decision",
            label_visibility="collapsed",
        )
        if st.button("Comment", key="comment", shortcut="N", type="tertiary", disabled=not author,
                     on_click=_comment, args=(review, card, author)):  # fmt: skip
            if not st.session_state.get("reason", "").strip():
                focus("reason", "input")


def focus(key: str, tag: str) -> None:
    """Put the cursor into a field. The script is the page's own; no text of anyone's is in it."""
    st.html(FOCUS.format(key=key, tag=tag), unsafe_allow_javascript=True)


@st.dialog("Keys")
def _help() -> None:
    """Every key of the page."""
    rows = "".join(
        f"<div><kbd>{html.escape(key)}</kbd></div><div>{html.escape(text)}</div>"
        for key, text in HELP.items()
    )
    st.html(f'<div style="display:grid;grid-template-columns:max-content 1fr;gap:.45em 1em">{rows}</div>')
    st.caption("Keys wait while you type in a field: press Tab to leave it.")


def _decide(
    review: Review, card: Card, kind: str, author: str, following: Key | None, after: str | None = None
) -> None:
    """Append the decision on what the card showed, and go on."""
    with frame.errors():
        reason = st.session_state.get("reason", "")
        made = _attempt(review.run.id, card.key, kind, author, card.item.last, card.text, after, reason)
        if made is None:
            return
        st.session_state["reason"] = ""
        if made.queue == "rejected" and card.point is not None:
            following = _next_of_cluster(review, card.point.cluster) or following
        go(following)


def _attempt(
    run_id: int,
    key: Key,
    kind: str,
    author: str,
    seen: int,
    before: str,
    after: str | None,
    reason: str,
) -> Item | None:
    """Decide; where the item changed underneath, keep both sides for the page and return None."""
    try:
        return desk.decide(run_id, key, kind, author, seen=seen, before=before, after=after, reason=reason)
    except desk.Conflict as clash:
        st.session_state["clash"] = Clash(run_id, kind, clash.item, before, clash.text, reason)
        return None


def _next_of_cluster(review: Review, cluster: int) -> Key | None:
    """The exemplar that has come up in a cluster."""
    standing = stage.nearest(review.points.values(), board(review.run.id))
    return next((_key(point) for point in standing if point.cluster == cluster), None)


def _turn(review: Review, turn: Any, author: str) -> None:
    with frame.errors():
        turned = turn(review.run.id, author)
        go(turned[0].key)
        done = "Taken back" if turn is desk.undo else "Done again"
        what = f"question {turned[0].key[0]}" if len(turned) == 1 else count(len(turned), "rationale")
        st.toast(f"{done}: {what}")


def _comment(review: Review, card: Card, author: str) -> None:
    text = st.session_state.get("reason", "")
    if text.strip():
        with frame.errors():
            desk.decide(review.run.id, card.key, "comment", author, seen=0, before="", reason=text)
            st.session_state["reason"] = ""


# ── editing ─────────────────────────────────────────────────────────────────────────────────────


def _editing(card: Card) -> Editing | None:
    found = st.session_state.get("editing")
    return found if isinstance(found, Editing) and found.key == card.key else None


def _edit(review: Review, card: Card, typed: str | None = None) -> None:
    """Begin an edit of what the card shows; text left behind by Esc comes back."""
    kept = st.session_state.setdefault("drafts", {}).get((review.run.id, card.key, card.item.last))
    start = typed if typed is not None else kept if kept is not None else card.text
    st.session_state["editing"] = Editing(review.run.id, card.key, card.item.last, card.text, start)
    go(card.key)


def _edit_form(review: Review, card: Card, under: Editing, author: str) -> None:
    """The text, what the edit changes, and the form's own keys."""
    name = f"text_{under.run_id}_{card.key[0]}_{card.key[1]}_{under.seen}"
    if card.item.last != under.seen:
        st.warning("Someone decided on this while you edit: saving shows you both versions.",
                   icon=":material/group:")  # fmt: skip
    with st.form("edit_form", border=False):
        st.text_area(
            "Text",
            _fit_for_a_field(under.typed),
            key=name,
            height=EDIT_HEIGHT,
            help="The answer stands after “The answer is”." if card.point else None,
        )
        with st.container(horizontal=True):
            st.form_submit_button("Show changes", key="show_changes", help="Ctrl + Enter",
                                  on_click=_keep_typed, args=(name, under))  # fmt: skip
            st.form_submit_button("Save", key="save", type="primary", shortcut="Alt+S", on_click=_save,
                                  args=(review, card, under, name, author))  # fmt: skip
            st.form_submit_button("Leave", key="leave", shortcut="Esc", on_click=_leave, args=(name, under))
    focus(name, "textarea")
    st.caption("What the edit changes")
    changes(under.before, under.typed)


def _fit_for_a_field(text: str) -> str:
    """Without NUL and halves of surrogate pairs, which no field holds; the word diff shows the change."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def typed_text(typed: str, before: str) -> str:
    """What was typed, with the line ends of the text it began from: a field makes them all LF."""
    return typed.replace("\n", "\r\n") if "\r\n" in before and "\r\n" not in typed else typed


def _keep_typed(name: str, under: Editing) -> None:
    typed = typed_text(st.session_state[name], under.before)
    st.session_state["editing"] = replace(under, typed=typed)


def _leave(name: str, under: Editing) -> None:
    typed = typed_text(st.session_state[name], under.before)
    if typed != under.before:
        st.session_state.setdefault("drafts", {})[under.run_id, under.key, under.seen] = typed
    st.session_state.pop("editing", None)


def _save(review: Review, card: Card, under: Editing, name: str, author: str) -> None:
    """Append the edit, or say why not; what was typed stays in the field until it is stored."""
    _keep_typed(name, under)
    typed = st.session_state["editing"].typed
    with frame.errors():
        check_edit(review, card, typed)
        reason = st.session_state.get("reason", "")
        kind = "adjudicate" if card.item.disputed else "edit"
        made = _attempt(under.run_id, under.key, kind, author, under.seen, under.before, typed, reason)
        st.session_state.pop("editing", None)
        st.session_state["drafts"].pop((under.run_id, under.key, under.seen), None)
        if made is not None:
            st.session_state["reason"] = ""


def check_edit(review: Review, card: Card, text: str) -> None:
    """Refuse an edited exemplar that has lost its answer, or whose answer the rules do not allow."""
    if review.run.kind != "exemplars":
        return
    limits, own = RULES[review.run.config["rules"]].limits, review.run.config.get("own") or {}
    revised(
        card.question.text,
        text,
        card.question.answer,
        kind=find_dataset(queries.dataset(review.study.dataset_id).key).kind,
        rules=review.study.rules,
        correct_only=own.get("correct", limits.correct),
    )


def changes(before: str, after: str) -> None:
    """A word diff: removed struck out, added marked."""
    parts = (
        f'<{tag} style="color:inherit;{style}">{html.escape(visible(change.text))}</{tag}>'
        for change in diff.words(before, after)
        for tag, style in [CHANGES[change.kind]]
    )
    st.html(f'<p style="{STYLE}">{"".join(parts) if before != after else "nothing yet"}</p>')


# ── a conflict ──────────────────────────────────────────────────────────────────────────────────


def conflict(review: Review, author: str) -> None:
    """Both versions of an item on which a decision came too late. Nothing is lost either way."""
    clash = st.session_state.get("clash")
    if not isinstance(clash, Clash) or clash.run_id != review.run.id:
        return
    item = board(review.run.id).item(clash.item.key)
    last = max((*item.done, *item.undone), key=lambda d: d.id)
    with st.container(border=True, key="clash"):
        st.warning(
            f"Question {item.key[0]} changed before you could {plain(clash.kind)} it: "
            f"{plain(last.author)} {KINDS[last.kind].past} it. Your decision was not made"
            + (", and your text is kept in the history." if clash.typed is not None or clash.reason else "."),
            icon=":material/call_split:",
        )
        left, right = st.columns(2)
        now_text = item.text if item.text is not None else clash.before
        with left:
            labelled(f"As it stands: {item.queue}", now_text)
        with right:
            labelled("Your text" if clash.typed is not None else "What you saw", clash.typed or clash.before)
        st.caption("From what stands to yours")
        changes(now_text, clash.typed or clash.before)
        with st.container(horizontal=True):
            st.button("Leave it as it stands", key="clash_theirs", on_click=_settle_clash, args=(None, None))
            if clash.typed is not None:
                st.button("Edit again, from your text", key="clash_mine", type="primary",
                          on_click=_settle_clash, args=(review, clash))  # fmt: skip
            else:
                st.caption("Or look at it again below and decide.", width="content")
    if st.query_params.get("item") != f"{item.key[0]}.{item.key[1]}":
        st.button(f"Show question {item.key[0]}", key="clash_show", on_click=go, args=(item.key,))


def _settle_clash(review: Review | None, clash: Clash | None) -> None:
    st.session_state.pop("clash", None)
    if review is not None and clash is not None:
        fresh = replace(review, board=board(review.run.id))
        _edit(fresh, open_card(fresh, clash.item.key), clash.typed)


# ── the card ────────────────────────────────────────────────────────────────────────────────────


def card(review: Review, shown: Card, author: str) -> None:
    """Question, rationale in steps with everything marked in place, answers, place in its cluster."""
    flags = find_flags(review, shown)
    with st.container(border=True, key="card"):
        badges(review, shown, flags)
        st.html(
            _marked_html(shown.question.text, [f for f in flags if f.where == "question"], None, "Question")
        )
        if (under := _editing(shown)) is not None:
            _edit_form(review, shown, under, author)
        else:
            st.html(
                steps_html(
                    shown.text, [f for f in flags if f.where == "rationale"], answer_span(review, shown)
                )
            )
            if shown.text == shown.original and shown.completion.answer_text and shown.point is None:
                span = (shown.completion.span_start, shown.completion.span_end)
                labelled(
                    "Answer text (second call)",
                    shown.completion.answer_text,
                    span,
                    bool(shown.completion.correct),
                )
        left, right = st.columns(2)
        with left:
            labelled("Answer found", answer_of(shown) or "")
        with right:
            labelled("Gold answer", shown.question.answer)
        if shown.text != shown.original and _editing(shown) is None:
            with st.expander("Changed by review", icon=":material/edit_note:", expanded=True):
                changes(shown.original, shown.text)
        said = [flag for flag in flags if flag.verdict != "right"]
        for flag in said:
            colour = "red" if flag.verdict == "wrong" else "orange"
            st.markdown(f":{colour}-badge[{plain(CHECKS[flag.check].title)}] {plain(flag.message)}")


def badges(review: Review, shown: Card, flags: Sequence[Flag] = ()) -> None:
    with st.container(horizontal=True):
        st.badge(f"question {shown.key[0]}", color="gray")
        if shown.key[1]:
            st.badge(f"sample {shown.key[1]}", color="gray")
        queue = shown.item.queue
        st.badge(queue, color=COLOURS[queue])
        if shown.item.disputed:
            st.badge("reviewers disagree", icon=":material/call_split:", color="orange")
        right = bool(shown.completion.correct)
        st.badge("correct" if right else "wrong", color="green" if right else "red",
                 icon=":material/check:" if right else ":material/close:")  # fmt: skip
        if shown.point is not None:
            st.badge(f"cluster {shown.point.cluster}, rank {shown.point.rank}", color="blue",
                     help=f"Distance to the centre: {shown.point.distance:.3f}")  # fmt: skip
            for failure in shown.point.failures:
                st.badge(plain(failure), color="orange", help="Why it does not qualify as an exemplar.")
        judged = [flag for flag in flags if flag.check == "arithmetic"]
        if judged:
            good = sum(flag.verdict == "right" for flag in judged)
            st.badge(f"{good} of {count(len(judged), 'equation')} right",
                     color="green" if good == len(judged) else "red")  # fmt: skip


def find_flags(review: Review, shown: Card) -> list[Flag]:
    """What the checks say of the text as it stands."""
    used = tuple(
        Exemplar(**one)
        for one in queries.run(review.generation).config.get("prompting", {}).get("exemplars", ())
    )
    item = _quality_item(shown.question, shown.completion, shown.text, used)
    if shown.point is not None:
        item = replace(item, answer=answer_of(shown), finish_reason="stop")
    if shown.text != shown.original:
        item = replace(item, correct=None)
    return checks.review(item)


def answer_of(shown: Card) -> str | None:
    """The answer in the text: an exemplar's own, else the one that was read from the completion."""
    if shown.point is None:
        return shown.completion.value
    try:
        return parse("", shown.text).answer
    except LabError:
        return None


def answer_span(review: Review, shown: Card) -> tuple[int, int] | None:
    """Where the answer stands in the text; None where it is in a second call's, or nowhere."""
    if shown.point is not None:
        answer = answer_of(shown)
        start = shown.text.rfind(answer) if answer else -1
        return (start, start + len(answer or "")) if start >= 0 else None
    done = shown.completion
    if done.answer_prompt or done.answer_text:
        return None
    if shown.text != shown.original:
        from core.answers import score

        kind = find_dataset(queries.dataset(review.study.dataset_id).key).kind
        found = score(shown.text, shown.question.answer, kind=kind, rules=review.study.rules,
                      prefix=completion_prefix(done))  # fmt: skip
        return (found.start, found.end) if found.start is not None else None
    return (done.span_start, done.span_end) if done.span_start is not None else None


def steps_html(text: str, flags: Sequence[Flag], answer: tuple[int, int] | None) -> str:
    """A rationale as numbered steps, its flags and its answer marked in place; nothing in it is markup."""
    rows = "".join(
        f'<div style="{NUMBER}">{number}</div><div>{_spans(text, step.start, step.end, flags, answer)}</div>'
        for number, step in enumerate(steps(text), 1)
    )
    body = f'<div style="{STYLE};{GRID}">{rows}</div>' if rows else f'<p style="{STYLE}">—</p>'
    return f'<p style="{LABEL}">Rationale</p>{body}'


def _marked_html(text: str, flags: Sequence[Flag], answer: tuple[int, int] | None, head: str) -> str:
    first, last = len(text) - len(text.lstrip()), len(text.rstrip())
    return (
        f'<p style="{LABEL}">{html.escape(head)}</p>'
        f'<p style="{STYLE}">{_spans(text, first, max(first, last), flags, answer) or "—"}</p>'
    )


def _spans(text: str, start: int, end: int, flags: Sequence[Flag], answer: tuple[int, int] | None) -> str:
    """text[start:end] as inert HTML: cut wherever a mark begins or ends, each piece with all its marks."""
    marks = [(f.start, f.end, FLAG_STYLES[f.verdict], f.message, SIGNS.get(f.verdict, "")) for f in flags]
    if answer is not None:
        marks.append((*answer, ANSWER, "the answer", ""))
    edges = {start, end, *(edge for mark in marks for edge in mark[:2] if start < edge < end)}
    cuts = sorted(edges)
    out = []
    for a, b in zip(cuts, cuts[1:], strict=False):
        on = [mark for mark in marks if mark[0] <= a and mark[1] >= b]
        piece = html.escape(visible(text[a:b]))
        if on:
            title = html.escape(visible("; ".join(dict.fromkeys(mark[3] for mark in on))))
            piece = (
                f'<span title="{title}" style="{";".join(dict.fromkeys(m[2] for m in on))}">{piece}</span>'
            )
        for sign in dict.fromkeys(mark[4] for mark in on if mark[1] == b and mark[4]):
            piece += f'<b style="user-select:none;color:{_sign_colour(sign)}">{sign}</b>'
        out.append(piece)
    return "".join(out)


def _sign_colour(sign: str) -> str:
    return "rgb(64,160,112)" if sign == SIGNS["right"] else "rgb(214,96,60)"


# ── beside the card ─────────────────────────────────────────────────────────────────────────────


def beside(review: Review, card: Card | None, shown: Sequence[Key], author: str) -> None:
    """What else there is to see: only the part that is open is made."""
    names = ["Prompt", "History", "Reviewers", "Many at once"]
    if review.run.kind != "exemplars":
        names = names[1:]
    tabs = dict(zip(names, st.tabs(names, key=f"beside_{review.run.kind}", on_change="rerun"), strict=True))
    parts = {
        "Prompt": lambda: _prompt(review, card),
        "History": lambda: _history(review, card),
        "Reviewers": lambda: _reviewers(review),
        "Many at once": lambda: many(review, shown, author),
    }
    for name, tab in tabs.items():
        if tab.open:
            with tab, frame.errors():
                parts[name]()


def _prompt(review: Review, card: Card | None) -> None:
    """The few-shot prompt as the teacher will get it, with the decisions as they stand."""
    slots = [
        stage.slot(review.run.id, point, review.board)
        for point in stage.nearest(review.points.values(), review.board)
    ]
    if not slots:
        st.info("No exemplar stands: bring a rejected one back.", icon=":material/info:")
        return
    asked = queries.question_page(review.study.dataset_id, "test", limit=1)
    asked = asked or queries.question_page(review.study.dataset_id, limit=1)
    teacher = review.study.config["teacher"]
    options = TEACHERS[teacher["key"]].defaults | teacher
    sampling = METHODS["new-fine-tune-cot"].sampling
    new_tokens = review.study.config.get("sampling", {}).get("max_tokens", sampling.max_tokens)
    counter = token_counter(str(options["model"])) if options.get("model") else None
    made = preview(
        asked[0].text,
        [one.exemplar() for one in slots],
        options.get("context") or WINDOW,
        new_tokens,
        counter,
    )
    left, right = st.columns(2)
    left.metric("Tokens" if made.counted else "Tokens, estimated", f"{made.tokens:,}", border=True)
    right.metric(f"Left of {made.window:,}", f"{made.room:,}", border=True,
                 help=f"After {made.new_tokens:,} tokens kept for the reply.")  # fmt: skip
    if not made.fits:
        st.error("The prompt does not fit the teacher's window: choose fewer clusters or shorter exemplars.",
                 icon=":material/error:")  # fmt: skip
    kept = sum(one.item.queue in ("accepted", "edited") for one in slots)
    st.caption(
        f"{count(len(slots), 'exemplar')}, {kept} of them accepted or edited; then the first test question."
    )
    start = made.prompt.find(card.text) if card is not None else -1
    with st.container(height=PROMPT_HEIGHT, key="prompt"):
        passage(made.prompt, (start, start + len(card.text)) if card is not None and start >= 0 else None)


def _history(review: Review, card: Card | None) -> None:
    """Everything decided on this card, then the run's newest decisions, and all of them as a file."""
    if card is not None:
        own = sorted((*decisions.of_item(review.run.id, *card.key),), key=lambda d: d.id)
        st.markdown(f"**Question {card.key[0]}**")
        if not own:
            st.caption("Nobody has decided on it yet.")
        for decision in reversed(own):
            _decision(decision)
    st.markdown("**The whole review**")
    everything = _decisions(review)
    rows = everything[::-1]
    offset, limit = paged(len(rows), "decisions", HISTORY_ROWS)
    part = rows[offset : offset + limit]
    clickable(
        [
            {
                "id": d.id,
                "question": d.question_index,
                "kind": d.kind,
                "author": visible(d.author),
                "reason": visible(d.reason),
                "when": local(d.created),
            }
            for d in part
        ],
        [f"{d.question_index}.{d.sample_index}" for d in part],
        target="from_history",
    )
    if (picked := st.session_state.pop("from_history", None)) is not None:
        go(_asked(picked))
        st.rerun()
    st.download_button(
        "History as JSON lines",
        lambda: "".join(history.lines(decisions.since(review.run.id))),
        file_name=f"review-{review.run.id}.jsonl",
        mime="application/x-ndjson",
        icon=":material/download:",
        on_click="ignore",
        key="export",
    )


def _decisions(review: Review) -> list[Decision]:
    return decisions.since(review.run.id)


def _decision(decision: Decision) -> None:
    with st.container(border=True):
        did = f"**{plain(decision.author)}** {KINDS[decision.kind].past} it"
        st.caption(f"{decision.id} · {did} · {local(decision.created)}")
        if decision.reason:
            passage(decision.reason)
        changed = (
            decision.after is not None and decision.before is not None and decision.after != decision.before
        )
        if changed:
            changes(decision.before or "", decision.after or "")
        elif decision.kind == "draft" and decision.after:
            labelled("Text that came too late", decision.after)


def _reviewers(review: Review) -> None:
    """Two reviewers: how far they agree, and where they do not."""
    people = agreement.reviewers(review.board)
    if len(people) < 2:
        st.caption(
            "Agreement needs two reviewers. Give a colleague this page's address with their own name in "
            "“You review as”, and the queue “not yet by me”."
        )
        return
    left, right = st.columns(2)
    first = left.selectbox("Reviewer", people, 0, key="first", format_func=visible)
    second = right.selectbox("and", [p for p in people if p != first], 0, key="second", format_func=visible)
    made = agreement.agreement(review.board, first, second)
    left, right = st.columns(2)
    left.metric("Decided alike", f"{made.same:,} of {made.n:,}", border=True)
    kappa = made.kappa
    right.metric("Cohen's kappa", f"{kappa.value:.2f}" if kappa else "—", border=True,
                 help="Agreement beyond chance: 1 is perfect, 0 is what chance gives.")  # fmt: skip
    st.caption(
        f"95 % interval {kappa.low:.2f} to {kappa.high:.2f}"
        if kappa
        else "Kappa is undefined while both give every rationale the same verdict."
    )
    if made.disagreements:
        st.markdown(f"**{count(len(made.disagreements), 'disagreement')}**, {len(made.open)} not settled")
        for key in sorted(made.disagreements, key=lambda k: k not in made.open):
            verdicts = review.board.items[key].verdicts
            name = f"Question {key[0]}: {first} {verdicts[first]}, {second} {verdicts[second]}"
            icon = ":material/call_split:" if key in made.open else ":material/gavel:"
            st.button(plain(name), key=f"disagreement_{key[0]}_{key[1]}", type="tertiary", icon=icon,
                      on_click=go, args=(key,))  # fmt: skip


# ── many at once ────────────────────────────────────────────────────────────────────────────────

ACTIONS = {"accept": "Accept", "reject": "Reject", "skip": "Skip", "flag": "Flag"}


def many(
    review: Review, keys: Sequence[Key], author: str, only: str | None = None, scope: str = "many"
) -> None:
    """One decision on all that the filters keep (`only` fixes which): first what it would do, then do it."""
    if not keys:
        st.caption("The filters keep nothing.")
        return
    kind = only or choice("Decision", list(ACTIONS), f"{scope}_kind", width="content")
    reason = st.text_input("Reason", key=f"{scope}_reason", placeholder="why, for the history")
    asked = [*keys, kind, review.run.id]
    if st.button(f"Preview: {ACTIONS[kind].lower()} {count(len(keys), 'rationale')}", key=f"{scope}_preview",
                 icon=":material/visibility:"):  # fmt: skip
        st.session_state[f"{scope}_shown"] = content_hash(asked), _as_shown(review, keys)
    found = st.session_state.get(f"{scope}_shown")
    if not found or found[0] != content_hash(asked):
        st.caption("Nothing is written before you have seen what it does.")
        return
    made = desk.bulk(review.run.id, kind, author, found[1], reason=reason, preview=True)
    before = Counter(review.queue(key) for key in made.items)
    st.markdown(f"**{ACTIONS[kind]} {count(len(made.items), 'rationale')}**")
    st.caption(
        "Now "
        + ", ".join(f"{n:,} {queue}" for queue, n in before.items())
        + ". One undo takes all of it back."
    )
    if made.conflicts:
        st.warning(f"{count(len(made.conflicts), 'rationale')} changed since the preview and would be left.",
                   icon=":material/group:")  # fmt: skip
    st.dataframe(
        [
            {"question": key[0], "queue": review.queue(key), "text": visible(" ".join(text[:160].split()))}
            for key, _, text in found[1][:8]
        ],
        hide_index=True,
        height="content",
        key=f"{scope}_rows",
    )
    st.button(f"{ACTIONS[kind]} them", key=f"{scope}_apply", type="primary", disabled=not author,
              on_click=_apply, args=(review.run.id, kind, author, found[1], reason, scope))  # fmt: skip


def _as_shown(review: Review, keys: Sequence[Key]) -> list[tuple[Key, int, str]]:
    """(key, last decision seen, text) of each, as bulk decisions take them."""
    items = {key: review.board.item(key) for key in keys}
    unread = [key for key, item in items.items() if item.text is None]
    originals = texts.originals(review.run.id, unread)
    return [
        (key, item.last, originals[key] if item.text is None else item.text)
        for key, item in items.items()
        if item.text is not None or key in originals
    ]


def _apply(
    run_id: int, kind: str, author: str, shown: list[tuple[Key, int, str]], reason: str, scope: str
) -> None:
    with frame.errors():
        made = desk.bulk(run_id, kind, author, shown, reason=reason)
        st.session_state.pop(f"{scope}_shown", None)
        st.toast(f"{ACTIONS[kind]}: {count(len(made.items), 'rationale')}")
        go(None)
