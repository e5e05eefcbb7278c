"""Everything that is wrong with what was stated, each fault with its place, told at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mfgsolve.errors import InputError

__all__ = ["Faults", "gathered"]


class Faults(InputError):
    """Several faults; ``listed`` are pairs (place, sentence), a place like ``.coupling[0].cost`` or empty."""

    def __init__(self, listed: Sequence[tuple[str, str]]):
        self.listed = tuple(listed)
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """``coupling[0].cost: sentence`` of each."""
        places = [(place.removeprefix("."), sentence) for place, sentence in self.listed]
        return [f"{place}: {sentence}" if place else sentence for place, sentence in places]


class _Gatherer:
    def __init__(self) -> None:
        self.listed: list[tuple[str, str]] = []

    def add(self, place: str, sentence: str) -> None:
        self.listed.append((place, sentence))

    @contextmanager
    def at(self, place: str) -> Iterator[None]:
        """Keep what goes wrong inside, under this place."""
        try:
            yield
        except Faults as error:
            self.listed += [(place + deeper, sentence) for deeper, sentence in error.listed]
        except (ValueError, TypeError, ArithmeticError) as error:  # also of a class from elsewhere
            self.listed.append((place, str(error)))


@contextmanager
def gathered() -> Iterator[_Gatherer]:
    """Gather faults, and raise all of them at the end, if there are any.

    Examples
    --------
    >>> with gathered() as faults:
    ...     with faults.at(".time"):
    ...         raise InputError("steps are 0")
    Traceback (most recent call last):
    ...
    mfgsolve.inputs.faults.Faults: time: steps are 0
    """
    gatherer = _Gatherer()
    yield gatherer
    if gatherer.listed:
        raise Faults(gatherer.listed)
