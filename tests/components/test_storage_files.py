"""Local files: durable writes, no way out through symlinks, and clear errors from the operating system."""

import ctypes
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import (
    AlreadyExistsException,
    BadRequestException,
    IllegalArgumentException,
    InternalServerError,
    NotFoundException,
    ServiceError,
)
from app.storage.files import LocalFileSystem
from app.storage.locations import normalise

ROOT = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "warehouse"
    folder.mkdir()
    return folder


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_text("secret")
    return folder


@pytest.fixture
def files(root: Path) -> LocalFileSystem:
    return LocalFileSystem([normalise(str(root))])


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize("spelling", ["{}/ns/t/m.json", "file:{}/ns/t/m.json", "file://{}/ns/t/m.json"])
def test_what_is_written_is_read_in_every_spelling(files: LocalFileSystem, root: Path, spelling: str) -> None:
    files.write_new(spelling.format(root), b"content")
    assert (root / "ns/t/m.json").read_bytes() == b"content"
    for other in ("{}/ns/t/m.json", "file:{}/ns/t/m.json", "file://localhost{}/ns/t/m.json"):
        assert files.read(other.format(root), 100) == b"content"
        assert files.exists(other.format(root))


def test_percent_signs_and_unicode_are_literal(files: LocalFileSystem, root: Path) -> None:
    files.write_new(f"file://{root}/a%20b/ü 漢.json", b"x")
    assert (root / "a%20b" / "ü 漢.json").read_bytes() == b"x"


def test_an_existing_file_is_left_alone(files: LocalFileSystem, root: Path) -> None:
    files.write_new(f"{root}/a", b"first")
    with pytest.raises(AlreadyExistsException, match="it exists"):
        files.write_new(f"{root}/a", b"second")
    assert (root / "a").read_bytes() == b"first"


def test_a_missing_root_is_made_by_the_first_write_only(tmp_path: Path) -> None:
    files = LocalFileSystem([normalise(f"{tmp_path}/deep/root")])
    with pytest.raises(NotFoundException):
        files.read(f"{tmp_path}/deep/root/a", 10)
    assert not (tmp_path / "deep").exists()
    files.write_new(f"{tmp_path}/deep/root/a", b"x")
    assert (tmp_path / "deep/root/a").read_bytes() == b"x"


def test_missing_files_are_named(files: LocalFileSystem, root: Path) -> None:
    (root / "file").touch()
    for location in (f"file:{root}/a/b", f"{root}/b", f"{root}/file/below"):
        with pytest.raises(NotFoundException) as caught:
            files.read(location, 10)
        assert caught.value.message == f"Failed to open input stream for file: {location}"
        assert not files.exists(location)
    with pytest.raises(NotFoundException):
        files.read(f"{root}", 10)


def test_only_regular_files_are_read(files: LocalFileSystem, root: Path) -> None:
    (root / "folder").mkdir()
    os.mkfifo(root / "fifo")
    for name in ("folder", "fifo"):
        with pytest.raises(NotFoundException):
            files.read(f"{root}/{name}", 10)
        assert not files.exists(f"{root}/{name}")


def test_reading_stops_at_the_limit(files: LocalFileSystem, root: Path) -> None:
    (root / "a").write_bytes(b"12345")
    assert files.read(f"{root}/a", 5) == b"12345"
    with pytest.raises(BadRequestException, match="larger than the 4 bytes"):
        files.read(f"{root}/a", 4)


@pytest.mark.parametrize("link", ["absolute", "relative", "chain", "root"])
def test_a_symlink_out_of_the_roots_is_refused(
    files: LocalFileSystem, root: Path, outside: Path, link: str
) -> None:
    (root / "inner").mkdir()
    targets = {"absolute": outside, "relative": "../outside", "chain": "hop", "root": "/"}
    (root / "hop").symlink_to("inner/../../outside")
    (root / "link").symlink_to(targets[link])
    below = str(outside) if link == "root" else ""
    for operation in (
        lambda: files.read(f"{root}/link{below}/secret", 100),
        lambda: files.exists(f"{root}/link{below}/secret"),
        lambda: files.write_new(f"{root}/link{below}/new", b"x"),
        lambda: files.write_new(f"{root}/link{below}/new/deeper/file", b"x"),
    ):
        with pytest.raises(IllegalArgumentException, match=r"symbolic link .*storage\.allowed_locations"):
            operation()
    failures = files.delete([f"{root}/link{below}/secret"])
    assert "symbolic link" in failures[f"{root}/link{below}/secret"]
    files.remove_empty_folders([f"{root}/link{below}/secret"], str(root))
    assert everything(outside) == {"secret"}


