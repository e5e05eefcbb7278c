"""Subcommands that draw: pictures and films of what is in files, with the options that all pictures take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mfgsolve.command import completing
from mfgsolve.command.arguments import AnyFile, number, whole
from mfgsolve.command.completing import KINDS
from mfgsolve.command.tables import read_times
from mfgsolve.errors import InputError, unknown
from mfgsolve.inputs.texts import cut, visible

DPI = 150.0

Width = Annotated[
    float | None,
    typer.Option("--width", parser=number, metavar="INCHES", help="Width on paper, say 3.5; type has its size there."),
]
Dpi = Annotated[float, typer.Option("--dpi", parser=number, metavar="N", help="Dots per inch, of .png and .jpg.")]
Title = Annotated[
    str | None, typer.Option("--title", metavar="TEXT", help="In place of the picture's own; '' for none.")
]
Labels = Annotated[
    list[str] | None,
    typer.Option("--label", metavar="OLD=NEW", help="A text of the picture, and what is to stand there; repeatable."),
]
NoCertificate = Annotated[
    bool, typer.Option("--no-certificate", help="Do not tell in the title how good the plan is; warnings stand.")
]
NoLegend = Annotated[bool, typer.Option("--no-legend", help="Do not explain curves and marks.")]
Sheets = Annotated[
    list[str] | None, typer.Option("--style", metavar="SHEET", help="A style sheet of Matplotlib; repeatable.")
]
Slice = Annotated[
    str | None, typer.Option("--slice", metavar="z=0.5", help="Of three axes: cut there, in place of summing over z.")
]


def plot(
    file: AnyFile,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.png", help="Picture: .png, .pdf or .svg.")],
    kind: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="Of a solution: plan (default), value, speed, policy, convergence, learning, exits, scenarios.",
            autocompletion=completing.kinds,
        ),
    ] = None,
    times: Annotated[
        str | None, typer.Option("--times", metavar="T,T,...", help="Of plan, value, speed, policy: a panel each.")
    ] = None,
    stages: Annotated[
        bool, typer.Option("--stages", help="Of convergence: coarser and hotter games on the way, too.")
    ] = False,
    width: Width = None,
    dpi: Dpi = DPI,
    title: Title = None,
    labels: Labels = None,
    no_certificate: NoCertificate = False,
    no_legend: NoLegend = False,
    style: Sheets = None,
    height: Slice = None,
) -> None:
    """Draw a solution: the plan, its value, its speeds or policy, how the solve converged or agents learned.

    Files of 'mfgsolve convergence', 'compare', 'refine', 'sweep' and 'faceoff' have pictures of their own.

    Example:  mfgsolve plot plan.nc -o plan.pdf --times 0,0.5,1 --width 3.5 --no-certificate
    """
    from mfgsolve.command.preflight import PICTURES, check_outputs

    if kind is not None and kind not in KINDS:
        raise InputError(unknown("kind of picture", kind, KINDS))
    check_outputs({"--output": (output, PICTURES)}, {"the solution": file})
    own: dict[str, Any] = {} if times is None else {"times": read_times(times)}
    own |= {"stages": True} if stages else {}
    given = read_style(width, title, labels, no_certificate, no_legend, style, height)
    from mfgsolve.command.progress import Steps
    from mfgsolve.command.report import say

    with Steps(f"reading {_told(file)}", "drawing", f"writing {_told(output)}") as line:
        from mfgsolve import plots  # it takes its time, too

        held = _held(file)
        line.next()
        figure = plots.draw(held, kind, **own, **given)
        line.next()
        plots.save(figure, output, dpi=dpi)
    say(f"Wrote {output}.")


def _held(file: Path) -> Any:
    """What a file has a picture of."""
    from mfgsolve import plots
    from mfgsolve.files import file_kind, read_dataset
    from mfgsolve.solution import load

    if file.suffix == ".zarr":
        from mfgsolve.studies.store import open_sweep

        return open_sweep(file)
    kind = file_kind(file)
    return read_dataset(file, kind) if kind in plots.OWN else load(file)


def animate(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.nc", help="A solution, or a face-off of battles.", autocompletion=completing.files(".nc")
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.gif", help="Film: .gif, or .mp4 by ffmpeg.")],
    fps: Annotated[int, typer.Option(parser=whole, metavar="N", help="Pictures a second.")] = 15,
    frames: Annotated[int, typer.Option(parser=whole, metavar="N", help="Pictures in all.")] = 60,
    width: Width = None,
    dpi: Dpi = 100.0,
    title: Title = None,
    labels: Labels = None,
    no_legend: NoLegend = False,
    style: Sheets = None,
    height: Slice = None,
) -> None:
    """Show a solution as a film over time, or the game that a face-off of battles recorded.

    Example:  mfgsolve animate plan.nc -o plan.gif
    """
    from mfgsolve.command.preflight import ANIMATIONS, check_outputs

    check_outputs({"--output": (output, ANIMATIONS)}, {"the solution": file})
    given = read_style(width, title, labels, False, no_legend, style, height)
    from mfgsolve.command.progress import Counted
    from mfgsolve.command.report import say
    from mfgsolve.files import file_kind, read_dataset
    from mfgsolve.solution import load

    with Counted("pictures", doing=f"reading {_told(file)}") as line:
        from mfgsolve import plots

        shown = read_dataset(file, "faceoff") if file_kind(file) == "faceoff" else load(file)
        line.doing = "the first picture"
        plots.animate(shown, output, fps=fps, frames=frames, dpi=dpi, callback=line.update, **given)
    say(f"Wrote {output}.")


# -- words as options ------------------------------------------------------------------------------------------------


def read_style(
    width: float | None, title: str | None, labels: list[str] | None, no_certificate: bool, no_legend: bool,
    style: list[str] | None, height: str | None,
) -> dict[str, Any]:  # fmt: skip
    """Options of all pictures (`mfgsolve.plots.Style`), those that were given."""
    given = {
        "width": width, "title": title, "labels": _pairs(labels or [], "--label", "x=east") or None,
        "certificate": False if no_certificate else None, "legend": False if no_legend else None,
        "style": style or None, "slice": None if height is None else _height(height),
    }  # fmt: skip
    return {name: value for name, value in given.items() if value is not None}


def _told(file: Path) -> str:
    """The name of a file in a line of progress."""
    return cut(visible(file.name), 40)


def _pairs(words: list[str], option: str, example: str) -> dict[str, str]:
    result = {}
    for word in words:
        old, equals, new = word.partition("=")
        if not (old.strip() and equals):
            raise InputError(
                f"{option} {cut(ascii(word))} names nothing; write {option} old=new, say {option} {example}"
            )
        result[old.strip()] = new
    return result


def _height(word: str) -> dict[str, float]:
    (axis, value), *_ = _pairs([word], "--slice", "z=0.5").items()
    try:
        return {axis: float(value)}
    except ValueError:
        raise InputError(f"--slice is {cut(ascii(word))}; a number is needed, say --slice z=0.5") from None
