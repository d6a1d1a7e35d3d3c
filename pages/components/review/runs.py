"""What is under review: a run, the decisions on it folded, and how much of it is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import streamlit as st

from core import settings
from core.review import desk
from core.review.fold import QUEUES, Board, Key
from core.stages import exemplars as stage
from core.stages.reviewed import REVIEWED
from core.store import queries
from core.store.models import Point, Run, Study
from pages.components import frame
from pages.components.tables import pick_row
from pages.components.text import count

COLOURS = {
    "pending": "gray",
    "accepted": "green",
    "edited": "blue",
    "rejected": "red",
    "flagged": "orange",
    "skipped": "violet",
}


@dataclass(frozen=True, slots=True)
class Review:
    """A run under review: its decisions folded, and the rationales that a person goes through, in order.

    `correct` has every rationale of the run; each of them can be opened by its address.
    """

    run: Run
    study: Study
    board: Board
    keys: tuple[Key, ...]
    correct: Mapping[Key, bool]
    points: Mapping[Key, Point] = field(default_factory=dict)

    @property
    def generation(self) -> int:
        """The run that holds the completions."""
        return REVIEWED[self.run.kind].source(self.run)

    def queue(self, key: Key) -> str:
        return self.board.item(key).queue


def label(run: Run) -> str:
    """How a run is called in the picker and the URL; it never changes."""
    return REVIEWED[run.kind].label(run)


def choose_run(study: Study) -> Run | None:
    """The exemplars or the generation to review, the newest exemplars to begin with; None before any."""
    runs = [
        run
        for kind, row in REVIEWED.items()
        for run in reversed(queries.runs(study.id, kind, done=not row.early))
    ]
    return pick_row("What to review", runs, label, "review")


def board(run_id: int) -> Board:
    """The run's decisions, folded; only those that are new to this session are read."""
    boards = st.session_state.setdefault("boards", {})
    place = (settings.database_url(), run_id)
    boards[place] = desk.board(run_id, boards.get(place))
    return boards[place]


def open_review(run: Run) -> Review:
    """What is reviewed of a run: every rationale of a generation; of an exemplars run one per cluster, and
    whatever else was decided on."""
    folded, study = board(run.id), queries.study(run.study_id)
    points = map_points(run)
    if not points:
        correct = _verdicts(run, queries.completion_counts(run.id)["n"])
        return Review(run, study, folded, tuple(correct), correct)
    standing = {key_of(point) for point in stage.nearest(points.values(), folded)}
    decided = {key for key, item in folded.items.items() if item.done}
    keys = tuple(key for key in points if key in standing or key in decided)
    return Review(run, study, folded, keys, {key: point.correct for key, point in points.items()}, points)


def key_of(point: Point) -> Key:
    return point.question_index, point.sample_index


# Shared by all sessions and never changed.
@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=frame.BY_RUN)
def map_points(run: Run) -> Mapping[Key, Point]:
    """The questions of a run that has a map by cluster, nearest to its centre first; else none."""
    return {key_of(point): point for point in queries.points(run.id)}


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=frame.BY_RUN)
def _verdicts(run: Run, n: int) -> Mapping[Key, bool]:
    return {(question, sample): correct for question, sample, correct in queries.sample_verdicts(run.id)}


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
    if not review.points:
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
