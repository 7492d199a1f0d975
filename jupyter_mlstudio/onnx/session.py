"""Opens an ONNX model in onnxruntime within limits, and runs it with a deadline."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import onnxruntime as ort

from jupyter_mlstudio.errors import Invalid, StudioError, TimedOut, TooLarge

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Tensor = NDArray[np.generic]


class Session(Protocol):
    """What answers tensors: a session of onnxruntime, or an archive of many."""

    def run(self, outputs: Any, feeds: Any, options: Any = None) -> Any:
        """Answers the named outputs; an option's flag ends it."""


RUNTIME = f"onnxruntime {ort.__version__}"

_NO_MEMORY = re.compile(r"bad_alloc|allocate memory|allocat.*fail|out of memory|bad array new length|overflow", re.I)
_NO_MEMORY_TO_LOAD = re.compile(r"bad_alloc|allocate memory|out of memory|bad array new length", re.I)
_TERMINATED = re.compile(r"terminate flag", re.I)
_REASONS: tuple[tuple[str, str], ...] = (
    (r"opset (\d+) is under development|until opset (\d+)", "its opset is newer than {runtime} supports"),
    (r"unsupported model ir version", "its IR version is newer than {runtime} supports"),
    (r"external|data_location", "it keeps weights in other files, which are not read; save it as a single file"),
    (r"not a registered function/op|no op registered", "it uses an operator that {runtime} does not know"),
    (r"could not find an implementation for (\S+)", "{runtime} cannot execute {match} with these number types"),
    (r"type error|type.*mismatch|not match expected type", "its number types do not fit together"),
    (r"protobuf parsing failed|InvalidProtobuf", "it is not an ONNX file"),
)


def load() -> None:
    """Loads onnxruntime, so that processes that are forked from this one have it."""
    import onnxruntime  # noqa: F401


def open_session(model: bytes, threads: int = 1) -> ort.InferenceSession:
    """Loads a single-file ONNX model.

    Args:
        model: the file's bytes, so that what was checked is what is loaded.
        threads: how many threads one request may use.

    Raises:
        Invalid: it is empty or onnxruntime cannot load it; the message says why in plain words.
        TooLarge: there is not enough memory for it.
    """
    if not model:
        raise Invalid("the ONNX file is empty (0 bytes)")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except MemoryError as error:
        raise TooLarge(_MEMORY_TO_LOAD) from error
    except Exception as error:
        if _NO_MEMORY_TO_LOAD.search(str(error)):
            raise TooLarge(_MEMORY_TO_LOAD) from error
        raise Invalid(f"the ONNX model cannot be loaded: {plain_reason(error)}") from error


def plain_reason(error: Exception) -> str:
    """Says in plain words why onnxruntime refused a model, without the library's own text and paths."""
    text = str(error)
    for pattern, reason in _REASONS:
        if found := re.search(pattern, text, re.I):
            return reason.format(runtime=RUNTIME, match=(found.groups() or ("",))[0] or "")
    kind = re.search(r"\] : \d+ : (\w+) :", text)
    return f"{RUNTIME} reports {kind.group(1) if kind else type(error).__name__}"


class Execution:
    """One run of a session that another thread may end: the handle for a deadline."""

    __slots__ = ("_options", "_session")

    def __init__(self, session: Session) -> None:
        self._session = session
        self._options = ort.RunOptions()

    def stop(self) -> None:
        """Ends the run as soon as the operator that executes now is done. Safe from any thread."""
        self._options.terminate = True

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Tensor]) -> list[Any]:
        """Runs the session and answers the named outputs.

        Raises:
            TimedOut: :meth:`stop` was called.
            TooLarge: it asked for more memory than there is.
            Invalid: the model cannot compute an answer for these values.
        """
        return execute(self._session, outputs, feeds, self._options)


def execute(session: Session, outputs: Sequence[str], feeds: Mapping[str, Tensor], options: Any = None) -> list[Any]:
    """Runs a session and turns what onnxruntime raises into the studio's errors, as :meth:`Execution.run` does."""
    try:
        return list(session.run(outputs, feeds, options))
    except StudioError:
        raise
    except MemoryError as error:
        raise TooLarge(_MEMORY) from error
    except Exception as error:
        text = str(error)
        if _TERMINATED.search(text):
            raise TimedOut("the model did not answer before the deadline") from error
        if _NO_MEMORY.search(text):
            raise TooLarge(_MEMORY) from error
        raise Invalid("the model cannot compute an answer for these values") from error


_MEMORY_TO_LOAD = "the ONNX model cannot be loaded: it needs more memory than there is, or than this process may use"
_MEMORY = "this request needs more memory than the endpoint may use: send fewer rows, or raise its memory limit"
