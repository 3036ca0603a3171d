"""Where the work is done: in this process, in several, or on a Dask cluster. The functions are the same.

A task is plain data and leaves its result in the work folder, so a task that is done twice, or on another
machine after a worker died, changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from cds_service.settings import SettingsError

Task = TypeVar("Task")
_ATTEMPTS = 3
_CONNECT_SECONDS = 15.0


class Workers(Protocol):
    """Runs a function over tasks; yields once for each task that is done, in any order."""

    def run(self, work: Callable[[Task], None], tasks: Sequence[Task]) -> Iterator[None]: ...


class Here:
    """In this process."""

    def run(self, work: Callable[[Task], None], tasks: Sequence[Task]) -> Iterator[None]:
        for task in tasks:
            work(task)
            yield


class Processes:
    """In several processes of this machine. A killed process costs its task a second try, nothing else.

    The processes begin with the first task and stay for all steps of a run: what each of them had to build once
    is there for the next step. Close it.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._pool: ProcessPoolExecutor | None = None

    def run(self, work: Callable[[Task], None], tasks: Sequence[Task]) -> Iterator[None]:
        left = list(enumerate(tasks))
        for attempt in range(_ATTEMPTS):
            done: set[int] = set()
            if self._pool is None:
                self._pool = ProcessPoolExecutor(self._count)
            try:
                futures = {self._pool.submit(work, task): number for number, task in left}
                for future in as_completed(futures):
                    future.result()
                    done.add(futures[future])
                    yield
            except BrokenProcessPool:
                self.close()
                left = [item for item in left if item[0] not in done]
                if attempt + 1 == _ATTEMPTS:
                    raise SettingsError("worker processes keep dying (out of memory?)") from None
            else:
                return

    def close(self) -> None:
        """End the processes; tasks that none of them has begun are dropped."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


class Cluster:
    """On a Dask cluster whose workers see the source and the output folder under the same paths."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def run(self, work: Callable[[Task], None], tasks: Sequence[Task]) -> Iterator[None]:
        from distributed import as_completed as as_they_come  # noqa: PLC0415 - an optional extra

        futures = self._client.map(work, list(tasks), pure=False, retries=_ATTEMPTS)
        for future in as_they_come(futures):
            future.result()
            yield


@contextmanager
def workers(processes: int, scheduler: str | None) -> Iterator[Workers]:
    """Workers as asked for.

    Raises:
        SettingsError: a scheduler is named and Dask is not installed, or nobody answers there.
    """
    if scheduler is None:
        if processes == 1:
            yield Here()
            return
        several = Processes(processes)
        try:
            yield several
        finally:
            several.close()
        return
    try:
        from distributed import Client  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise SettingsError("--scheduler needs Dask: install the extra 'cluster'") from None
    try:
        client = Client(scheduler, timeout=_CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise SettingsError(f"no Dask scheduler answers there ({type(error).__name__})") from None
    with client:
        yield Cluster(client)
