"""A file system as the service uses it: its calls run by an executor, a failed write cleaned up."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from app.errors import InternalServerError, ServiceUnavailableException
from app.observability.metrics import metrics
from app.storage.executor import Executor
from app.storage.filesystem import FileSystem, Page
from app.storage.signing import Approved
from app.storage.vending import Vended

T = TypeVar("T")


class ExecutedFileSystem:
    """A file system whose calls an executor runs; each may also raise that the deadline passed (503)."""

    def __init__(self, inner: FileSystem, executor: Executor) -> None:
        self._inner = inner
        self._executor = executor

    def read(self, location: str, max_bytes: int) -> bytes:
        return self._run("read", lambda: self._inner.read(location, max_bytes))

    def exists(self, location: str) -> bool:
        return self._run("exists", lambda: self._inner.exists(location))

    def list_page(self, folder: str, after: str = "") -> Page:
        return self._run("list", lambda: self._inner.list_page(folder, after))

    def write_new(self, location: str, data: bytes) -> None:
        """Create a file under a name that nobody has used; durable on return.

        When it is unknown whether the file was written, it is deleted in the background: the caller need not.
        """
        try:
            self._run("write", lambda: self._inner.write_new(location, data))
        except ServiceUnavailableException:
            self.discard([location])
            raise

    def delete(self, locations: Iterable[str], *, checksums: bool = False) -> dict[str, str]:
        return self._run("delete", lambda: self._inner.delete(locations, checksums=checksums))

    def discard(self, locations: Iterable[str]) -> None:
        """Remove files in the background, best effort; does not wait and never raises."""
        self._executor.later(lambda: self._inner.delete(locations))

    def remove_empty_folders(self, locations: Iterable[str], within: str) -> None:
        self._executor.run(lambda: self._inner.remove_empty_folders(locations, within))

    def sign(self, approved: Approved, keys: Vended | None) -> dict[str, str]:
        return self._run("sign", lambda: self._inner.sign(approved, keys))

    def close(self) -> None:
        self._inner.close()

    def _run(self, operation: str, call: Callable[[], T]) -> T:
        try:
            return self._executor.run(call)
        except (InternalServerError, ServiceUnavailableException):
            metrics.storage_errors.inc(operation)
            raise
