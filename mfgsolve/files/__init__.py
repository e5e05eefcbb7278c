"""Files of the package: NetCDF 4 of schema ``mfgsolve/1``, whole or not at all, nothing believed before it is checked.

`netcdf` writes and reads, `declared` holds sizes against memory, `seals` finds damage, `schema` checks layout and
ranges.
Any reader of NetCDF opens them: ``xarray.open_dataset("plan.nc")``, ``ncdump -h plan.nc``, Julia, R, MATLAB.

*Kinds.* The attribute ``kind`` says which: "solution" (of `solve`, `learn`), "comparison" (of `compare`),
"convergence" (of `convergence`), "refinement" (of `refine`), "training" (of `learn` on a task that is no mean-field
game; with "training-checkpoint" while it is under way), "faceoff" (of battles), "checkpoint" (of a solve under way) or
"occupation" (of `mfgsolve.learners.Occupation`); or the kind of a statement that is no game (`mfgsolve.statements`):
"roads", the flows of a road network.

*Dimensions*, each with a coordinate of that name.  ``...`` stands for the space, in the order of the arrays: population
(where there are several), then z, y, x or state::

    time           T + 1 nodes, horizon * k / T        step       T steps, the start of each
    x, y, z        centres of the cells                state      names of the states
    population     names                               move       x+, x-, y+, ...: toward a neighbour
    action         names                               aggregate  number of the price
    direction      x, y, z: axis of a velocity         scenario   segments of a tree of scenarios
    iteration      number of the iteration             axis       x, y, z
    site           number of the site                  agent      number of an agent with a table of its own

*Units.*  ``length`` and ``time`` are the units that the grid and the times were stated with; with none they are "1",
and so is what is made of them.  ``volume`` is the product of the lengths, ``rate`` is cost/time.  Every variable has
its unit in its attribute ``units`` and a sentence in ``long_name``.

*Variables of a solution*; those marked * are there where the game has what they are about::

    density                    time, ...           1/volume      mass of agents per unit volume; 0 in blocked cells
    value                      time, ...           cost          least cost from there on, against the plan's own crowd;
                                                                 NaN in blocked cells
    coupling_cost              step, ...           rate          what the crowd costs an agent, per unit time
  * extrapolated_density       time, ...           1/volume      of several meshes, beside the plan and never in its
                                                                 place: it may be negative; NaN at nodes without one
  * speed                      step, move, ...     length/time   of a diffusion: speed to each neighbour; the velocity
                                                                 along x is the one of x+ less the one of x-
  * value_ahead                step, ...           cost          of a diffusion in the entropic scheme: the value at
                                                                 the end of the step, up to a constant, that the law
                                                                 of the next cell follows from; with ``viscosity`` and
                                                                 ``control_cost`` of the scheme; NaN in blocked cells
  * value_after_noise          step, ...           cost          of a diffusion in the upwind scheme whose agents answer
                                                                 best: the value at the end of the step, after the
                                                                 noise, whose clipped differences are the speeds; in
                                                                 files that leave those out
  * velocity                   step, direction, ...  length/time  its mean velocity; without control it is 0
  * policy                     step, action, ...   1             of a finite game: probability of every action
  * action_name                population, action  name          where populations call their actions differently
  * choice_cost                step, action, ...   rate          what crowded choices cost
  * aggregate_amount           step, aggregate     1             what sets a price: the sum of all choices
  * price                      step, aggregate     rate          of a unit of the aggregate
  * scenario_probability       scenario            1             of common noise: of each segment of the tree
  * scenario_parent            scenario            1             number of the segment before it, -1 of the first
  * scenario_begin             scenario            time          from when to when the world may be there; density
  * scenario_end               scenario            time          is that of agents given that it is, else 0
  * capacity_multiplier        time, ...           rate          what a hard cap costs; at the last node paid once
  * final_price                ...               cost          what is paid once, at the end, where the final density
                                                                 is given; its mean over that density is 0
  * final_target               ...               1/volume      the density that is to be met at the end
  * price_multiplier           step, aggregate     rate          what the bounds of an aggregate cost
  * blocked                    ...                 1             1 where no agent may be; of the space of one population
  * track                      time, axis          length        where what moves is (demand, a well), for pictures
  * site_x                     site                length        fixed places, for pictures
  * site_y                     site                length
  * site_size                  site                1
    exploitability             iteration           cost          history of the solve, here and below; NaN is 'not
                                                                 measured', never 0
    relative_exploitability    iteration           1             exploitability / scale
    potential                  iteration           cost
    duality_gap                iteration           cost          potential less the best lower bound at hand
    sweeps                     iteration           1             work so far, in sweeps of the final grid
    seconds                    iteration           s             so far, compiling included
    violation                  iteration           1             largest excess over a hard bound, relative to it
    final_grid                 iteration           1             1 where all this is of the game itself, 0 where of a
                                                                 coarser or hotter one
    cell_steps                 iteration           1             cells times steps of the grid of this iteration
    stage                      iteration           1             which of the attribute ``stages`` took the step
  * episodes                   iteration           1             of `learn`: episodes played
  * agent_steps                iteration           1             steps that agents made
  * disagreement               iteration           1             of agents with tables of their own: how far these are
                                                                 from their mean
  * agent_regret               agent               1             what each could gain against the crowd of all, as a
                                                                 share of the scale; population after population
  * reference_density          time, ...           1/volume      density of the solution that it is compared with

*Attributes of a solution*: texts and numbers. ``schema``, ``kind``, ``created``, ``mfgsolve_version``; ``name``,
``source`` and ``problem`` (TOML that rebuilds it, see `mfgsolve.problemfile`; a sentence where functions of Python are
in it); ``solver`` (whose plan it is), ``stages`` (all that ran) and ``solver_source`` (what to cite for them:
`Solution.cite`); ``status``, ``tol``, ``objective``, ``optimum`` (of a social one), ``iterations``, ``sweeps``,
``seconds``; ``warnings`` (JSON: a code and a sentence each); every number of the certificate (`mfgsolve.Certificate`);
``discount``, the rate, where there is one (then potential, costs and values are worth at t = 0, prices and fields at
their own time); ``steps_chosen``, ``steps_potential_change`` and ``steps_flow_change`` (what the number of time steps
costs, as measured), ``steps_space_error`` (e_s, of entropic steps); ``discretisation_scheme``,
``discretisation_own_viscosity``, ``discretisation_order``, ``discretisation_potential``, ``discretisation_cost``,
``discretisation_density``, ``discretisation_obtained``, ``discretisation_sweeps``,
``discretisation_extrapolated_potential``, ``discretisation_extrapolated_potential_error`` and
``discretisation_extrapolated_density_error`` (estimated distance to the continuous game: the fields of
`mfgsolve.Discretisation`); of `learn` ``agents``, ``density_distance`` and ``reference_exploitability``. ``sealed`` and
``seal`` are a checksum of them.

*What is left out.* Where it is more than 4 MiB, a file of a solution does not hold what follows from its policy: speeds
(of a best response), mean velocities, coupling cost, value, prices; and its density is in single precision.  The
attribute ``made_on_reading`` names them, ``made_how`` says how to have them: ``mfgsolve.load("plan.nc").dataset`` makes
them by the kernels that made them first, in double precision (`mfgsolve.solution.lean`), and
``solution.save(path, whole=True)`` or ``mfgsolve solve --whole`` writes them.  ``fastest`` is then the largest mean
velocity.  What certificates and warm starts come from, ``value_after_noise``, ``value_ahead`` or ``policy``, is always
in double precision.  Problems stated in Python, with hard bounds, or solved for the social optimum, are written whole.

*What is compared when.* ``mfgsolve show`` reads the head of a file, and the few numbers that it shows, alone: how much
is declared and stored, the layout, the history and the seal over attributes and names; ``--check``, `mfgsolve.load` and
whatever uses an array read all arrays and compare each block with its checksum.

*Answers to statements that are no games* hold the history above, the attributes ``schema`` to ``warnings``, and each of
their numbers as an attribute NAME, with its unit as NAME_units where it has one (`mfgsolve.statements.Answer`).  Flows
of a road network (`mfgsolve.roads.Flows`), with T and F the units of time and of flow that were stated::

    flow, time, free_time, toll, cost    link      F, T    of all, in passenger-car equivalents; cost of one class
    delay                                link      1       time / free_time; NaN where the latter is 0
    from_node, to_node, tail, head       link      name, number from 0 of the nodes at its ends
  * capacity, length, stated_toll        link              as they were stated
  * class_flow, class_cost               class, link       of several classes: vehicles, and what each pays
  * flow_toward                          toward, link      of `by_destination`: what goes to each destination
    origin, destination                  pair      name
    demand, drivers, pair_cost           pair      F, F, T vehicles that would drive, that do; least cost of a path
  * node_x, node_y                       node              coordinates
  * clock_flow, clock_time               step, road  F, T  by the clock: of roads, by the step at which they are entered
  * clock_link, clock_step               link              road of a link, from 1 (0 waiting, -1 arriving), and its step
  * road_from, road_to, road_free_time   road              of the static network, whose nodes are ``place``

The variables of a comparison are described at `mfgsolve.compare`, those of a convergence study at
`mfgsolve.convergence` (the history above, on ``solver`` and ``iteration``, with ``best``, ``status``, ``method`` and
``options``), those of a ladder of meshes at `mfgsolve.refine`. An occupation holds ``mass`` (time, ..., action),
``allowed`` and ``blocked``. A checkpoint holds what its solver packed (``array_...``, ``number``) beside the history;
it is for `mfgsolve.resume` and says nothing to others.

Later versions add variables and attributes; what is named here keeps its name, dimensions and unit, or the schema gets
another number, which earlier versions refuse in a sentence.
"""

from mfgsolve.files.netcdf import (
    SCHEMA,
    file_kind,
    open_netcdf,
    plain,
    read_dataset,
    read_header,
    regular,
    replace_file,
    told,
    usable,
    write_dataset,
)

__all__ = [
    "SCHEMA", "file_kind", "open_netcdf", "plain", "read_dataset", "read_header", "regular", "replace_file", "told",
    "usable", "write_dataset",
]  # fmt: skip
