"""The registry from user code: what models there are, their versions, aliases and history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.models import ModelVersion
from jupyter_mlstudio.client.shown import Shown
from jupyter_mlstudio.client.wire import Connection, segment
from jupyter_mlstudio.entities.values import JSON


def list_models(q: str = "", *, archived: bool = False) -> list[Model]:
    """Lists registered models whose name contains ``q``, the one registered to last first."""
    connection = connect()
    found = connection.get("models", {"q": q, "archived": "true" if archived else None})
    return [Model(data, connection) for data in found]


def get_model(name: str) -> Model:
    """Gets a registered model.

    Raises:
        NotFound: there is none of this name.
    """
    connection = connect()
    return Model(connection.get(f"models/{segment(name)}"), connection)


class Model(Shown):
    """A name under which versions are registered."""

    def __init__(self, data: Mapping[str, JSON], connection: Connection) -> None:
        self._data = dict(data)
        self._connection = connection

    def __repr__(self) -> str:
        return f"Model({self.name!r}, versions={self.versions})"

    @property
    def name(self) -> str:
        """Its name."""
        return str(self._data["name"])

    @property
    def versions(self) -> list[int]:
        """Numbers of its versions, newest first, without archived ones."""
        return list(self._data["versions"])

    @property
    def aliases(self) -> dict[str, int]:
        """Its aliases and the versions they point to."""
        return dict(self._data["aliases"])

    @property
    def tags(self) -> dict[str, str]:
        """Its tags."""
        return dict(self._data["tags"])

    @property
    def data(self) -> dict[str, JSON]:
        """Everything the API tells of it, as JSON."""
        return dict(self._data)

    def version(self, version: int | str = "latest") -> ModelVersion:
        """Gets a version by its number, an alias or ``latest``."""
        return ModelVersion(self._connection.get(f"{self._path}/versions/{segment(version)}"), self._connection)

    def update(self, description: str | None = None, tags: Mapping[str, str | None] | None = None) -> Model:
        """Changes the description, or tags (None removes one)."""
        change: dict[str, JSON] = {} if description is None else {"description": description}
        return self._patch({**change, **({} if tags is None else {"tags": dict(tags)})})

    def protect(self, aliases: Sequence[str]) -> Model:
        """Says which aliases are protected: moving or removing one then needs a reason."""
        return self._patch({"protected_aliases": list(aliases)})

    def delete_alias(self, alias: str, reason: str = "") -> Model:
        """Removes an alias; a protected one only for a reason."""
        self._connection.delete(f"{self._path}/aliases/{segment(alias)}", {"reason": reason})
        self._data = self._connection.get(self._path)
        return self

    def rename(self, name: str) -> Model:
        """Gives it another name; refused while something is served under the old one."""
        self._data = self._connection.post(f"{self._path}/rename", {"name": name})
        return self

    def archive(self, reason: str = "") -> Model:
        """Hides it; refused while something is served."""
        self._data = self._connection.post(f"{self._path}/archive", {"reason": reason})
        return self

    def restore(self, reason: str = "") -> Model:
        """Brings it back."""
        self._data = self._connection.post(f"{self._path}/restore", {"reason": reason})
        return self

    def journal(self) -> list[dict[str, JSON]]:
        """What happened to it and its versions, oldest first, deleted ones included."""
        found: list[dict[str, JSON]] = self._connection.get(f"{self._path}/journal")["events"]
        return found

    def delete(self) -> None:
        """Deletes it with its versions; refused while something uses one."""
        self._connection.delete(self._path)

    def _patch(self, change: dict[str, JSON]) -> Model:
        self._data = self._connection.patch(self._path, change)
        return self

    @property
    def _path(self) -> str:
        return f"models/{segment(self.name)}"

    def _title(self) -> str:
        return self.name

    def _rows_shown(self) -> list[tuple[str, str]]:
        aliases = ", ".join(f"{alias} -> {version}" for alias, version in self.aliases.items())
        versions = ", ".join(str(number) for number in self.versions)
        return [("Description", str(self._data["description"])), ("Versions", versions), ("Aliases", aliases)]
