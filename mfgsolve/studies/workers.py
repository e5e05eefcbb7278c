"""Where the points of a study are solved: in this process, on processes of this machine, or on a cluster (Dask).

Work goes out as paths (`mfgsolve.studies.paths`), a few ahead for each worker, and comes back as answers, path by path.
A worker that dies is replaced, and its path done again elsewhere; a path that kills one worker after the other is
parted, so that of its points only those are lost that need the one which kills.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import mfgsolve
from mfgsolve.errors import InputError, whole
from mfgsolve.studies.paths import Path, solve_path
from mfgsolve.studies.points import Answer, Index

__all__ = ["Batch", "batches"]

EXTRA = 'pip install "mfgsolve[studies]"'
WAIT = 4.0
AHEAD = 4  # paths that each worker is given in advance


@dataclass(frozen=True)
class Batch:
    """Answers that came together, and how many workers there are."""

    answers: list[tuple[Index, Answer]]
    workers: int = 1


def batches(todo: Sequence[Path], workers: int | None, client: Any) -> Generator[Batch]:
    """Answers of every point that is wanted, as they come."""
    if workers is None and client is None:
        for path in todo:
            for one in solve_path(path):
                yield Batch([one])
        return
    with _connected(workers, client) as where:
        yield from _distributed(todo, where)


@contextlib.contextmanager
def _connected(workers: int | None, client: Any) -> Iterator[Any]:
    """A client of dask.distributed: the one given, that of an address, or of processes of our own."""
    try:
        import distributed
    except ImportError:
        raise InputError(f"workers are those of dask.distributed, which is not installed: {EXTRA}") from None
    if workers is not None and client is not None:
        raise InputError("both workers and a client came; give one of them")
    if isinstance(client, str):
        try:
            at = distributed.Client(client, timeout=WAIT)
        except Exception as error:  # whatever answers there, if anything: OSError, sizes of no message
            known = isinstance(error, OSError | ValueError)
            reason = str(error).splitlines()[0] if known and str(error) else "what answers there is no scheduler"
            raise InputError(
                f"scheduler {client} cannot be reached ({reason}); is it running, and its port open?"
            ) from None
        with at:
            _check_versions(at)
            yield at
        return
    if client is not None:
        _check_versions(client)
        yield client
        return
    count = whole(workers, "workers")
    if count < 1:
        raise InputError(f"workers is {workers}; at least 1 is needed")
    with (
        distributed.LocalCluster(
            n_workers=count, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as at,
    ):
        yield at


def _check_versions(client: Any) -> None:
    """Workers have this version of the package, or the study would be of two."""
    there = client.run(_version)
    if not there:
        raise InputError("the scheduler has no workers; start some: dask worker ADDRESS")
    other = {worker: version for worker, version in there.items() if version != mfgsolve.__version__}
    if other:
        worker, version = next(iter(other.items()))
        raise InputError(
            f"worker {worker} has mfgsolve {version}, and this is {mfgsolve.__version__}; install the same everywhere"
        )


def _version() -> str:
    """Of the package where this runs."""
    return mfgsolve.__version__


def _distributed(todo: Sequence[Path], client: Any) -> Iterator[Batch]:
    """The same by workers: a few paths ahead for each, so that a study of a million holds no million futures."""
    from distributed import as_completed

    waiting = iter(todo)
    workers = max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
    under_way: dict[Any, tuple[Path, Path | None]] = {}  # and what of a path is to come after it

    def submitted(path: Path, rest: Path | None = None) -> Any:
        future = client.submit(_solved, path, pure=False)
        under_way[future] = path, rest
        return future

    finished = as_completed([submitted(path) for path in itertools.islice(waiting, AHEAD * workers)])
    try:
        for future in finished:
            path, rest = under_way.pop(future)
            try:
                answers = future.result()
            except Exception as error:  # a worker that died with the path, again and again
                if len(path.wanted) > 1:
                    finished.add(submitted(path.only(path.wanted[:1]), path.only(path.wanted[1:])))
                    continue
                lost = Answer({}, {}, "failed", f"{type(error).__name__}: {error}", finished=False)
                answers = [(path.indices[k], lost) for k in (*path.wanted, *(rest.wanted if rest else ()))]
                rest = None
            yield Batch(answers, workers)
            following = rest or next(waiting, None)
            if following is not None:
                finished.add(submitted(following))
    finally:
        client.cancel(list(under_way))


def _solved(path: Path) -> list[tuple[Index, Answer]]:
    """All answers of a path, on a worker."""
    return list(solve_path(path))
