"""What sweeps and AutoML runs share: each is a run, with the runs that it begins below it."""

from __future__ import annotations

from typing import ClassVar, Self

from jupyter_mlstudio.client.runs import Run
from jupyter_mlstudio.client.wire import Connection
from jupyter_mlstudio.entities.runs import RunStatus
from jupyter_mlstudio.entities.values import JSON


class Above:
    """A run that has others below it, and an address of its own in the API.

    Args:
        run: its own run.
    """

    _resource: ClassVar[str]

    def __init__(self, run: Run) -> None:
        self.run = run

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, id={self.id!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def id(self) -> str:
        """The id of its run."""
        return self.run.id

    @property
    def name(self) -> str:
        """The name of its run."""
        return self.run.name

    @property
    def status(self) -> RunStatus:
        """What its run does."""
        return self.run.status

    @property
    def data(self) -> dict[str, JSON]:
        """Everything the API tells of it, as JSON."""
        return dict(self._ask().get(self._path()))

    def wait(self, timeout_s: float | None = None, *, check: bool = True) -> Self:
        """Waits until it is over; see :meth:`Run.wait`."""
        self.run.wait(timeout_s, check=check)
        return self

    def code(self, format: str = "python") -> str:
        """The call that begins it again in ``python``, or Azure Machine Learning's ``yaml``."""
        return str(self._ask().get(self._path("/code"), {"format": format})["text"])

    def _repr_mimebundle_(self, **options: object) -> dict[str, JSON]:
        return self.run._repr_mimebundle_(**options)

    def _path(self, more: str = "") -> str:
        return f"{self._resource}/{self.id}{more}"

    def _ask(self) -> Connection:
        return self.run._address()
