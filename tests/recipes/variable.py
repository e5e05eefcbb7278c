"""Add a variable to the dataset of a solution: dimensions that have coordinates, a unit and a sentence.

In the package it is an entry in ``build_dataset`` (``mfgsolve/solution/datasets.py``), a check of what is read in
``_solution`` (``mfgsolve/files/schema.py``) and a row of ``python -m pydoc mfgsolve.files``, which tests compare with
what solutions hold.  Files with more variables than a version knows are read all the same.
"""

import tempfile
from pathlib import Path

import numpy as np

import mfgsolve as mfg
from mfgsolve.files import write_dataset

solution = mfg.solve(mfg.problems.linear_quadratic(shape=(16,), steps=32, scheme="upwind"))
density = solution.dataset["density"]
mean = (density * density.x).sum("x") / density.sum("x")
mean.attrs = {"units": density.x.attrs["units"], "long_name": "mean position of the crowd"}
with tempfile.TemporaryDirectory() as folder:
    path = write_dataset(solution.dataset.assign(mean_position=mean), Path(folder) / "plan.nc")
    again = mfg.load(path)
assert again.dataset["mean_position"].dims == ("time",)
assert again.dataset["mean_position"].attrs["units"] == "1"
assert np.array_equal(again.dataset["mean_position"], mean)
