"""The endpoint against a real HTTP server in another process: latency, faults, bad answers."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace

import pytest

from benchmarks.server import Server, running
from core.errors import LabError
from core.records import Question, Reply, Request, Sampling
from core.store import queries
from core.teachers import open_teacher
from core.teachers.base import Inbox, count_tokens
from tests.asking import asked, served

KEY = "sk-very-secret-1234567890"
ASKED = [Request(f"prompt {i}", i) for i in range(60)]


@pytest.fixture(scope="module")
def server():
    with running() as one:
        yield one


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def opened(server: Server, **options):
    return open_teacher("openai", **({"base_url": server.url, "model": "any"} | options))


def answers(server: Server, requests=ASKED, sampling: Sampling | None = None, **options) -> list[Reply]:
    with opened(server, **options) as teacher:
        return served(teacher, [replace(one, sampling=sampling) if sampling else one for one in requests])


@pytest.mark.parametrize("mode", ["chat", "completions"])
def test_every_request_gets_one_reply(server: Server, mode: str) -> None:
    replies = answers(server, mode=mode, price_in=1.0, price_out=2.0)
    assert sorted(r.request.question_index for r in replies) == list(range(60))
    assert all(r.error is None and r.text.startswith("\n\nReply") for r in replies)
    assert {(r.prompt_tokens, r.completion_tokens, r.finish_reason) for r in replies} == {(20, 10, "stop")}
    assert replies[0].cost == pytest.approx((20 * 1.0 + 10 * 2.0) / 1e6)


def test_parameters_reach_the_server(server: Server) -> None:
    sampling = Sampling(temperature=0.7, top_p=0.9, max_tokens=77, stop=("END",), seed=5)
    answers(server, [Request("only me", 0, sample_index=2, draw=2)], sampling, mode="completions")
    assert server.stats()["bodies"][-1] == {
        "model": "any",
        "prompt": "only me",
        "temperature": 0.7,
        "top_p": 0.9,
        "max_tokens": 77,
        "stop": ["END"],
        "seed": 7,  # D samples under one seed are D seeds
    }
    answers(server, [Request("only me", 0)], Sampling(), token_field="max_completion_tokens")
    assert server.stats()["bodies"][-1] == {
        "model": "any",
        "messages": [{"role": "user", "content": "only me"}],
        "temperature": 0.0,
        "max_completion_tokens": 128,
    }


def test_a_request_may_be_sampled_in_its_own_way(server: Server) -> None:
    ways = [Request("own way", i, sampling=Sampling(max_tokens=n)) for i, n in enumerate((500, 9))]
    answers(server, ways, mode="completions", concurrency=1)
    assert [body["max_tokens"] for body in server.stats()["bodies"][-2:]] == [500, 9]


@pytest.mark.parametrize("in_flight", [1, 7])
def test_no_more_calls_in_flight_than_asked_for(in_flight: int) -> None:
    with running(latency=0.02) as server:
        answers(server, ASKED[:20], concurrency=in_flight)
        assert server.stats()["most_in_flight"] == in_flight


def test_a_second_step_waits_for_its_own_first_only() -> None:
    def then(reply: Reply) -> list[Request]:
        index = reply.request.question_index
        second = Request(f"answer {index}", index, step="answer", depth=1)
        return [] if reply.request.step == "answer" else [second]

    with running(latency=0.05) as server:
        with opened(server, concurrency=4) as teacher:
            replies = served(teacher, ASKED[:12], then)
        asked = {prompt: times[0] for prompt, times in server.stats()["prompts"].items()}
    assert len(replies) == 24
    assert min(asked[f"answer {i}"] for i in range(12)) < max(asked[f"prompt {i}"] for i in range(12))


def test_limits_failures_and_dropped_connections_are_tried_again() -> None:
    with running(fault_every=20) as server:
        replies = answers(server, [Request(f"prompt {i}", i) for i in range(200)])
        stats = server.stats()
    assert sorted(r.request.question_index for r in replies) == list(range(200))
    assert [r.error for r in replies if r.error] == []
    assert stats["answered"] == 200 and stats["calls"] >= 210


def test_retry_after_is_respected() -> None:
    with running(fault_every=2, retry_after=1.5) as server:  # the second call is limited
        answers(server, ASKED[:2], concurrency=1)
        limited = server.stats()["prompts"]["prompt 1"]
    assert limited[1] - limited[0] >= 1.5


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("refuses-key", "OPENAI_API_KEY"),
        ("unknown", "no model 'unknown'"),
        ("no-credit", "no credit"),
    ],
)
def test_what_concerns_all_requests_stops_the_run(server: Server, model: str, says: str) -> None:
    before = server.stats()["calls"]
    with pytest.raises(LabError, match=says) as caught:
        answers(server, [Request(f"p{i}", i) for i in range(1000)], model=model)
    assert server.stats()["calls"] - before < 200
    assert KEY not in str(caught.value) and one_sentence(str(caught.value))


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("too-long", "9000 tokens"),
        ("unfit", "too many strings"),
        ("half-json", "not valid JSON"),
        ("no-choices", "no text"),
        ("html", "base URL"),
        ("nested", "not valid JSON"),
        ("choices-by-name", "no text"),
        ("always-500", "status 500"),
    ],
)
def test_what_concerns_one_request_is_its_error(server: Server, model: str, says: str) -> None:
    replies = answers(server, ASKED[:3], model=model, retries=1)
    assert len(replies) == 3
    for reply in replies:
        assert reply.finish_reason == "error" and says in reply.error
        assert f"question {reply.request.question_index}" in reply.error
        assert KEY not in reply.error and one_sentence(reply.error)


def test_half_a_character_can_be_stored(server: Server) -> None:
    replies = answers(server, ASKED[:1], model="half-a-character", mode="completions")
    assert [(r.text, r.error) for r in replies] == [("3 \ufffd", None)]


def test_an_answer_that_takes_too_long_is_an_error() -> None:
    with running(latency=5.0) as server:
        (reply,) = answers(server, ASKED[:1], timeout=0.2, retries=0)
    assert "0.2 s" in reply.error


def test_an_answer_that_never_ends_is_an_error() -> None:
    """A byte now and then keeps every time-out of the client waiting."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=drip, args=(listening,), daemon=True).start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        with open_teacher("openai", base_url=url, model="any", timeout=0.3, retries=0) as teacher:
            (reply,) = served(teacher, ASKED[:1])
    assert "no answer within 0.3 s" in reply.error


