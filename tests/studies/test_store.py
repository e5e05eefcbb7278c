"""Stores of sweeps: chunks of points, flags that come last, stores that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from mfgsolve.errors import FileError
from mfgsolve.studies.store import Memory, Store, open_sweep, template_of

pytest.importorskip("zarr", minversion="3", reason="studies are kept in Zarr stores: pip install 'mfgsolve[studies]'")


def template() -> xr.Dataset:
    field = xr.DataArray(np.zeros(3), {"x": [0.0, 1.0, 2.0]}, ("x",), attrs={"units": "1"})
    over = {"reward": [1.0, 2.0], "kind": ["a", "b"]}
    return template_of(over, {"cost": ("cost", "cost")}, {"density": field}, {"fingerprint": "f"})


def test_points_are_written_into_their_own_chunks(tmp_path: Path):
    store = Store(tmp_path / "s.zarr", template(), False, False)
    store.write((1, 0), {"cost": 3.5, "density": np.arange(3.0), "status": "converged", "message": "x" * 300})
    for dataset in (store.result(), open_sweep(tmp_path / "s.zarr")):
        one = dataset.sel(reward=2.0, kind="a")
        assert float(one.cost) == 3.5
        assert one.density.values.tolist() == [0.0, 1.0, 2.0]
        assert str(one.message.values) == "x" * 300
        assert dataset.done.values.tolist() == [[0, 0], [1, 0]]
        assert np.isnan(dataset.cost.values).sum() == 3
    import zarr

    group = zarr.open_group(tmp_path / "s.zarr", mode="r")
    assert group["density"].chunks == (1, 1, 3)
    assert group.metadata.zarr_format == 3


def test_the_flag_of_a_point_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store = Store(tmp_path / "s.zarr", template(), False, False)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Memory, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        store.write((0, 0), {"cost": 1.0})
    held = open_sweep(tmp_path / "s.zarr")
    assert float(held.cost[0, 0]) == 1.0
    assert int(held.done[0, 0]) == 0


def test_what_is_no_study_is_told(tmp_path: Path):
    (tmp_path / "empty.zarr").mkdir()
    with pytest.raises(FileError, match="cannot be read"):
        open_sweep(tmp_path / "empty.zarr")
    xr.Dataset({"a": ("x", [1.0])}).to_zarr(tmp_path / "other.zarr", zarr_format=3, consolidated=False)
    with pytest.raises(FileError, match="is no study of mfgsolve"):
        open_sweep(tmp_path / "other.zarr")
    with pytest.raises(FileError, match=r"the folder .* does not exist"):
        Store(tmp_path / "no" / "s.zarr", template(), False, False)
