"""Long work seen from outside: a live line in a terminal or a notebook, and messages of the logger "mfgsolve".

What works long takes ``progress`` and ``verbose``:

    progress : None shows a line where somebody looks on, a terminal or a notebook, once the work has lasted 2 s;
        True shows it at once; False never
    verbose : True tells the work in lines on stderr (on stdout of a notebook), 2 every iteration, too

and only the outermost shows: the solves of a sweep are part of its line.  MFGSOLVE_PROGRESS=off in the environment
turns lines off that nobody asked for with True, say where notebooks are run to be kept.  The same messages go to
``logging.getLogger("mfgsolve")``, at the levels INFO and DEBUG, whether or not anything is shown.
"""

from mfgsolve.progress.display import DELAY, counting, live
from mfgsolve.progress.lines import Counted, Episodes, Equilibria, Line, Replicas, Solves, clock_text, left_text
from mfgsolve.progress.logs import logged, logger, told
from mfgsolve.progress.work import Work

__all__ = [
    "DELAY", "Counted", "Episodes", "Equilibria", "Line", "Replicas", "Solves", "Work", "clock_text", "counting",
    "left_text", "live", "logged", "logger", "told",
]  # fmt: skip