def drip(listening: socket.socket) -> None:
    listening.accept()[0].close()  # the look whether anybody is there
    connection, _ = listening.accept()
    with connection, suppress(OSError):
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n"
        )
        for _ in range(999):
            connection.sendall(b" ")
            time.sleep(0.05)


@pytest.mark.parametrize("model", ["any", "always-500"])
def test_a_stopped_endpoint_sends_nothing_more_and_a_closed_one_gives_its_calls_up(model: str) -> None:
    """Neither a call that is not answered, nor one that the client would try again and again."""
    inbox, replies = Inbox(), []
    with running(latency=0.05 if model == "always-500" else 60.0) as server:
        with opened(server, model=model, concurrency=3) as teacher:
            thread = threading.Thread(target=teacher.serve, args=(inbox, replies.extend))
            inbox.put(ASKED)
            thread.start()
            while server.stats()["arrived"] < 3:
                assert thread.is_alive()
            inbox.close(stop=True)
        thread.join(20)
        assert not thread.is_alive() and replies == []
        arrived = server.stats()["arrived"]
        time.sleep(1)
        assert server.stats()["arrived"] == arrived


@pytest.mark.parametrize(
    ("model", "text"), [("odd-usage", "It is 5."), ("half-pair", "5 \ufffd"), ("refuses-half-a-pair", "")]
)
def test_what_no_table_holds_loses_no_answer(server: Server, model: str, text: str, lab_home) -> None:
    dataset = queries.add_dataset("coin_flip", {}, [Question(0, "q", "yes")])
    study = queries.add_study("s", dataset, "fine-tune-cot", {})
    run = queries.open_run(study, "generate", "0" * 64, method="fine-tune-cot", config={})
    with opened(server, model=model, mode="completions") as teacher:
        first, again = (asked(teacher, ASKED[:1], run.id) for _ in range(2))
    assert first[0].text == again[0].text == text
    assert again[0].cached is bool(text)  # a refused one is asked again
    if text:
        assert (first[0].prompt_tokens, first[0].completion_tokens) == (2, count_tokens(text))


def test_nobody_there_is_said_at_once() -> None:
    with running() as server:
        pass
    with pytest.raises(LabError, match="Nobody answers at http://127.0.0.1"):
        answers(server)


def test_a_server_that_dies_in_mid_run_stops_it() -> None:
    def kill(_: Reply) -> list[Request]:
        server.process.kill()
        server.process.wait()
        return []

    with running(latency=0.01) as server, opened(server, retries=1, concurrency=2) as teacher:
        with pytest.raises(LabError, match="stopped answering"):
            served(teacher, ASKED, kill)


def test_a_missing_key_names_the_key_and_a_local_server_needs_none(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setattr("core.settings.ROOT", tmp_path)
    with pytest.raises(LabError, match="OPENAI_API_KEY"):
        served(open_teacher("openai"), ASKED)
    assert answers(server, ASKED[:1])[0].error is None


def test_a_stopped_inbox_ends_the_calls() -> None:
    with running(latency=0.02) as server, opened(server, concurrency=2) as teacher:
        replies = served(teacher, [Request(f"p{i}", i) for i in range(10_000)], stop_after=1)
        assert len(replies) <= server.stats()["calls"] < 100


@pytest.mark.parametrize(
    "options",
    [
        {"base_url": "localhost:8000"},
        {"base_url": f"http://me:{KEY}@localhost/v1"},
        {"base_url": f"http://localhost/v1?api-key={KEY}"},
        {"mode": "telepathy"},
        {"concurrency": 0},
    ],
)
def test_bad_options_are_refused(options: dict) -> None:
    with pytest.raises(LabError) as caught:
        open_teacher("openai", **options)
    assert KEY not in str(caught.value)


def one_sentence(text: str) -> bool:
    return text.endswith(".") and "\n" not in text
