"""From a run folder or a store to the file of its page."""

from __future__ import annotations

from pathlib import Path

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.files import atomic_writer, first_bytes, require_own
from smallworld_eqprop.studies.record import Run
from smallworld_eqprop.studies.report.page import render
from smallworld_eqprop.studies.store import Store

__all__ = ["report_html", "write_report"]

# In the head of every page; see page.html.jinja.
GENERATOR = b'<meta name="generator" content="smallworld-eqprop '


def report_html(source: Run | Store) -> str:
    """Describe a run or a study on one HTML page that loads nothing from anywhere.

    Parameters
    ----------
    source : Run or Store
        A run with at least one finished epoch, or a store with at least one finished run.

    Returns
    -------
    str

    Raises
    ------
    InputError
        If nothing is finished yet, or a file of the run is damaged.
    """
    # Imported here: the page of a study needs no measures of graphs, and that of a run no ranking.
    if isinstance(source, Store):
        from smallworld_eqprop.studies.report.study import study_page

        return render(study_page(source))
    from smallworld_eqprop.studies.report.run import run_page

    return render(run_page(source))


def write_report(source: str | Path, out: str | Path | None = None) -> Path:
    """Write the page of a run folder or of a store, whole or not at all.

    Parameters
    ----------
    source : path-like
        A run folder, or the SQLite file of a study.
    out : path-like, optional
        By default ``report.html`` in the run folder, or beside the store under its name.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    InputError
        If `source` is neither, nothing in it is finished yet, or the file is there already and is
        not such a page.
    OSError
        If the page cannot be written.
    """
    source = Path(source)
    if out is not None and Path(out).is_dir():
        raise InputError(f"{out}: is a folder; name the file of the page")
    beside = source / "report.html" if source.is_dir() else source.with_name(f"{source.stem}.html")
    path = beside if out is None else Path(out)
    require_own(path, "a page of report", lambda found: GENERATOR in first_bytes(found))
    if source.is_dir():
        html = report_html(Run(source))
    elif source.exists():
        with Store(source, create=False) as store:
            html = report_html(store)
    else:
        raise InputError(f"{source}: no run folder and no store of a study here")
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_writer(path) as file:
        file.write(html.encode())
    return path
