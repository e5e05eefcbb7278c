"""Checksums of what HDF5 keeps without any: the attributes of a dataset and its texts.

Arrays of numbers carry the checksum of HDF5 (Fletcher 32), block by block.  Attributes, where the certificate stands,
have none; the attribute ``seal`` is a digest of them and of the names along the dimensions.  Attributes that were added
later are none of its business.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["sealed", "unsealed"]

SEAL, NAMES = "seal", "sealed"


def sealed(dataset: xr.Dataset) -> xr.Dataset:
    """The dataset with a digest of its attributes and texts among the attributes."""
    names = sorted(str(name) for name in dataset.attrs if name not in (SEAL, NAMES))
    return dataset.assign_attrs({NAMES: json.dumps(names), SEAL: _digest(dataset, names)})


def unsealed(dataset: xr.Dataset) -> xr.Dataset:
    """The dataset without its seal, compared with it; one that never had a seal (of 0.4.0 and before) as it is.

    Raises
    ------
    ValueError
        if attributes or texts are not those that were written
    """
    if SEAL not in dataset.attrs and NAMES not in dataset.attrs:
        return dataset
    attributes = dict(dataset.attrs)
    seal, listed = attributes.pop(SEAL, ""), attributes.pop(NAMES, "")
    try:
        names = json.loads(str(listed))
    except ValueError:
        names = None
    whole = isinstance(names, list) and all(isinstance(name, str) for name in names)
    if not whole or _digest(dataset, names) != str(seal):
        raise ValueError("its attributes or names are not those that were written with it (their seal does not fit)")
    opened = dataset.copy()
    opened.attrs = attributes
    return opened


def _digest(dataset: xr.Dataset, names: Iterable[str]) -> str:
    """Of the attributes of these names, and of all texts along one dimension."""
    digest = hashlib.sha256()
    for name in names:
        digest.update(f"{name!r}={_written(dataset.attrs.get(name))}\n".encode("utf-8", "surrogatepass"))
    for name in sorted(str(name) for name in dataset.variables):
        variable = dataset.variables[name]
        if variable.ndim == 1 and variable.dtype.kind in "OUST":
            digest.update(f"{name!r}:{[str(text) for text in variable.values]!r}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _written(value: Any) -> str:
    """The same word for a value before it is written and after it was read."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        items = [_written(item) for item in value]
        return items[0] if len(items) == 1 else f"[{', '.join(items)}]"
    if isinstance(value, bool):
        return repr(int(value))
    return repr(value)
