"""Notebooks with their outputs: run afresh, made small, stored, and compared with what is stored.

``python tests/notebook_runs.py notebooks/planning.ipynb ...`` runs notebooks and stores their outputs (all of them
without arguments); the slow tests of `test_notebooks.py` run them and compare.
"""

from __future__ import annotations

import base64
import io
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "notebooks"
SECONDS = 1800  # of a cell, on a machine that others use, too
COLOURS = 96  # of a stored picture,
WIDTH = 720  # and its pixels across, at most
NEAR = 0.02  # relative deviation of a number from the stored one
SMALL = 1e-6  # numbers below are round-off, and need only stay small
STRICT, LOOSE = 0.97, 0.7  # share of the numbers of an output that have to be near; where it tells seconds, too
NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
ROWS = re.compile(r"</(?:tr|p|div|li)>")  # of HTML, each a line of its own: one that tells seconds is left out alone
HTML = re.compile(r"<style.*?</style>|<[^>]*>", re.DOTALL)
UNSTEADY = re.compile(r"\b(seconds?|time|s)\b", re.IGNORECASE)  # how long something took is no result
TEXTS, PICTURES = ("text/plain", "text/html"), ("image/png", "image/jpeg")


def notebooks() -> list[Path]:
    """All of them, the gallery included."""
    return sorted([*FOLDER.glob("*.ipynb"), *FOLDER.glob("gallery/*.ipynb")])


def executed(path: Path) -> Any:
    """The notebook with the outputs of a fresh run, in its own folder."""
    import nbclient
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        notebook, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    )
    calm = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"} | {"MFGSOLVE_PROGRESS": "off"}
    client.execute(env=calm)
    return notebook