def test_a_symlink_in_the_place_of_a_file_is_never_followed(
    files: LocalFileSystem, root: Path, outside: Path
) -> None:
    (root / "link").symlink_to(outside / "secret")
    (root / "dangling").symlink_to(outside / "new")
    with pytest.raises(IllegalArgumentException, match="symbolic link"):
        files.read(f"{root}/link", 100)
    for name in ("link", "dangling"):
        with pytest.raises(AlreadyExistsException):
            files.write_new(f"{root}/{name}", b"x")
        assert files.delete([f"{root}/{name}"]) == {}
    assert everything(outside) == {"secret"}
    assert (outside / "secret").read_text() == "secret"


def test_a_symlink_from_one_root_to_another_is_followed(root: Path, tmp_path: Path) -> None:
    (tmp_path / "big").mkdir()
    (root / "ns").symlink_to(tmp_path / "big")
    files = LocalFileSystem([normalise(str(root)), normalise(str(tmp_path / "big"))])
    files.write_new(f"{root}/ns/t/a", b"x")
    assert files.read(f"{tmp_path}/big/t/a", 10) == b"x"
    assert files.read(f"{root}/ns/t/a", 10) == b"x"


def test_a_root_may_be_a_symlink_and_have_symlinks_inside_it(tmp_path: Path) -> None:
    (tmp_path / "real/t1").mkdir(parents=True)
    (tmp_path / "alias").symlink_to("real")
    (tmp_path / "real/t2").symlink_to("t1")
    files = LocalFileSystem([normalise(f"{tmp_path}/alias")])
    files.write_new(f"{tmp_path}/alias/t2/a", b"x")
    assert (tmp_path / "real/t1/a").read_bytes() == b"x"


def test_links_that_go_round_in_circles_end(files: LocalFileSystem, root: Path) -> None:
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    with pytest.raises(IllegalArgumentException, match="symbolic link"):
        files.read(f"{root}/a/x", 10)


