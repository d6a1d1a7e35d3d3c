"""Fixtures every test may use.

recorded   real recordings nobody on this project wrote; found beside the project, else in the
           download cache; tests that need them skip, and say so, where there is neither
small      a slice in the same layouts that the project wrote itself, and the benchmarks read from it
recordings both, one after the other: for what holds of any recording
clustered  fills a LAB_HOME with a study on that slice and its exemplars
lab_home   an empty LAB_HOME with its own database
minilm     an empty LAB_HOME with the embedded Sentence-BERT in it
queued     the jobs that were queued; nobody works on them but the test itself
postgresql a PostgreSQL server; tests that need one skip where it is not installed
database   an empty LAB_HOME on SQLite, and once more on PostgreSQL
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Read when torch is first imported: threads that spin, or more than there are cores, take the others' time.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest  # noqa: E402
from hypothesis import settings as hypothesis  # noqa: E402

from core import settings  # noqa: E402
from core.store import engine  # noqa: E402
from tests.postgresql import Server, binaries, running  # noqa: E402

if TYPE_CHECKING:
    from tests.clustered import Clustered

hypothesis.register_profile("lab", deadline=None)  # a busy machine is no wrong answer
hypothesis.load_profile("lab")

# These wait most, for browsers, workers and students: begun first, they do not end alone.
SLOW = ("e2e", "jobs", "stages", "students")

BESIDE = settings.ROOT.parent / "shared" / "data"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are cores: many tests wait."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        folder = item.path.parent.name
        return SLOW.index(folder) if folder in SLOW else len(SLOW)

    items.sort(key=place)


def _recorded_folder() -> Path | None:
    candidates = [Path(os.environ["LAB_DATA_DIR"])] if os.environ.get("LAB_DATA_DIR") else []
    candidates += [BESIDE, settings.ROOT / ".lab" / "datasets"]
    return next((p for p in candidates if (p / "reasoning-teacher").is_dir()), None)


@pytest.fixture(scope="session")
def recorded() -> Path:
    """The folder of recorded data, laid out by source."""
    path = _recorded_folder()
    if path is None:
        pytest.skip("no recorded data beside the project or in the download cache")
    return path


@pytest.fixture
def lab_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh LAB_HOME; benchmark files are read from the recordings where there are any."""
    monkeypatch.setenv("LAB_HOME", str(tmp_path / "lab"))
    monkeypatch.delenv("LAB_DATABASE_URL", raising=False)
    if (data := _recorded_folder()) is not None:
        monkeypatch.setenv("LAB_DATA_DIR", str(data))
    return tmp_path / "lab"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server of this session's own."""
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed: `make postgres` installs it")
    with running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, lab_home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The URL of a fresh LAB_HOME's database."""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql")
        monkeypatch.setenv("LAB_DATABASE_URL", server.database())
    yield settings.database_url()
    engine().dispose()


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests import small

    folder = tmp_path_factory.mktemp("small")
    small.write(folder)
    return folder


@pytest.fixture
def small(small_folder: Path, lab_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the slice, laid out as `recorded` is."""
    from tests.small import use

    use(small_folder, monkeypatch)
    return small_folder


@pytest.fixture(params=["small", "recorded"])
def recordings(request: pytest.FixtureRequest, lab_home: Path) -> Path:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[Path, Any]]:
    """once(name, fill) → a folder that `fill` filled for all test processes, and the JSON it returned."""
    from filelock import FileLock

    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if os.environ.get("PYTEST_XDIST_WORKER") else shared

    def filled(name: str, fill: Callable[[Path], Any]) -> tuple[Path, Any]:
        folder, said = shared / name, shared / f"{name}.json"
        with FileLock(shared / f"{name}.lock"):
            if not said.is_file():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                said.write_text(json.dumps(fill(folder)))
        return folder, json.loads(said.read_text())

    return filled


@pytest.fixture(scope="session")
def clustered(once: Callable[..., tuple[Path, Any]]) -> Callable[[Path], Clustered]:
    """clustered(home) fills a new LAB_HOME."""
    from tests.clustered import Clustered, fill

    template, ids = once("clustered", lambda home: asdict(fill(home)))

    def copy(home: Path) -> Clustered:
        shutil.copytree(template, home, symlinks=True, dirs_exist_ok=True)
        return Clustered(**ids)

    return copy


@pytest.fixture
def minilm(lab_home: Path) -> Path:
    """LAB_HOME with the embedded Sentence-BERT in it; tests that need it skip where it was not fetched."""
    model = settings.ROOT / ".lab" / "models" / "all-MiniLM-L6-v2"
    if not (model / "model.safetensors").is_file():
        pytest.skip("run `python -m core models fetch` first")
    (settings.folder("models") / model.name).symlink_to(model)
    return lab_home


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of the jobs that were queued, which nobody works on."""
    from core import jobs
    from core.jobs import engine

    asked: list[str] = []
    enqueue = engine.enqueue
    monkeypatch.setattr(engine, "enqueue", lambda db, job: asked.append(job.id) or enqueue(db, job))
    monkeypatch.setattr(jobs, "ensure_worker", lambda *_: False)
    return asked


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """AppTest leaves its script as __main__, which a spawned process would then run."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main