def slimmed(notebook: Any) -> Any:
    """The same with small pictures, one stream of text a cell, and nothing that changes from run to run."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs = [slim for slim in map(_slim, cell.outputs) if slim is not None]
    return notebook


def _slim(output: Any) -> Any:
    if output.output_type == "stream":
        return output if output.name == "stdout" else None
    for kind in list(output.get("data", {})):
        if kind == "image/png":
            output.data[kind] = _smaller(output.data[kind])
        elif kind not in (*TEXTS, *PICTURES):
            del output.data[kind]
    if output.get("metadata"):
        output.metadata = {}
    return output


def _smaller(text: str) -> str:
    """A picture of few colours and moderate width."""
    from PIL import Image

    picture = Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB")
    if picture.width > WIDTH:
        picture = picture.resize((WIDTH, round(picture.height * WIDTH / picture.width)), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.quantize(COLOURS).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


# -- comparison --------------------------------------------------------------------------------------------------------


def deviations(stored: Any, fresh: Any) -> list[str]:
    """What is not as stored, a line each: kinds of outputs, numbers beyond tolerance, pictures that are empty."""
    faults: list[str] = []
    cells = [[cell for cell in notebook.cells if cell.cell_type == "code"] for notebook in (stored, fresh)]
    for k, (one, other) in enumerate(zip(*cells, strict=True)):
        kept, made = outputs_of(one), outputs_of(other)
        if [kind for kind, _ in kept] != [kind for kind, _ in made]:
            faults.append(f"cell {k}: stored {[kind for kind, _ in kept]}, now {[kind for kind, _ in made]}")
            continue
        for (kind, before), (_, now) in zip(kept, made, strict=True):
            told = _picture_fault(now) or _picture_fault(before) if kind == "picture" else _text_fault(before, now)
            faults += [f"cell {k}: {told}"] if told else []
    return faults


def outputs_of(cell: Any) -> list[tuple[str, str]]:
    """Kind ("picture", "text") and content of the outputs of a cell; streams are one text."""
    listed: list[tuple[str, str]] = []
    stream = "".join(
        output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stdout"
    )
    if stream:
        listed.append(("text", stream))
    for output in cell.outputs:
        data = output.get("data", {})
        if output.output_type == "error":
            listed.append(("error", f"{output.ename}: {output.evalue}"))
        elif "image/png" in data:
            listed.append(("picture", data["image/png"]))
        elif data:
            kind = "text/html" if "text/html" in data else "text/plain"
            listed.append(("text", plain(data[kind]) if kind == "text/html" else data[kind]))
    return listed


def plain(page: str) -> str:
    """What HTML says, a line for each row."""
    return HTML.sub(" ", ROWS.sub("\n", page))


def _picture_fault(text: str) -> str:
    from PIL import Image

    picture = Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB")
    colours = picture.getcolors(picture.width * picture.height) or []
    even = max(count for count, _ in colours) / (picture.width * picture.height)  # share of the most common colour
    return "" if min(picture.size) >= 50 and len(colours) > 8 and even < 0.995 else "a picture is empty"


def _text_fault(before: str, now: str) -> str:
    """Where numbers have moved, or their count has."""
    kept, made = list(numbers_of(before)), list(numbers_of(now))
    if len(kept) != len(made):
        return f"{len(made)} numbers where {len(kept)} are stored: {now.strip()[:200]!r}"
    far = [(a, b) for a, b in zip(kept, made, strict=True) if not near(a, b)]
    share = LOOSE if "seconds" in before else STRICT
    return f"numbers are off: {far[:4]} of {len(kept)}" if len(far) > (1 - share) * len(kept) else ""


def numbers_of(text: str) -> Iterator[float]:
    """Numbers of a text but for those of lines that tell how long something took."""
    for line in text.splitlines():
        if not UNSTEADY.search(re.sub(r"time steps?|in time", "", line)):
            yield from (float(found) for found in NUMBER.findall(line))


def near(one: float, other: float) -> bool:
    """Whether two numbers tell the same: round-off only stays round-off."""
    if max(abs(one), abs(other)) < SMALL:
        return True
    return abs(one - other) <= NEAR * max(abs(one), abs(other)) + SMALL


# -- contact sheet of the gallery --------------------------------------------------------------------------------------


def sheet(paths: list[Path], columns: int = 4, size: tuple[int, int] = (250, 150)) -> Any:
    """One picture of the first picture of each notebook, under its title."""
    import nbformat
    from PIL import Image, ImageDraw, ImageFont

    rows, (width, height), title = -(-len(paths) // columns), size, 18
    whole = Image.new("RGB", (columns * (width + 10) + 10, rows * (height + title + 12) + 10), "white")
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(size=13)
    for k, path in enumerate(paths):
        cells = nbformat.read(path, as_version=4).cells
        code = [cell for cell in cells if cell.cell_type == "code"]
        data = next((text for cell in code for kind, text in outputs_of(cell) if kind == "picture"), None)
        if data is None:
            continue
        picture = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")
        picture.thumbnail(size, Image.Resampling.LANCZOS)
        x, y = 10 + k % columns * (width + 10), 10 + k // columns * (height + title + 12)
        draw.text((x, y), cells[0].source.splitlines()[0].removeprefix("# "), "black", font)
        whole.paste(picture, (x + (width - picture.width) // 2, y + title + (height - picture.height) // 2))
    return whole.quantize(160)


def store(path: Path) -> None:
    import nbformat

    nbformat.write(slimmed(executed(path)), path)


def store_sheet() -> None:
    paths = sorted(FOLDER.glob("gallery/*.ipynb"))
    sheet(paths).save(FOLDER / "images" / "gallery.png", optimize=True)


if __name__ == "__main__":
    import time

    for each in [Path(name).resolve() for name in sys.argv[1:]] or notebooks():
        begun = time.perf_counter()
        store(each)
        took, size = time.perf_counter() - begun, each.stat().st_size / 1e3
        print(f"{each.relative_to(ROOT)}: {took:.0f} s, {size:.0f} kB", flush=True)
    store_sheet()
