"""The model registry as MLflow's clients know it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from jupyter_mlstudio.entities.models import Model, ModelVersion
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.services.logged_models import LoggedModels
from jupyter_mlstudio.services.mlflow_artifacts import version_uri
from jupyter_mlstudio.services.mlflow_filters import matcher
from jupyter_mlstudio.services.models import Models
from jupyter_mlstudio.services.paging import offset_of, token_of

T = TypeVar("T")


class MLflowRegistry:
    """What MLflow clients may ask of registered models beyond what the studio's own clients do."""

    def __init__(self, models: Models, logged_models: LoggedModels) -> None:
        self._models = models
        self._logged_models = logged_models

    def register(
        self,
        name: str,
        source: str,
        *,
        run_id: str | None,
        model_id: str | None,
        description: str,
        tags: Mapping[str, str],
        user: str,
        within: str | None,
    ) -> ModelVersion:
        """Registers files of a run as the next version; see :meth:`LoggedModels.locate` for what ``source`` may be.

        Raises:
            NotFound: there is no such registered model: clients create it first.
        """
        self._models.get(name)
        owner, path = self._logged_models.locate(source, run_id, model_id, within)
        return self._models.register(name, owner, path, description=description, tags=dict(tags), user=user)

    def uri(self, version: ModelVersion) -> str:
        """Returns where clients find a version's files."""
        return version_uri(version.model, version.version)

    def search_models(
        self, text: str, order_by: Sequence[str], max_results: int, page_token: str | None
    ) -> tuple[list[Model], str | None]:
        """Finds registered models by name, in the order of their names."""
        passes = matcher(text, ("name", "tags"))
        found = [model for model in self._models.list() if passes({"name": model.name})]
        found.sort(key=lambda model: model.name)
        for order in reversed(order_by):
            field, _space, way = order.strip().partition(" ")
            if field == "name":
                found.sort(key=lambda model: model.name, reverse=way.strip().upper() == "DESC")
            elif field in ("timestamp", "last_updated_timestamp"):
                found.sort(key=lambda model: model.updated_at, reverse=way.strip().upper() == "DESC")
            else:
                raise Invalid(f"registered models are ordered by name or last_updated_timestamp, not {field[:60]!r}")
        return _page(found, max_results, page_token)

    def search_versions(
        self, text: str, max_results: int, page_token: str | None
    ) -> tuple[list[ModelVersion], str | None]:
        """Finds versions by model, run or tag, the newest of each model first."""
        passes = matcher(text, ("name", "run_id", "version_number", "tags"))
        found = [
            version
            for model in self._models.list()
            for version in (self._models.version(model.name, number) for number in model.versions)
            if passes(_fields(version))
        ]
        return _page(found, max_results, page_token)


def _fields(version: ModelVersion) -> dict[str, str]:
    plain = {"name": version.model, "run_id": version.run_id or "", "version_number": str(version.version)}
    return {**plain, **{f"tags.{key}": value for key, value in version.tags.items()}}


def _page(found: list[T], max_results: int, page_token: str | None) -> tuple[list[T], str | None]:
    offset = offset_of(page_token)
    page = found[offset : offset + max_results]
    return page, token_of(offset + len(page), len(found))
