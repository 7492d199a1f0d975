"""The model registry as MLflow's clients know it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from jupyter_mlstudio.entities.models import Model, ModelVersion, Stage
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.services.logged_models import LoggedModels
from jupyter_mlstudio.services.mlflow_artifacts import version_uri
from jupyter_mlstudio.services.mlflow_filters import matcher
from jupyter_mlstudio.services.model_reviews import ModelReviews
from jupyter_mlstudio.services.models import Models
from jupyter_mlstudio.services.paging import offset_of, token_of

T = TypeVar("T")


class MLflowRegistry:
    """What MLflow clients may ask of registered models beyond what the studio's own clients do."""

    def __init__(self, models: Models, reviews: ModelReviews, logged_models: LoggedModels) -> None:
        self._models = models
        self._reviews = reviews
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
        """Registers files as the next version.

        Args:
            source: files of a run (see :meth:`LoggedModels.locate`), another registered version
                (``models:/<name>/<version or alias>``), or a ``file://`` address of something in the workspace.

        Raises:
            NotFound: there is no such registered model: clients create it first.
        """
        self._models.get(name)
        more: dict[str, Any] = {"description": description, "tags": dict(tags), "user": user}
        if (version := _registered(source)) is not None and model_id is None:
            return self._models.register(name, run_id, copy_of=version, **more)
        if source.startswith("file:///"):
            return self._models.register(name, run_id, file=self._models.sources.below_root(source), **more)
        owner, path = self._logged_models.locate(source, run_id, model_id, within)
        return self._models.register(name, owner, path, **more)

    def transition(self, name: str, version: str, stage: str, *, archive_existing: bool, user: str) -> ModelVersion:
        """Moves a version to one of MLflow's stages, whose names are read in any case.

        Raises:
            Invalid: it is no stage.
        """
        known = {one.value.lower(): one for one in Stage}
        if stage.lower() not in known:
            names = ", ".join(one.value for one in Stage)
            raise Invalid(f"{stage[:60]!r} is no stage: one of {names}")
        return self._reviews.set_stage(
            name, version, known[stage.lower()], user=user, archive_existing=archive_existing
        )

    def latest(self, name: str, stages: Sequence[str]) -> list[ModelVersion]:
        """Finds the newest version of each stage that is asked for, of every stage when none is."""
        wanted = {stage.lower() for stage in stages}
        model = self._models.get(name)
        found: dict[str, ModelVersion] = {}
        for number in sorted([*model.versions, *model.archived_versions], reverse=True):
            version = self._models.version(name, number)
            found.setdefault(version.stage.value, version)
        return [one for stage, one in found.items() if not wanted or stage.lower() in wanted]

    def uri(self, version: ModelVersion) -> str:
        """Returns where clients find a version's files."""
        return version_uri(version.model, version.version)

    def search_models(
        self, text: str, order_by: Sequence[str], max_results: int, page_token: str | None
    ) -> tuple[list[Model], str | None]:
        """Finds registered models by name, in the order of their names."""
        passes = matcher(text, ("name", "tags"))
        found = [model for model in self._models.list() if passes(_tagged(model.tags) | {"name": model.name})]
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
        passes = matcher(text, ("name", "run_id", "version_number", "current_stage", "source_path", "tags"))
        found = [
            version
            for model in self._models.list()
            for version in (
                self._models.version(model.name, number) for number in [*model.versions, *model.archived_versions]
            )
            if passes(_fields(version))
        ]
        return _page(found, max_results, page_token)


def _fields(version: ModelVersion) -> dict[str, str]:
    plain = {"name": version.model, "run_id": version.run_id or "", "version_number": str(version.version)}
    return {**plain, "current_stage": version.stage.value, "source_path": version.source, **_tagged(version.tags)}


def _tagged(tags: Mapping[str, str]) -> dict[str, str]:
    return {f"tags.{key}": value for key, value in tags.items()}


def _registered(source: str) -> tuple[str, str] | None:
    """Reads the address of a registered version; None for the id of a logged model, and for anything else."""
    name, slash, version = source.removeprefix("models:/").rpartition("/")
    if not slash:
        name, slash, version = source.removeprefix("models:/").rpartition("@")
    return (name, version) if source.startswith("models:/") and slash and name and version else None


def _page(found: list[T], max_results: int, page_token: str | None) -> tuple[list[T], str | None]:
    offset = offset_of(page_token)
    page = found[offset : offset + max_results]
    return page, token_of(offset + len(page), len(found))
