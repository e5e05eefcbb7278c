"""Replay: the latest transitions, from which minibatches are drawn."""

from __future__ import annotations

from typing import Any

import numpy as np

from mfgsolve.errors import InputError, unknown, whole

__all__ = ["Replay"]


class Replay:
    """A ring of the latest ``capacity`` transitions.

    A transition is whatever named arrays say: ``replay.add(state=..., action=..., reward=...)``, each with one row per
    transition.  The first call decides the names, shapes and kinds of all.

    Examples
    --------
    >>> import numpy as np
    >>> replay = Replay(100)
    >>> replay.add(state=np.arange(3), reward=np.array([0.0, 1.0, 4.0]))
    >>> batch = replay.sample(32, np.random.default_rng(0))
    >>> bool((batch["reward"] == batch["state"] ** 2).all())
    True
    """

    def __init__(self, capacity: int):
        self.capacity = whole(capacity, "capacity of the replay")
        if self.capacity < 1:
            raise InputError(f"capacity of the replay is {self.capacity}; at least 1 is needed")
        self.size, self._next = 0, 0
        self._fields: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        return self.size

    def add(self, **fields: Any) -> None:
        """Store transitions; the oldest give way."""
        rows = {name: np.asarray(values) for name, values in fields.items()}
        number = self._checked(rows)
        if not self._fields:
            self._fields = {name: np.empty((self.capacity, *a.shape[1:]), a.dtype) for name, a in rows.items()}
        places = (self._next + np.arange(number)) % self.capacity
        for name, values in rows.items():
            self._fields[name][places] = values
        self._next = (self._next + number) % self.capacity
        self.size = min(self.size + number, self.capacity)

    def _checked(self, rows: dict[str, np.ndarray]) -> int:
        """How many transitions these are."""
        if not rows:
            raise InputError("a transition without fields came; name some, say state=..., reward=...")
        lengths = {name: a.shape[0] if a.ndim else -1 for name, a in rows.items()}
        if len(set(lengths.values())) > 1 or -1 in lengths.values():
            raise InputError(f"fields have {lengths} rows (-1: none); one row for each transition is needed")
        for name, values in rows.items():
            if self._fields and name not in self._fields:
                raise InputError(unknown("field", name, self._fields))
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                raise InputError(f"field {name!r} has entries that are not finite")
            if self._fields:
                kept = self._fields[name]
                if values.shape[1:] != kept.shape[1:] or not np.can_cast(values.dtype, kept.dtype, "same_kind"):
                    raise InputError(
                        f"field {name!r} is {values.dtype} of shape {values.shape[1:]}; the replay holds {kept.dtype} "
                        f"of {kept.shape[1:]}"
                    )
        missing = [name for name in self._fields if name not in rows]
        if missing:
            raise InputError(f"fields {missing} are missing; the replay holds {sorted(self._fields)}")
        number = next(iter(lengths.values()))
        if number > self.capacity:
            raise InputError(f"{number} transitions came at once; the replay holds {self.capacity}: make it larger")
        return number

    def sample(self, number: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Transitions drawn uniformly and independently from those stored."""
        count = whole(number, "size of the minibatch")
        if count < 1:
            raise InputError(f"size of the minibatch is {count}; at least 1 is needed")
        if not self.size:
            raise InputError("the replay is empty; add transitions before drawing from it")
        places = rng.integers(self.size, size=count)
        return {name: values[places] for name, values in self._fields.items()}

    def arrays(self) -> dict[str, np.ndarray]:
        """What is stored, from the oldest to the latest: enough to restore it by ``add`` after a checkpoint."""
        start = self._next if self.size == self.capacity else 0
        places = (start + np.arange(self.size)) % self.capacity
        return {name: values[places] for name, values in self._fields.items()}
