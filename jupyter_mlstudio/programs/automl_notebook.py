"""A model of an AutoML run's leaderboard as a notebook, also one that did not win.

In: ``{"root", "run_folder", "automl", "number", "memory_bytes"}``, where ``automl`` is what was asked for. Out: a
:class:`Notebook`. What it is written from are the run's own files, written by its program.
"""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass
from pathlib import Path

import msgspec

from jupyter_mlstudio.entities.automl import AutoMLSpec
from jupyter_mlstudio.entities.ending import end
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, NotFound
from jupyter_mlstudio.programs.answering import answer
from jupyter_mlstudio.programs.automl_engine import below_root
from jupyter_mlstudio.programs.automl_files import FOLDER, SKETCH


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook in nbformat 4.5, as text."""

    text: str


def write(question: dict[str, JSON]) -> Notebook:
    """Writes the notebook of a candidate.

    Raises:
        NotFound: there is no such model. Conflict: there is nothing to write a notebook from.
    """
    from jupyter_mlstudio.learning.emitted import notebook
    from jupyter_mlstudio.learning.kept import Kept
    from jupyter_mlstudio.learning.sketch import model_of

    run_folder, number = Path(str(question["run_folder"])), int(question["number"])
    folder = run_folder / FOLDER
    if not (folder / SKETCH).is_file():
        raise Conflict("the run did not keep what notebooks of its models are written from")
    kept = Kept(folder)
    candidates = {number: record.candidate for number, record in kept.records().items()}
    if number not in candidates:
        raise NotFound(f"the run has tried no model {number}")
    found = candidates[number]
    if found.failed or found.score is None:
        raise Conflict(f"model {number}, {found.family}, has no score: {found.failed or 'it is being tried'}")
    sketch = pickle.loads((folder / SKETCH).read_bytes())
    model = model_of(sketch, found, candidates, kept.top(number))
    spec = below_root(msgspec.convert(question["automl"], AutoMLSpec), run_folder.parent, Path(str(question["root"])))
    content = notebook(spec, sketch, found, model, data=spec.data, threads=sketch.threads, won=False)
    return Notebook(json.dumps(content, indent=1))


if __name__ == "__main__":
    end(answer(write))
