"""The scratch folder beside a store, in which a sweep and its workers meet.

It holds a marker of every sweep that goes on, and a run folder with the checkpoints of every run
under way, named after the run's key and a token of the worker's own. A worker that takes up a run
renames its folder, so that a predecessor that everyone believes dead, and is not, loses it, and
ends when it next writes to it.
"""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.studies.layout import holding
from smallworld_eqprop.studies.locking import LOCK
from smallworld_eqprop.studies.owners import is_alive

__all__ = ["Scratch", "empty_unless_run", "fractions", "run_folder", "show_progress"]

PROGRESS = "progress"
MARKER = ".sweep"
#: What `glob` finds of names that are given here: others may be copies that somebody made.
TOKEN = "[0-9a-f]" * 8


class Scratch:
    """The sweep's side of the folder.

    Parameters
    ----------
    folder : Path
    owner : str
        The sweep's name, see `new_owner`.

    Attributes
    ----------
    marker : Path
        File that is there while the sweep goes on; its workers stop when it is gone.
    """

    def __init__(self, folder: Path, owner: str) -> None:
        # Absolute: the workers' working directory may be another one.
        self._folder = folder.absolute()
        self.marker = self._folder / f"{owner}{MARKER}"

    def open(self, done: Iterable[str]) -> None:
        """Begin, and clear away what killed sweeps have left of runs that are done."""
        while not self.marker.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # a sweep that has just ended took the folder along
                self.marker.touch()
        for marker in self._folder.glob(f"*~*~*~{TOKEN}{MARKER}"):
            with suppress(FileNotFoundError):
                if not is_alive(marker.name.removesuffix(MARKER), marker.stat().st_mtime):
                    marker.unlink()
        for key in {folder.name.rpartition(".")[0] for folder in self._folder.iterdir()} & {*done}:
            self.remove(key)

    def beat(self) -> None:
        """Show that the sweep is alive, for those on other machines."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self.marker.touch()

    def keep(self) -> None:
        """Make the marker again if somebody has removed it, or the whole folder."""
        if not self.marker.exists():
            self.beat()

    def close(self) -> None:
        """Tell the workers to stop; the folder goes when it is empty."""
        with suppress(OSError):  # never made, or not empty
            self.marker.unlink(missing_ok=True)
            self._folder.rmdir()

    def remove(self, key: str) -> None:
        """Remove the checkpoints of a run."""
        for folder in self._folder.glob(f"{key}.{TOKEN}"):
            shutil.rmtree(folder, ignore_errors=True)

    def fractions(self) -> dict[str, float]:
        """Share that is done of every run under way, by its key."""
        return fractions(self._folder)


def fractions(folder: Path) -> dict[str, float]:
    """Share that is done of every run under way, by its key."""
    found = {}
    for path in folder.glob(f"*/{PROGRESS}"):
        with suppress(OSError, ValueError):  # being renamed, or being written
            found[path.parent.name.rpartition(".")[0]] = float(path.read_text())
    return found


@contextmanager
def run_folder(marker: Path, key: str) -> Iterator[Path]:
    """The worker's side: the folder of a run, with what earlier workers have left there.

    A folder of its own, gone afterwards, on a machine that does not share the scratch folder.

    Raises
    ------
    KeyboardInterrupt
        If the sweep is over.
    """
    scratch = marker.parent
    if not scratch.exists():
        with tempfile.TemporaryDirectory(prefix="smallworld-eqprop-") as folder:
            yield Path(folder)
        return
    if not marker.exists():
        raise KeyboardInterrupt
    own = scratch / f"{key}.{uuid.uuid4().hex[:8]}"
    for old in scratch.glob(f"{key}.{TOKEN}"):
        with suppress(OSError):  # somebody else's by now, or one too many
            old.rename(own)
    own.mkdir(exist_ok=True)
    # Whoever claimed the run in the store may write here, even if a worker believed dead is not.
    (own / LOCK).unlink(missing_ok=True)
    yield own


def empty_unless_run(folder: Path) -> None:
    """Empty the folder of a run, in which nobody but sweeps writes, if no run is recognised there.

    A run that is recognised can be overwritten as it is.
    """
    try:
        holding(folder)
    except InputError:
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def show_progress(folder: Path, share: float) -> None:
    """Note how much of a run is done.

    Raises
    ------
    FileNotFoundError
        If another worker has taken the run over.
    """
    (folder / PROGRESS).write_text(f"{share:.4f}")
