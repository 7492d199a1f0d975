"""What a converter is: the one class to write so that models of another framework can be served."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from jupyter_mlstudio.entities.models import Signature
from jupyter_mlstudio.entities.values import JSON

MANIFEST = "mlstudio.json"


@dataclass(frozen=True, slots=True)
class Source:
    """A registered model's own files. ``manifest`` is what :func:`log_model` wrote beside them, empty without one."""

    folder: Path
    manifest: dict[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Original:
    """The model as its framework loads it, its sample rows in their original types, and what it is called.

    ``rows`` is an array ``(n_rows, ...)``, a data frame or a list of texts; ``targets`` their true answers, when known.
    ``recorded`` says that its answers to the rows were kept when it was logged: it has no others.
    """

    model: Any
    rows: Any
    framework: str
    targets: Any = None
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class Converted:
    """An ONNX file and how it is to be used. The signature's ``onnx_name`` tells each tensor's name in the graph."""

    onnx: bytes
    signature: Signature


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model answers: ``labels`` and, if it has them, ``probabilities`` of a classifier, or ``values``."""

    labels: Any = None
    probabilities: Any = None
    values: Any = None


class Converter(ABC):
    """Turns one framework's models into ONNX. Instances have no state and are used in a process of their own.

    A converter is never asked whether its result is right: each result is loaded in onnxruntime and compared with
    :meth:`predict` on the original rows, and the first number type of :attr:`dtypes` that is close enough is taken.
    What is known to convert wrongly in a way that rows may not show is refused in :meth:`convert`.
    The contract is tested by :class:`jupyter_mlstudio.testing.converter.ConverterContract`.
    """

    name: ClassVar[str]
    """Word for it in messages and manifests."""

    dtypes: ClassVar[tuple[str, ...]] = ("float32",)
    """Number types to try, the most exact one first."""

    @abstractmethod
    def accepts(self, source: Source) -> bool:
        """Tells from names and manifest alone whether these files are this framework's. Loads and executes nothing."""

    @abstractmethod
    def load(self, source: Source) -> Original:
        """Loads the model and its sample rows.

        Raises:
            Invalid: the files are not whole, or the model needs something that is not here; the message says what.
            MissingExtra: the framework is not installed.
        """

    def recorded(self, source: Source) -> Original | None:
        """What was kept when the model was logged, so that converting it does not need its framework; None without.

        It converts and predicts like the model itself, for its own rows only. When that does not end with a version
        that is ready, the model is loaded after all.
        """
        return None

    @abstractmethod
    def convert(self, original: Original, dtype: str) -> Converted:
        """Converts the model, its numbers of type ``dtype``.

        Raises:
            Refused: this model would be wrong in ONNX with any number type.
            Invalid: it does not convert with this one.
        """

    @abstractmethod
    def predict(self, original: Original) -> Prediction:
        """Answers for the original's own rows with the original model, as its framework does."""
