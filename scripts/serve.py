"""The app as `make run` starts it: `python -m scripts.serve [--server.port 8502 …]`.

What the first page needs is imported and the database brought up to date before the browser asks,
which takes a fifth off the first page. `streamlit run app.py` does the same, a little later.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Serve the app; the arguments are Streamlit's own."""
    from streamlit.web import cli

    import pages.components.jobs
    import pages.components.overview
    import pages.components.results  # noqa: F401
    from core.errors import LabError
    from core.store import engine

    try:
        engine()
    except LabError as error:
        sys.exit(str(error))
    sys.argv = ["streamlit", "run", "app.py", *sys.argv[1:]]
    cli.main()


if __name__ == "__main__":
    main()
