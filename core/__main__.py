"""`python -m core …`: every action of the app as a command.

A user's error is one sentence on standard error and exit status 2.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, NamedTuple

import typer

from core.errors import LabError


class Command(NamedTuple):
    """Where a command is: a module of core.commands and its function, or the `app` of a group; and what it is
    for. It is imported when it is called, so that --help answers at once."""

    module: str
    function: str
    help: str


COMMANDS = {
    "score": Command("score", "score", "Score a recorded file; stores nothing."),
    "answer": Command("answer", "answer", "Read the answer in a text, and whether it spares a second call."),
    "check": Command("check", "check", "What the quality checks say of a recorded file; stores nothing."),
    "import": Command("study", "import_", "Bring a recorded file into a study."),
    "generate": Command("study", "generate", "Have a teacher write rationales for a study."),
    "diversity": Command("diversity", "diversity", "How much the rationales of a study's questions differ."),
    "training-set": Command(
        "training_set", "training_set", "What a method's student would learn, and what each filter drops."
    ),
    "train": Command("study", "train", "Fine-tune a student on a study's rationales."),
    "evaluate": Command("study", "evaluate", "Evaluate a student on a study's test questions."),
    "results": Command("results", "results", "The table of a study: accuracy, intervals, paired tests."),
    "pool": Command("results", "pool", "One comparison over several benchmarks and seeds."),
    "power": Command("results", "power", "The smallest difference that so many questions show."),
    "corrections": Command(
        "teachers", "corrections", "What reviewers' corrections changed; run again what depends on them."
    ),
    "check-answers": Command(
        "teachers", "check_answers", "Ask a second time on a sample of adaptive answers."
    ),
    "rescore": Command("study", "rescore", "Re-score stored completions under another rule set; no call."),
    "studies": Command("study", "studies_", "List the studies."),
    "run": Command("study", "run", "Run a whole study file; resumable."),
    "demo": Command("study", "demo", "Run the demo study and print its table."),
    "worker": Command("worker", "worker", "Run one more worker."),
    "datasets": Command("datasets", "app", "List, show and export benchmarks."),
    "study": Command("study", "app", "The JSON Schema of study files, for editors."),
    "models": Command("models", "app", "Fetch the embedded models."),
    "jobs": Command("jobs", "app", "List, follow, cancel and resume jobs."),
    "exemplars": Command("exemplars", "app", "Choose exemplars by cluster."),
    "review": Command("review", "app", "Decide on exemplars and rationales; export the history."),
}


class LazyGroup(typer.core.TyperGroup):
    """A command line whose commands are imported when they are called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, name: str) -> Any:
        if name not in COMMANDS:
            return None
        row = COMMANDS[name]
        found = getattr(import_module(f"core.commands.{row.module}"), row.function)
        if row.function != "app":
            alone = typer.Typer(add_completion=False)
            alone.command(name)(found)
            found = alone
        command = typer.main.get_command(found)
        command.name = name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted((name, row.help) for name, row in COMMANDS.items()))


app = typer.Typer(cls=LazyGroup, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def lab(ctx: typer.Context) -> None:
    """The CoT Distillation Lab: benchmarks, teachers, students and honest results."""
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())


def main() -> None:
    try:
        app()
    except LabError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
