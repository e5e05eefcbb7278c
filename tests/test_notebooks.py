"""Notebooks hold their outputs; slow tests run them afresh and compare: numbers near, pictures not empty."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
import notebook_runs as runs  # noqa: E402

NOTEBOOKS = runs.notebooks()
LARGEST = 3e6  # bytes of all notebooks
LIMITS = re.compile(r"max_seconds|time_limit|timeout")


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_notebooks_and_a_gallery_of_twelve_with_an_index() -> None:
    names = [path.name for path in NOTEBOOKS]
    assert "planning.ipynb" in names
    gallery = [path.name for path in NOTEBOOKS if path.parent.name == "gallery"]
    assert len(gallery) == 12
    index = (runs.FOLDER / "gallery" / "README.md").read_text()
    assert re.findall(r"\]\((\d\d_\w+\.ipynb)\)", index) == gallery
    assert 1e4 < (runs.FOLDER / "images" / "gallery.png").stat().st_size < 4e5
    assert sum(path.stat().st_size for path in NOTEBOOKS) < LARGEST


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_valid_and_holds_its_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert [cell.execution_count for cell in code_cells(notebook)] == list(range(1, len(code_cells(notebook)) + 1))
    for cell in code_cells(notebook):
        assert len(cell.source.splitlines()) <= 30  # a cell fits on a screen
        assert not LIMITS.search(cell.source)  # what is asserted hangs on no clock
    kinds = [kind for cell in code_cells(notebook) for kind, _ in runs.outputs_of(cell)]
    assert "picture" in kinds
    assert "error" not in kinds
    assert runs.deviations(notebook, notebook) == []


def named(name: str):
    return nbformat.read(runs.FOLDER / name, as_version=4)


def test_a_number_that_moved_an_output_that_is_gone_and_an_empty_picture_are_told() -> None:
    stored = named("gallery/09_braess.ipynb")
    for cell, change, sentence in (
        (1, lambda output: output.update(text=output.text.replace("3.500", "3.100")), "numbers are off"),
        (1, lambda output: output.update(text=output.text + " 1"), "3 numbers where 2 are stored"),
        (0, lambda output: output.data.update({"image/png": _white()}), "a picture is empty"),
    ):
        other = copy.deepcopy(stored)
        change(code_cells(other)[cell].outputs[0])
        assert sentence in " ".join(runs.deviations(stored, other))
    other = copy.deepcopy(stored)
    code_cells(other)[0].outputs = []
    assert "cell 0: stored ['picture'], now []" in runs.deviations(stored, other)


def _white() -> str:
    import base64
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (200, 100), "white").save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1.0, 1.01, True), (1.0, 1.05, False), (0.0, 1e-9, True), (1e-12, 5e-8, True), (0.0, 1e-3, False),
        (-2.0, 2.0, False),
    ],
)  # fmt: skip
def test_numbers_are_near_within_two_percent_and_round_off_is_round_off(one: float, other: float, same: bool) -> None:
    assert runs.near(one, other) == same


def test_numbers_of_lines_about_time_do_not_count() -> None:
    text = "cost 3.5 of -2e-3\nsolved in 12.1 seconds\nx_2 of 3"
    assert list(runs.numbers_of(text)) == [3.5, -2e-3, 3.0]


def test_rows_of_a_page_are_lines_of_their_own() -> None:
    page = "<table><tr><td>cost</td><td>3.5</td></tr><tr><td>work</td><td>7 sweeps, 0.12 s</td></tr></table><p>2</p>"
    assert list(runs.numbers_of(runs.plain(page))) == [3.5, 2.0]
    items = "<ul><li>1 of 2</li><li>9 s</li></ul><div>4</div><style>5</style>"
    assert list(runs.numbers_of(runs.plain(items))) == [1.0, 2.0, 4.0]


def test_stored_pictures_are_small() -> None:
    for path in NOTEBOOKS:
        for cell in code_cells(nbformat.read(path, as_version=4)):
            for kind, content in runs.outputs_of(cell):
                assert kind != "picture" or len(content) < 2e5, path


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_fresh_run_shows_what_is_stored(path: Path) -> None:
    pytest.importorskip("nbclient")
    if "magent2" in path.read_text() and path.name == "battles.ipynb":
        pytest.importorskip("magent2")
    assert runs.deviations(nbformat.read(path, as_version=4), runs.executed(path)) == []
