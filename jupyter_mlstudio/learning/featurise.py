"""Makes features of columns: one ColumnTransformer for each form of model, of steps that have an ONNX form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler

from jupyter_mlstudio.entities.automl import Featurization, FeaturizationMode, Task
from jupyter_mlstudio.entities.automl_tables import Role
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning.skewed import Logarithms
from jupyter_mlstudio.learning.telling import TellingColumns
from jupyter_mlstudio.learning.texts import TextComponents
from jupyter_mlstudio.learning.transformers import CategoryCodes, DateParts, Numbers, OneHotCategories, TargetMeans

SCALED, LOGS, TREES, NATIVE = "scaled", "logs", "trees", "native"
FORMS = (SCALED, LOGS, TREES, NATIVE)
NOT_FOR = {SCALED: ("Logarithm",), LOGS: (), TREES: ("Logarithm", "Scaler", "Cyclic"),
           NATIVE: ("Imputer", "MissingIndicator", "Logarithm", "Scaler", "Cyclic")}  # fmt: skip
"""Steps that a form of model does without."""

"""What models need: numbers on one scale without gaps; numbers without gaps; what takes gaps and categories itself."""

NATIVE_LEVELS = 250
"""Categories that a boosting library takes as they are; histogram boosting takes 255."""

SMOOTH = (SCALED, LOGS)
TELLING = "telling"
"""Behind a form: only of the columns that tell something."""

ONE_HOT_LEVELS = {SCALED: 20, LOGS: 20, TREES: 8}
WIDTH_BYTES = 400_000_000
"""What all columns of 0 and 1 of a table may take at most; a column beyond it gets means of the target."""

DEFAULTS: dict[str, Any] = {
    "numbers": "standard", "impute": "median", "indicator": True, "categories": "auto", "one_hot_levels": None,
    "smoothing": 10.0, "text_words": 10_000, "text_components": 24,
    "text_telling": 30,
}  # fmt: skip
"""Parameters of :meth:`Features.transformer` and what they are without."""

STEPS = {
    "logarithm": "Logarithm", "imputer": "Imputer", "simpleimputer": "Imputer", "missingindicator": "MissingIndicator",
    "scaler": "Scaler", "standardscaler": "Scaler", "onehotencoder": "OneHotEncoder",
    "hashonehotencoder": "OneHotEncoder", "labelencoder": "OrdinalEncoder", "ordinalencoder": "OrdinalEncoder",
    "targetencoder": "TargetEncoder", "cattargetencoder": "TargetEncoder", "woetargetencoder": "TargetEncoder",
    "datetime": "DateParts", "dateparts": "DateParts", "datetimetransformer": "DateParts", "cyclic": "Cyclic",
    "tfidf": "TfIdf", "countvectorizer": "TfIdf", "texttargetencoder": "TfIdf", "truncatedsvd": "TfIdf",
    "wordembedding": "", "naivebayes": "",
}  # fmt: skip
"""Names of steps, Azure's among them, in lower case; an empty one is a step that is never used."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Features:
    """What is known of the columns when features are made. ``distinct`` counts a column's values."""

    task: Task
    classes: int | None
    rows: int
    roles: Mapping[str, Role]
    distinct: Mapping[str, int]
    settings: Featurization = field(default_factory=Featurization)
    seed: int = 0

    def transformer(self, form: str, params: Mapping[str, Any] | None = None) -> Any:
        """The unfitted steps for one form of model: a ColumnTransformer.

        Args:
            form: ``scaled`` (linear models, neighbours, vectors, networks), ``logs`` (the same, with logarithms of
                numbers with a long tail), ``trees`` (forests), ``native`` (boosting). With ``-telling`` behind it, it
                is a pipeline whose last step chooses the features that tell something.
            params: what differs from :data:`DEFAULTS`: ``numbers`` (``standard``, ``robust``, ``none``), ``impute``,
                ``indicator``, ``categories`` (``auto``, ``onehot``, ``target``, ``codes``), ``one_hot_levels``,
                ``smoothing``, ``text_words``, ``text_components``, ``text_telling``.
        """
        form, _, telling = form.partition("-")
        if form not in FORMS or telling not in ("", TELLING):
            raise Invalid(f"there is no form {form!r} of features, only {', '.join(FORMS)}")
        if unknown := sorted(set(params or {}) - set(DEFAULTS)):
            raise Invalid(f"features have no parameter {unknown[0]!r}: {', '.join(DEFAULTS)}")
        chosen = DEFAULTS | dict(params or {})
        names = list(self.roles)
        plain = all(role in (Role.NUMERIC, Role.BOOLEAN) for role in self.roles.values())
        parts = []
        for name, step, columns in self._parts(form, chosen):
            picked: Any = [names.index(one) for one in columns] if plain else list(columns)
            parts.append((name, step, picked[0] if isinstance(step, TextComponents) else picked))
        made = ColumnTransformer(parts, sparse_threshold=0.0)
        return Pipeline([("columns", made), (TELLING, TellingColumns(self.classes, self.seed))]) if telling else made

    def categorical_features(self, form: str, params: Mapping[str, Any] | None = None) -> list[int]:
        """Places of the columns of category numbers among the features of ``native``: they are the first ones."""
        if form != NATIVE:
            return []
        found = [columns for name, _, columns in self._parts(form, DEFAULTS | dict(params or {})) if name == "codes"]
        return list(range(len(found[0]))) if found else []

    def steps(self, name: str, form: str = SCALED) -> list[str]:
        """Names of what makes features of a column for one form of model, for people; none where it is taken as is."""
        if self.settings.mode is FeaturizationMode.OFF:
            return []
        role, form = self.roles[name], form.partition("-")[0]
        if role is Role.CATEGORICAL:
            return [{"onehot": "OneHotEncoder", "target": "TargetEncoder", "codes": "OrdinalEncoder"}[
                self._encoding(name, form, DEFAULTS)]]  # fmt: skip
        made = {
            Role.NUMERIC: ["Imputer", "MissingIndicator", "Logarithm", "Scaler"],
            Role.BOOLEAN: ["Imputer", "MissingIndicator"],
            Role.DATETIME: ["DateParts", "Cyclic"], Role.TEXT: ["TfIdf", "TruncatedSVD"],
        }[role]  # fmt: skip
        return [step for step in made if self._allows(step) and step not in NOT_FOR[form]]

    def _parts(self, form: str, chosen: Mapping[str, Any]) -> list[tuple[str, Any, list[str]]]:
        if self.settings.mode is FeaturizationMode.OFF:
            return [("columns", "passthrough", list(self.roles))]
        of: dict[Role, list[str]] = {}
        for name, role in self.roles.items():
            of.setdefault(role, []).append(name)
        parts = self._categories(of.get(Role.CATEGORICAL, []), form, chosen)
        for role, word in ((Role.NUMERIC, "numbers"), (Role.BOOLEAN, "flags")):
            parts += self._numbers(word, of.get(role, []), form, chosen)
        times = of.get(Role.DATETIME, [])
        if times and self._allows("DateParts"):
            parts.append(("times", self._times(form), times))
        for place, name in enumerate(of.get(Role.TEXT, []) if self._allows("TfIdf") else []):
            parts.append((f"text_{place}", self._text(name, chosen), [name]))
        if not parts:
            raise Invalid("every step that could make features of these columns is blocked: allow one of them")
        return parts

    def _numbers(
        self, word: str, names: list[str], form: str, chosen: Mapping[str, Any]
    ) -> list[tuple[str, Any, list[str]]]:
        if not names or form == NATIVE:
            return [(word, Numbers(), names)] if names else []
        groups: dict[tuple[str, Any], list[str]] = {}
        for name in names:
            own = self._own("Imputer", name)
            default = "most_frequent" if word == "flags" else chosen["impute"]
            groups.setdefault((str(own.get("strategy", default)), own.get("fill_value")), []).append(name)
        parts = []
        for place, ((strategy, fill), columns) in enumerate(groups.items()):
            steps: list[tuple[str, Any]] = [("impute", self._imputer(strategy, fill, bool(chosen["indicator"])))]
            if form == LOGS and self._allows("Logarithm"):
                steps.append(("logarithms", Logarithms()))
            if form in SMOOTH and self._allows("Scaler") and chosen["numbers"] != "none":
                steps.append(("scale", self._scaler(str(chosen["numbers"]))))
            step = Pipeline(steps) if len(steps) > 1 else steps[0][1]
            parts.append((word if not place else f"{word}_{place}", step, columns))
        return parts

    def _imputer(self, strategy: str, fill: Any, indicator: bool) -> SimpleImputer:
        if strategy not in ("mean", "median", "most_frequent", "constant"):
            raise Invalid(f"numbers cannot be imputed by {strategy!r}: mean, median, most_frequent, constant")
        fill = 0.0 if fill is None and strategy == "constant" else fill
        return SimpleImputer(
            strategy=strategy, fill_value=fill, keep_empty_features=True,
            add_indicator=indicator and self._allows("MissingIndicator"),
        )  # fmt: skip

    def _scaler(self, name: str) -> Any:
        makers: dict[str, Any] = {"standard": StandardScaler, "robust": RobustScaler}
        if name not in makers:
            raise Invalid(f"numbers cannot be scaled by {name!r}: {', '.join(makers)} or none")
        return makers[name]()

    def _times(self, form: str) -> Any:
        parts = DateParts(cyclic=form in SMOOTH and self._allows("Cyclic"))
        if form == NATIVE:
            return Pipeline([("parts", parts), ("numbers", Numbers())])
        steps: list[tuple[str, Any]] = [("parts", parts), ("impute", self._imputer("median", None, indicator=True))]
        return Pipeline([*steps, ("scale", StandardScaler())] if form in SMOOTH else steps)

    def _text(self, name: str, chosen: Mapping[str, Any]) -> Any:
        own = self._own("TfIdf", name)
        return TextComponents(
            words=int(own.get("max_features", chosen["text_words"])), components=int(chosen["text_components"]),
            longest=int(list(own.get("ngram_range", [1, 1]))[-1]), english=self.settings.dataset_language == "eng",
            seed=self.seed, telling=int(chosen["text_telling"]), classifies=self.classes is not None,
        )  # fmt: skip

    def _categories(self, names: list[str], form: str, chosen: Mapping[str, Any]) -> list[tuple[str, Any, list[str]]]:
        groups: dict[str, list[str]] = {}
        budget = WIDTH_BYTES // (8 * max(self.rows, 1))
        for name in names:
            encoding = self._encoding(name, form, chosen)
            if encoding == "onehot" and chosen["categories"] == "auto":
                budget -= min(self.distinct[name], 20)
                encoding = "target" if budget < 0 and self._allows("TargetEncoder") else encoding
            groups.setdefault(encoding, []).append(name)
        levels = chosen["one_hot_levels"]
        rare = 1 if self.rows < 200 else 3
        makers: dict[str, Any] = {
            "codes": lambda: CategoryCodes(NATIVE_LEVELS) if form == NATIVE else CategoryCodes(missing=-1.0),
            "onehot": lambda: OneHotCategories(int(levels or 2 * ONE_HOT_LEVELS.get(form, 8)), rare),
            "target": lambda: TargetMeans(self.classes, float(chosen["smoothing"]), self.seed),
        }
        order = [word for word in ("codes", "onehot", "target") if word in groups]
        made: list[tuple[str, Any, list[str]]] = [(word, makers[word](), groups[word]) for word in order]
        if form not in SMOOTH:
            return made
        return [
            (word, Pipeline([("encode", step), ("scale", StandardScaler())]) if word != "onehot" else step, columns)
            for word, step, columns in made
        ]

    def _encoding(self, name: str, form: str, chosen: Mapping[str, Any]) -> str:
        """How a column of categories becomes numbers, of what is allowed."""
        count, wanted = self.distinct[name], str(chosen["categories"])
        allowed = {
            "onehot": self._allows("OneHotEncoder"), "target": self._allows("TargetEncoder"),
            "codes": self._allows("OrdinalEncoder"),
        }  # fmt: skip
        if wanted not in ("auto", *allowed):
            raise Invalid(f"categories cannot be encoded by {wanted!r}: auto, {', '.join(allowed)}")
        if wanted != "auto":
            order = [wanted]
        elif form == NATIVE:
            order = ["codes" if count <= NATIVE_LEVELS else "target"]
        else:
            narrow = count <= int(chosen["one_hot_levels"] or ONE_HOT_LEVELS[form])
            many = (self.classes or 0) > 20
            order = ["onehot" if narrow else "codes" if many and form == TREES else "onehot" if many else "target"]
        return next((word for word in [*order, *allowed] if allowed[word]), order[0])

    def _allows(self, step: str) -> bool:
        return step not in blocked_steps(self.settings)

    def _own(self, step: str, name: str) -> dict[str, Any]:
        """What the user set for a step and a column."""
        if self.settings.mode is not FeaturizationMode.CUSTOM:
            return {}
        found: dict[str, Any] = {}
        for word, entries in self.settings.transformer_params.items():
            if STEPS.get(word.lower().replace("_", "")) != step:
                continue
            for entry in entries:
                fields = entry.get("fields")
                if not fields or name in fields:
                    found |= entry.get("parameters") or {}
        return found


def blocked_steps(settings: Featurization) -> set[str]:
    """The steps that are not to be used.

    Raises:
        Invalid: there is no such step.
    """
    found = set()
    for word in settings.blocked_transformers:
        known = STEPS.get(word.lower().replace("_", ""))
        if known is None:
            raise Invalid(f"there is no step {word!r} to block: {', '.join(sorted(set(STEPS.values()) - {''}))}")
        found.add(known)
    return found
