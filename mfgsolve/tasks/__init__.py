"""Tasks that are no mean-field games: what many agents learn beside one another, and what trains them.

A *task* (`Task`) says what is to be learned, a *task learner* (`TaskLearner`) how, and a *training* (`Training`) is
what came of it: curves, tables and numbers in one dataset.  `train` runs any learner on any task that suits it;
`mfgsolve.learn` takes tasks by name or as objects, as it takes games.
"""

from mfgsolve.tasks.learner import TaskLearner, TrainingState
from mfgsolve.tasks.task import Task, make_task
from mfgsolve.tasks.training import Training, load_training, resume_training, train

__all__ = [
    "Task",
    "TaskLearner",
    "Training",
    "TrainingState",
    "load_training",
    "make_task",
    "resume_training",
    "train",
]
