"""`python -m core …`: every action of the app as a command.

A user's error is one sentence on standard error and exit status 2.
"""

from __future__ import annotations

import sys
from importlib import import_module

import typer

from core.errors import LabError

# A group is imported only when it is called, so that --help answers at once.
GROUPS = {
    "datasets": "List, show and export benchmarks.",
    "models": "Fetch the embedded models.",
    "jobs": "List, follow, cancel and resume jobs.",
    "exemplars": "Choose exemplars by cluster.",
    "review": "Decide on exemplars and rationales; export the history.",
}
COMMANDS = {
    "score": "Score a recorded file; stores nothing.",
    "import": "Bring a recorded file into a study.",
    "generate": "Have a teacher write rationales for a study.",
    "diversity": "How much the rationales of a study's questions differ.",
    "training-set": "What a method's student would learn, and what each filter drops.",
    "train": "Fine-tune a student on a study's rationales.",
    "evaluate": "Evaluate a student on a study's test questions.",
    "results": "The table of a study: accuracy, intervals, paired tests.",
    "corrections": "What reviewers' corrections changed; run again what depends on them.",
    "check-answers": "Ask a second time on a sample of adaptive answers.",
    "rescore": "Re-score stored completions under another rule set; no call.",
    "studies": "List the studies.",
    "run": "Run a whole study file; resumable.",
    "demo": "Run the demo study and print its table.",
    "worker": "Run one more worker.",
}


class LazyGroup(typer.core.TyperGroup):
    """A command line whose commands are imported when they are called."""

    def list_commands(self, ctx):
        return [*COMMANDS, *GROUPS]

    def get_command(self, ctx, name):
        if name in GROUPS:
            return _load(name, import_module(f"core.commands.{name}").app)
        if name in COMMANDS:
            module = import_module(f"core.commands.{HOME.get(name, name)}")
            app = typer.Typer(add_completion=False)
            app.command(name)(getattr(module, FUNCTIONS.get(name, name)))
            return _load(name, app)
        return None

    def format_commands(self, ctx, formatter):
        rows = {**COMMANDS, **GROUPS}
        with formatter.section("Commands"):
            formatter.write_dl(sorted(rows.items()))


# Commands that share a file.
HOME = {
    "generate": "study",
    "import": "study",
    "diversity": "diversity",
    "training-set": "training_set",
    "train": "study",
    "evaluate": "study",
    "corrections": "teachers",
    "check-answers": "teachers",
    "rescore": "study",
    "studies": "study",
    "run": "study",
    "demo": "study",
}


FUNCTIONS = {
    "import": "import_",
    "studies": "studies_",
    "check-answers": "check_answers",
    "training-set": "training_set",
}


def _load(name: str, app: typer.Typer):
    command = typer.main.get_command(app)
    command.name = name
    return command


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
