"""Problems as text: TOML in and out.  A problem file is data only; nothing in it is ever executed.

A *named* problem (of ``mfgsolve list``, or of another library as ``mfglib:beach_bar``) and its parameters::

    problem = "supply-demand"
    shape = [64, 64]
    steps = 512                                 # may be left out, as below
    kinks = [0.7]                               # may be left out: a named problem knows its own
    sense = "cost"                              # likewise; "reward": reports and pictures tell earnings, -cost
    [parameters]
    reward = 2.0
    [dynamics]                                  # of diffusions: scheme and reach, as below; may be left out
    scheme = "entropic"

or a *declared* one, in which a field is a number, a table, a list of numbers for every cell, or a list of tables and
numbers that is their sum::

    name = "two-hills"
    kinks = [0.5]                               # times at which costs bend or jump: chosen steps have a node there
    #                                           # (if absent, the times at which the paths of bumps turn)
    [grid]
    shape = [32, 64]                            # array order: ny, nx
    bounds = [[0.0, 1.0], [0.0, 2.0]]           # in the order of shape; the unit box if absent
    boundary = "reflecting"                     # or "periodic", or one of them per axis
    unit = "km"
    blocked = [{lower = [0.9, 0.3], upper = [1.1, 1.0]}]    # points are written (x, y)
    # edges = [[0.0, 0.1, ...], [...]]          # of cells of different widths, a list per axis, instead of bounds
    #                                           # (with a shape, too: so many cells along the same smooth map)
    [time]
    horizon = 1.0
    steps = 256                                 # if absent, chosen from the game (a solution says chosen = true)
    unit = "h"
    discount = 0.0                              # rate r >= 0: what is paid at t counts e^(-r t); of named problems, too
    # kind = "ergodic"                          # without a final time: dt = 1.0 and unit alone, no table initial; or
    # kind = "first-exit"                       # until agents leave by exits, born as initial says; or
    # kind = "discounted"                       # rate = 0.1 (per unit of time) or factor = 0.9 (of a step), and
    # population = "invariant"                  # or "renewal", of agents who are born again as at first
    [dynamics]
    viscosity = 0.01
    control_cost = 1.0
    noise = "implicit"                          # or "explicit"; of upwind steps
    scheme = "entropic"                         # or "upwind"; if absent, what suits (a file that is written says it)
    # movement = {kind = "power", p = 3.0}      # c |a|^p / p, not c |a|^2 / 2; or "linear", "speed-limit" (limit = v),
    #                                           # "congestion" (c0, alpha); all upwind
    # reach = 8                                 # cells that an agent can go in an entropic step; else as far as it must
    [[coupling]]                                # any number of them, added up
    kind = "congestion"                         # "crowd-aversion", "log", "nonlocal", "running-cost"
    congestion = 0.1
    reward = {bump = {amplitude = 2.0, width = 0.1, path = [[0.0, 0.2, 0.2], [1.0, 1.8, 0.8]]}}   # rows (t, x, y)
    [initial]
    density = {bump = {width = 0.1, centre = [0.2, 0.2]}}
    normalise = true                            # otherwise a density that does not sum to 1 is an error
    [terminal]
    cost = [
        1.0,
        {box = {lower = [1.5, 0.0], upper = [2.0, 1.0], inside = -1.0}},
        {quadratic = {weight = 1.0, centre = [2.0, 0.5]}},
    ]
    [[terminal.coupling]]
    kind = "crowd-aversion"
    strength = 0.1

*Lattice moves* on a grid, with what else a coupling can be::

    name = "shift"
    [grid]
    shape = [20]
    boundary = "periodic"
    [time]
    horizon = 1.0
    steps = 10
    [dynamics]
    kind = "lattice"
    moves = [-1, 0, 1]                          # offsets in cells, each [x, y] on a plane
    costs = [0.05, 0.0, 0.05]                   # of making each move once; or one number
    jumps = [{offset = -1, probability = 0.1}, {offset = 0, probability = 0.8}, {offset = 1, probability = 0.1}]
    walls = "stay"                              # or "forbid"
    viscosity = 0.0
    temperature = 0.0
    [[coupling]]
    kind = "capacity"                           # hard cap on the density
    cap = 3.0
    [[coupling]]
    kind = "price"                              # weight (A - centre) + multiplier of lower <= A <= upper
    weight = 2.0
    centre = [0, 0.1, 0.2, 0.3, 0.4, 0.4, 0.3, 0.2, 0.1, 0]     # a number, or one for each step
    upper = 1.0
    [[coupling]]
    kind = "crowd-aversion"
    strength = 0.2
    on = "occupation"                           # agents crowd each other who are in one place and choose the same
    [initial]
    density = {box = {lower = [0.0], upper = [0.5], inside = 2.0}}

A *tabular* game: states without a grid, and arrays, written out or named in an .npz or .nc file beside this one::

    name = "three-states"
    data = "game.npz"
    [states]
    count = 3                                   # or names = ["north", "south", "home"]
    [time]
    horizon = 4
    steps = 4
    [dynamics]
    kind = "tabular"
    transitions = "P"                           # (action, state, next), or steps before that
    cost = "l"                                  # of one step, (action, state) or (step, action, state); or a number
    allowed = "ok"                              # (action, state), true or 1 where an action may be taken
    actions = ["stay", "go"]
    temperature = 0.1
    [[coupling]]
    kind = "interaction"                        # f = M density, between "states" or "populations"
    matrix = [[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]]
    [[coupling]]
    kind = "running-cost"
    cost = {array = "c"}                        # a field: (state), or (step, state)
    [initial]
    density = [0.5, 0.25, 0.25]

*Sparse* transitions "P" are three arrays, ``P_row`` = action * states + state, ``P_column`` = next state and
``P_value``, with ``P_step`` besides where they change with time; entries of the same place add up.

*Several populations*, each of mass 1 if it states none, live on the same grid or states; what a population does not
say holds for all::

    [[population]]
    name = "predator"
    mass = 0.1                                  # its density sums to that
    dynamics = {kind = "lattice", moves = [-1, 0, 1]}
    density = {array = "m_predator"}

*Tables* of comma-separated values hold what is known cell by cell, or point by point; the first line names the columns,
which may stand in any order::

    density = {csv = "start.csv"}               # x, y and density (or value); state and density; every free cell once
    cost = {csv = "cost.csv"}                   # t, x, y and cost (or reward, or value): every cell at every step
    cost = {csv = "all.csv", column = "noise"}  # the column of that name
    reward = {bump = {width = 0.1, path = {csv = "demand.csv"}}}        # t, x and y: the way of what moves
    reward = {bumps = {width = 0.1, csv = "zones.csv"}}                 # x, y and amplitude: a bump at every point

*Points* of a city, a place, a size and an hour each, make a demand that moves through the day (all that it can say and
what it means: `mfgsolve.problems.points`).  It stands beside the couplings, for one of congestion; where no initial
density is stated, agents start spread like the points::

    demand = {points = "stops.csv", width = 1.0}    # columns x, y, size, hour; width of a point, in the grid's unit
    # ... hour = "peak", size = "", degrees = true  # other names; none: all alike; longitude and latitude become km
    # ... begin = 6.0, day = 24.0, rhythm = 2.0     # the clock at t = 0, the length of a day, how much it counts
    # ... reward = 1.0, congestion = 150.0          # earned alone per unit of time; area

In a NetCDF file, of version 4 or the classic 3, dimensions named time (or step), action, population, z, y, x, state may
stand in any order; coordinates of cells, where there are any, must be those of the problem.

Where the density *at the end* is given, or capped, it stands in a table of its own::

    [final]
    density = {bump = {width = 0.2, centre = [1.5, 0.7]}}       # met by a terminal price
    normalise = true
    # cap = 3.0                                 # or, in place of a density: not exceeded

*Common noise* of a finite game is a tree of scenarios; arrays of costs may have a leading dimension of its segments,
"start", then the outcomes of the first date, and so on::

    [scenarios]
    dates = [3.0]                               # nodes of the times
    probabilities = [0.6, 0.4]                  # or one such list for each date
    names = ["left", "right"]

Units: lengths are those of the grid's ``unit``, times those of ``[time]``; a density is mass per unit volume; running
costs of diffusions and couplings are per unit time, those of ``tabular`` (``cost``) and ``lattice`` (``costs``) of one
step; terminal costs are paid once.  What a key means, and which values it takes, its class says: `ControlledDiffusion`,
`LatticeMoves`, `Tabular`, `Congestion` ... in Python have the same parameters.

A solution keeps the text of its problem.  Of a data file or table it keeps the name and the SHA-256 digest, and says
which file it needs when the problem is to be rebuilt and the file is not there or is another one.

The keys of times, axes, dynamics and couplings are the fields of their classes: what a class declares (see
`mfgsolve.inputs.tables`) is read here, and set by a dotted key on the command line, without more ado.  A class of your
own is read once it has a word, ``mfgsolve.dynamics.KINDS.register("roads", Roads)`` or ``mfgsolve.couplings.KINDS``,
in a module that you import.  All keys (`all_keys`, with those of your own)::
"""

import textwrap

from mfgsolve.problemfile.csvfile import read_density
from mfgsolve.problemfile.reading import named_problem, problem_from_toml, read_problem
from mfgsolve.problemfile.reference import all_keys
from mfgsolve.problemfile.schemes import as_then, restated
from mfgsolve.problemfile.writing import problem_to_toml

__all__ = [
    "all_keys", "as_then", "named_problem", "problem_from_toml", "problem_to_toml", "read_density", "read_problem",
    "restated",
]  # fmt: skip

__doc__ = f"{__doc__}\n{textwrap.indent(all_keys(), '    ')}"