def exchange(one: Path, other: Path) -> None:
    """Let two names change places in one step (renameat2 with RENAME_EXCHANGE)."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.renameat2(-100, os.fsencode(one), -100, os.fsencode(other), 2) == 0, ctypes.get_errno()


def test_swapping_a_folder_for_a_symlink_never_leaks(
    files: LocalFileSystem, root: Path, outside: Path
) -> None:
    """A check cannot be raced: the folder becomes a symlink and back while files are read and written."""
    (root / "t").mkdir()
    (root / "t/secret").write_text("public")
    (root / "evil").symlink_to(outside)
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            exchange(root / "t", root / "evil")

    swapper = threading.Thread(target=swap)
    swapper.start()
    refused = 0
    try:
        for number in range(1500):
            try:
                assert files.read(f"{root}/t/secret", 100) == b"public"
            except ServiceError:
                refused += 1
            try:
                files.write_new(f"{root}/t/{number}", b"x")
            except ServiceError:
                refused += 1
    finally:
        stop.set()
        swapper.join()
    assert everything(outside) == {"secret"}
    assert refused > 0


def test_deleting_tells_what_stayed(files: LocalFileSystem, root: Path) -> None:
    for name in ("a", ".a.crc", "b", ".b.crc"):
        (root / name).touch()
    (root / "folder").mkdir()
    assert files.delete([f"file:{root}/a", f"{root}/missing", f"{root}/no/such"], checksums=True) == {}
    assert files.delete([f"{root}/b"]) == {}
    failures = files.delete([f"{root}/folder"])
    assert list(failures) == [f"{root}/folder"]
    assert failures[f"{root}/folder"].startswith("Failed to delete file")
    assert everything(root) == {".b.crc", "folder"}


def test_empty_folders_go_up_to_the_limit_and_no_further(files: LocalFileSystem, root: Path) -> None:
    for name in ("ns/t/data/p=1", "ns/t/data/p=2", "ns/t/metadata", "ns/t2"):
        (root / name).mkdir(parents=True)
    (root / "ns/t/data/p=2/kept").touch()
    gone = [
        f"{root}/ns/t/data/p=1/a",
        f"{root}/ns/t/data/p=2/b",
        f"{root}/ns/t/metadata/m",
        f"{root}/ns/t2/x",
    ]
    files.remove_empty_folders(gone, f"{root}/ns/t")
    assert everything(root) == {"ns", "ns/t", "ns/t/data", "ns/t/data/p=2", "ns/t/data/p=2/kept", "ns/t2"}
    (root / "ns/t/data/p=2/kept").unlink()
    files.remove_empty_folders(gone, f"file:{root}/ns/t/")
    assert everything(root) == {"ns", "ns/t2"}


def test_a_name_that_is_too_long_is_the_clients_fault(files: LocalFileSystem, root: Path) -> None:
    with pytest.raises(BadRequestException, match="File name too long"):
        files.write_new(f"{root}/{'a' * 256}", b"x")
    with pytest.raises(BadRequestException, match="File name too long"):
        files.write_new(f"{root}/{'a' * 256}/b", b"x")


def test_a_file_in_the_way_of_a_folder_is_named(files: LocalFileSystem, root: Path) -> None:
    (root / "a").touch()
    with pytest.raises(InternalServerError, match=r"Failed to write file .*/a/b: Not a directory"):
        files.write_new(f"{root}/a/b", b"x")


def in_namespace(script: str, *arguments: object) -> str:
    """Run Python code in a mount namespace of its own, as root of it, on whatever account the tests have."""
    command = [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        sys.executable,
        "-c",
        textwrap.dedent(script),
    ]
    done = subprocess.run(
        [*command, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_full_disk_is_said_and_leaves_no_partial_file(root: Path) -> None:
    script = """
        import pathlib, subprocess, sys
        from app.errors import ServiceUnavailableException
        from app.storage.files import LocalFileSystem
        from app.storage.locations import normalise
        root = pathlib.Path(sys.argv[1])
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=8", "tmpfs", root], check=True)
        files = LocalFileSystem([normalise(str(root))])
        try:
            files.write_new(f"{root}/t/big", bytes(1 << 20))
        except ServiceUnavailableException as error:
            print(error.message.removeprefix(f"Failed to write file {root}/t/big: "))
        print(sorted(path.name for path in root.rglob("*")))
        files.write_new(f"{root}/t/small", b"x")
        print(files.read(f"{root}/t/small", 10))
    """
    assert in_namespace(script, root).splitlines() == ["No space left on device", "['t']", "b'x'"]


def test_a_read_only_file_system_is_said(root: Path) -> None:
    script = """
        import pathlib, subprocess, sys
        from app.errors import InternalServerError
        from app.storage.files import LocalFileSystem
        from app.storage.locations import normalise
        root = pathlib.Path(sys.argv[1])
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", root], check=True)
        (root / "kept").touch()
        subprocess.run(["mount", "-o", "remount,ro", root], check=True)
        files = LocalFileSystem([normalise(str(root))])
        for name in ("a", "b/a"):
            try:
                files.write_new(f"{root}/{name}", b"x")
            except InternalServerError as error:
                print(error.message.partition(": ")[2])
        print(list(files.delete([f"{root}/kept"]).values())[0].partition(": ")[2])
    """
    assert in_namespace(script, root).splitlines() == ["Read-only file system"] * 3


def test_every_new_entry_is_synced_before_the_write_returns(
    files: LocalFileSystem, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []

    def fsync(fd: int, really: Callable[[int], None] = os.fsync) -> None:
        really(fd)
        synced.append(str(Path(f"/proc/self/fd/{fd}").readlink()))

    monkeypatch.setattr(os, "fsync", fsync)
    files.write_new(f"{root}/ns/t/m.json", b"content")
    assert synced == [str(root), f"{root}/ns", f"{root}/ns/t/m.json", f"{root}/ns/t"]


def test_a_folder_is_listed_in_pages(
    files: LocalFileSystem, root: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.storage.files._PAGE", 2)
    for name in ("b", "a", "c/inner"):
        files.write_new(f"{root}/t/{name}", b"")
    (root / "t" / "d").symlink_to(outside)
    first = files.list_page(f"file://{root}/t/")
    second = files.list_page(f"file://{root}/t", first.next)
    assert [(entry.name, entry.is_folder) for entry in first.entries + second.entries] == [
        ("a", False),
        ("b", False),
        ("c", True),
        ("d", False),
    ]
    assert first.entries[0].modified == (root / "t" / "a").stat().st_mtime
    assert files.list_page(f"{root}/t", second.next) == ([], "")
    assert files.list_page(f"{root}/missing") == ([], "")
    assert files.list_page(f"{root}/t/a") == ([], "")


def test_no_folder_is_listed_behind_a_symlink_that_leads_out(
    files: LocalFileSystem, root: Path, outside: Path
) -> None:
    (root / "t").symlink_to(outside)
    with pytest.raises(IllegalArgumentException, match="symbolic link"):
        files.list_page(f"{root}/t")
