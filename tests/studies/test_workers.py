"""Where paths are solved: a client that loses workers, and what it gives back."""

from __future__ import annotations

from typing import Any

import pytest

from mfgsolve.errors import InputError
from mfgsolve.studies.paths import Path
from mfgsolve.studies.points import Point
from mfgsolve.studies.workers import _distributed, batches

POINTS = tuple(Point("left-right", settings={"temperature": value}) for value in (0.2, 0.4, 0.6, 0.8))
ROW = Path(tuple((k,) for k in range(4)), POINTS, "temperature", (0.2, 0.4, 0.6, 0.8), (0, 1, 2, 3))


class Future:
    """Of a worker that dies wherever the third point is solved."""

    def __init__(self, work: Any, path: Path):
        self.work, self.path = work, path

    def result(self) -> Any:
        if self.path.wanted[-1] >= 2:
            raise RuntimeError("KilledWorker")
        return self.work(self.path)


class Client:
    """A client of two workers that does what it is given when it is asked for it."""

    def __init__(self) -> None:
        self.given: list[tuple[int, ...]] = []

    def scheduler_info(self, n_workers: int) -> dict:
        return {"workers": [0, 1]}

    def submit(self, work: Any, path: Path, pure: bool) -> Future:
        self.given.append(path.wanted)
        return Future(work, path)

    def cancel(self, futures: list) -> None:
        assert not futures


class Finished(list):
    """Futures in the order in which they were given."""

    def __iter__(self):
        while self:
            yield self.pop(0)

    add = list.append


def test_in_this_process_every_point_is_a_batch():
    found = list(batches([ROW], None, None))
    assert [[index for index, _ in batch.answers] for batch in found] == [[(0,)], [(1,)], [(2,)], [(3,)]]
    assert {batch.workers for batch in found} == {1}


def test_a_path_that_kills_is_parted(monkeypatch: pytest.MonkeyPatch):
    distributed = pytest.importorskip("distributed", reason="workers need dask: pip install 'mfgsolve[studies]'")
    monkeypatch.setattr(distributed, "as_completed", Finished)
    client = Client()
    answers = [one for batch in _distributed([ROW], client) for one in batch.answers]
    assert client.given == [(0, 1, 2, 3), (0,), (1, 2, 3), (1,), (2, 3), (2,)]
    assert [index for index, _ in answers] == [(0,), (1,), (2,), (3,)]
    assert [answer.status for _, answer in answers] == ["converged", "converged", "failed", "failed"]
    assert [answer.finished for _, answer in answers] == [True, True, False, False]
    assert answers[2][1].message == "RuntimeError: KilledWorker"


def test_workers_that_make_no_sense_are_told():
    for workers, client, sentence in ((0, None, "workers is 0"), (1, "x", "give one of them")):
        with pytest.raises(InputError, match=sentence):
            next(batches([ROW], workers, client))


def test_what_answers_in_place_of_a_scheduler_is_told(monkeypatch: pytest.MonkeyPatch):
    distributed = pytest.importorskip("distributed", reason="workers need dask: pip install 'mfgsolve[studies]'")

    def answered(address: str, timeout: float) -> None:
        assert timeout <= 10
        raise MemoryError("Unable to allocate 3 EiB")  # what a number in the greeting of another service is taken for

    monkeypatch.setattr(distributed, "Client", answered)
    with pytest.raises(InputError, match=r"scheduler tcp://a:1 cannot be reached \(what answers there is no scheduler"):
        next(batches([ROW], None, "tcp://a:1"))


def test_a_cluster_without_workers_or_of_another_version_is_told(monkeypatch: pytest.MonkeyPatch):
    distributed = pytest.importorskip("distributed", reason="workers need dask: pip install 'mfgsolve[studies]'")

    class Cluster(Client):
        there: dict[str, str] = {}

        def __enter__(self) -> Cluster:
            return self

        def __exit__(self, *_: object) -> None: ...

        def run(self, _: Any) -> dict[str, str]:
            return self.there

    monkeypatch.setattr(distributed, "Client", lambda address, timeout: Cluster())
    with pytest.raises(InputError, match=r"^the scheduler has no workers"):
        next(batches([ROW], None, "tcp://a:1"))
    Cluster.there = {"tcp://b:2": "0.0.1"}
    with pytest.raises(InputError, match=r"^worker tcp://b:2 has mfgsolve 0\.0\.1"):
        next(batches([ROW], None, "tcp://a:1"))
