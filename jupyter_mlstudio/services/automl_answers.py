"""What people ask about a table or a winner that needs its libraries: a preview, why a row is answered as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from jupyter_mlstudio.entities.automl import AutoMLSpec
from jupyter_mlstudio.entities.automl_candidates import Partition
from jupyter_mlstudio.entities.automl_explanations import RowExplanation
from jupyter_mlstudio.entities.automl_tables import TablePreview
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, Invalid
from jupyter_mlstudio.services.asked import Asked
from jupyter_mlstudio.services.automl_checks import table_of
from jupyter_mlstudio.services.names import checked_text

if TYPE_CHECKING:
    from jupyter_mlstudio.services.automl import AutoMLRuns
    from jupyter_mlstudio.workspace import Workspace

PREVIEW_S, EXPLAIN_S, NOTEBOOK_S = 60.0, 60.0, 60.0
MEMORY_BYTES = 4 * 1024**3
_SPEC = TypeAdapter(AutoMLSpec)
_PREVIEW = TypeAdapter(TablePreview)
_EXPLANATION = TypeAdapter(RowExplanation)


class AutoMLAnswers:
    """Answers of short-lived processes."""

    def __init__(self, workspace: Workspace, automl: AutoMLRuns) -> None:
        self._workspace = workspace
        self._automl = automl
        self._asked = Asked()

    def preview(self, data: str, target: str | None = None, spec: AutoMLSpec | None = None) -> TablePreview:
        """Looks at a table before anything is done with it, and tells what a run would find in it.

        Args:
            data: as in :class:`AutoMLSpec`.
            target: what is to be predicted; a likely column without.
            spec: what else a run would be asked for: its task, types of columns, weight, positive label. Its own table
                and target do not matter.

        Raises:
            Invalid: it is no table, or too wide; the message names row and column where it can. NotFound: no such file.
        """
        if target is not None:
            checked_text(target, "the target", 20_000)
        named, path = table_of(self._workspace, data)
        question: dict[str, JSON] = {
            "path": str(path), "data": named, "target": target, "memory_bytes": MEMORY_BYTES,
            "automl": None if spec is None else _SPEC.dump_python(spec, mode="json"),
        }  # fmt: skip
        return _PREVIEW.validate_python(self._asked.ask("automl_preview", question, PREVIEW_S, "what the table holds"))

    def explain(self, run_id: str, row: Mapping[str, JSON]) -> RowExplanation:
        """Tells why the winner of a run answers a row as it does.

        The row of a run that made many models is explained by that of its part.

        Raises:
            Conflict: the run has no winner yet.
            Invalid: the row does not have its columns, or there is no model for it.
        """
        run = self._automl.run(run_id)
        folder = self._workspace.run_folder(run.id)
        if not (folder / "artifacts" / "model").is_dir():
            raise Conflict(f"the run {run.name!r} has no model yet")
        if not row:
            raise Invalid("the row is empty: give the value of each column by its name")
        if parts := self._automl.report(run.id).partitions:
            part = _part_of(parts, row)
            return self.explain(part.run_id, {name: value for name, value in row.items() if name not in part.key})
        question: dict[str, JSON] = {"run_folder": str(folder), "row": dict(row), "memory_bytes": MEMORY_BYTES}
        return _EXPLANATION.validate_python(self._asked.ask("automl_row", question, EXPLAIN_S, "why it answers so"))

    def notebook(self, run_id: str, number: int) -> bytes:
        """Writes a notebook that makes a model of the leaderboard from the table; answers its content.

        Raises:
            NotFound: there is no such model. Conflict: it has no score, or the run kept too little.
        """
        run = self._automl.run(run_id)
        question: dict[str, JSON] = {
            "root": str(self._workspace.root), "run_folder": str(self._workspace.run_folder(run.id)), "number": number,
            "automl": _SPEC.dump_python(self._automl.spec(run.id), mode="json"), "memory_bytes": MEMORY_BYTES,
        }  # fmt: skip
        return str(self._asked.ask("automl_notebook", question, NOTEBOOK_S, "how it is made")["text"]).encode()

    def close(self) -> None:
        """Ends what is being computed."""
        self._asked.close()


def _part_of(parts: Sequence[Partition], row: Mapping[str, JSON]) -> Partition:
    """The part that a row belongs to."""
    wanted = {name: _word(row.get(name)) for name in parts[0].key}
    found = next((one for one in parts if {name: _word(value) for name, value in one.key.items()} == wanted), None)
    if found is None or found.failed or not found.run_id:
        named = ", ".join(f"{name}={value or 'missing'}" for name, value in wanted.items())
        raise Invalid(f"there is no model for {named}" + (f": {found.failed}" if found is not None else ""))
    return found


def _word(value: JSON) -> str:
    return "" if value is None else str(value)
