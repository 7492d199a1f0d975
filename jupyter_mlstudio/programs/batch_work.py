"""One worker of a batch run: ``python -m jupyter_mlstudio.programs.batch_work``.

It reads JSON lines from standard input, first what to score with, then one mini-batch a line, and answers each with a
JSON line once its part is written: rows in a file of its own, renamed into place when it is whole, and beside it a
record of how many there are. A part with a record is done for ever. It ends when its standard input does.
"""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import io
import json
import math
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from jupyter_mlstudio.errors import Invalid, StudioError
from jupyter_mlstudio.programs.tables import DELIMITERS, Piece, read_rows

ERRORS_KEPT = 1000
ROW_ID = ("file", "row")


@dataclass(frozen=True, slots=True)
class Part:
    """The record of a mini-batch that is done. ``errors`` are row (or file) and reason, the first thousand."""

    number: int
    answered: int
    failed: int
    columns: list[str]
    sha256: str
    errors: list[tuple[str, int, str]]
    totals: dict[str, Any]


class Scorer(Protocol):
    """Answers a mini-batch: the columns' names, rows of values, and what failed (file, row, reason)."""

    def score(self, piece: Piece) -> tuple[list[str], list[list[Any]], list[tuple[str, int, str]]]:
        """Scores."""


class OnnxScorer:
    """Scores the rows of tables with a version's ONNX model, whose digest is checked."""

    def __init__(self, config: dict[str, Any]) -> None:
        from jupyter_mlstudio.client.shown import signature
        from jupyter_mlstudio.onnx.routed import open_file
        from jupyter_mlstudio.programs.batch_rows import answers

        read = signature(config["signature"])
        if read is None:
            raise Invalid("the model has no signature")
        self._signature = read
        self._session = open_file(Path(config["onnx"]), config["sha256"])
        self._root = Path(config["root"])
        self._answers = answers

    def score(self, piece: Piece) -> tuple[list[str], list[list[Any]], list[tuple[str, int, str]]]:
        from jupyter_mlstudio.programs.batch_rows import Reader

        columns, rows = read_rows(self._root, piece)
        text = Path(piece.file).suffix.lower() in DELIMITERS
        good, feeds, failed = Reader(self._signature, columns, text=text).read(rows)
        errors = [(piece.file, piece.first_row + at, reason) for at, reason in failed]
        names = [spec.onnx_name or spec.name for spec in self._signature.outputs]
        found, bad = self._scored(names, feeds, list(range(len(good))))
        errors += [(piece.file, piece.first_row + good[at], reason) for at, reason in bad.items()]
        good = [row for at, row in enumerate(good) if at not in bad]
        if not good:
            return [], [], errors
        answered, values = self._answers(self._signature, found)
        ids = [[piece.file, piece.first_row + at] for at in good]
        table = [[*one, *row] for one, row in zip(ids, zip(*values, strict=True), strict=True)]
        return [*ROW_ID, *answered], table, errors

    def close(self) -> None:
        """Closes what it scores with, where that is a file."""
        if hasattr(self._session, "close"):
            self._session.close()

    def _scored(self, names: list[str], feeds: dict[str, Any], rows: list[int]) -> tuple[list[Any], dict[int, str]]:
        """Answers for some rows, without those that the model refuses, and why it does."""
        from jupyter_mlstudio.onnx.session import execute

        given = {name: tensor[rows] for name, tensor in feeds.items()}
        try:
            return (execute(self._session, names, given) if rows else []), {}
        except Invalid as error:
            if len(rows) == 1:
                return [], {rows[0]: error.message.removeprefix("row 0: ")}
            half = len(rows) // 2
            bad = self._scored(names, feeds, rows[:half])[1] | self._scored(names, feeds, rows[half:])[1]
            if not bad:  # it is not about one of the rows
                raise
        return self._scored(names, feeds, [row for row in rows if row not in bad])[0], bad


class ScriptScorer:
    """Scores files with a script of the user's: ``init()`` once, ``run(mini_batch)`` with the paths of each.

    Of a parallel job whose data are a table, a mini-batch is a data frame, from a file of the job's own.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        os.environ["AZUREML_MODEL_DIR"] = config["model_dir"]
        script = Path(config["script"])
        sys.path.insert(0, str(script.parent))
        sys.argv = [str(script), *(config.get("arguments") or [])]
        self._frames = bool(config.get("frames"))
        made = importlib.util.spec_from_file_location("scoring_script", script)
        assert made is not None
        assert made.loader is not None
        self._module = importlib.util.module_from_spec(made)
        sys.modules["scoring_script"] = self._module
        made.loader.exec_module(self._module)
        if not callable(getattr(self._module, "run", None)):
            raise Invalid(f"{script.name} has no function run(mini_batch)")
        self._root = Path(config["root"])
        if callable(begin := getattr(self._module, "init", None)):
            begin()

    def score(self, piece: Piece) -> tuple[list[str], list[list[Any]], list[tuple[str, int, str]]]:
        found = self._module.run(self._mini_batch(piece))
        if hasattr(found, "columns") and hasattr(found, "itertuples"):
            names = [str(name) for name in found.columns]
            rows = [[_json(value) for value in row] for row in found.itertuples(index=False)]
        else:
            names, rows = ["answer"], [[_json(value)] for value in found]
        label = piece.files[0] if len(piece.files) == 1 else ""
        files = list(piece.files) if len(rows) == len(piece.files) else [label] * len(rows)
        return [*ROW_ID, *names], [[file, at, *row] for at, (file, row) in enumerate(zip(files, rows, strict=True))], []

    def _mini_batch(self, piece: Piece) -> Any:
        paths = [str(self._root / file) for file in piece.files]
        if not self._frames:
            return paths
        import pandas as pd

        return pd.read_pickle(paths[0])


def main() -> int:
    """Works until standard input ends; exit status 3 when it cannot score at all, whoever tries again."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a script prints belongs into the run's log
    line = sys.stdin.readline()
    if not line:
        return 0
    config = json.loads(line)
    try:
        scorer: Scorer = ScriptScorer(config) if config["script"] else OnnxScorer(config)
    except (StudioError, OSError) as error:
        return _say(answers, {"failed": str(error)}, 3)
    except Exception as error:
        traceback.print_exc()
        return _say(answers, {"failed": f"{type(error).__name__}: {error}"}, 3)
    _say(answers, {"ready": os.getpid()})
    for line in sys.stdin:
        piece = Piece(**{**json.loads(line), "files": tuple(json.loads(line)["files"])})
        try:
            part = do(scorer, piece, Path(config["parts"]), config["output"])
            _say(answers, {"done": piece.number, "answered": part.answered, "failed": part.failed})
        except Exception as error:
            if not isinstance(error, StudioError):
                traceback.print_exc()
            _say(answers, {"error": f"{type(error).__name__}: {error}"[:1000], "number": piece.number})
    return 0


def do(scorer: Scorer, piece: Piece, folder: Path, output: str) -> Part:
    """Scores a mini-batch and writes its part and then its record."""
    columns, rows, errors = scorer.score(piece)
    content = written(columns, rows, output)
    part = Part(
        piece.number, len(rows), len(errors), columns, hashlib.sha256(content).hexdigest(), errors[:ERRORS_KEPT],
        _totals(columns, rows),
    )  # fmt: skip
    write_whole(part_file(folder, piece.number, output), content)
    write_whole(record_file(folder, piece.number), json.dumps(asdict(part)).encode())
    return part


def part_file(folder: Path, number: int, output: str) -> Path:
    """Where the rows of a part are."""
    return folder / f"{number:08d}{Path(output).suffix.lower() or '.none'}"


def record_file(folder: Path, number: int) -> Path:
    """Where the record of a part is."""
    return folder / f"{number:08d}.json"


def written(columns: Sequence[str], rows: list[list[Any]], output: str) -> bytes:
    """Writes rows in the output's form, without a header; nothing when only a summary is wanted."""
    match Path(output).suffix.lower():
        case ".csv":
            text = io.StringIO(newline="")
            csv.writer(text, lineterminator="\n").writerows(rows)
            return text.getvalue().encode()
        case ".jsonl":
            lines = (json.dumps(dict(zip(columns, map(_finite, row), strict=True))) for row in rows)
            return "".join(line + "\n" for line in lines).encode()
        case ".parquet":
            return _parquet(columns, rows)
    return b""


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file so that it is there as a whole, after a power cut too, or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _parquet(columns: Sequence[str], rows: list[list[Any]]) -> bytes:
    import pyarrow
    from pyarrow import parquet

    if not rows:
        return b""
    sink = io.BytesIO()
    table = pyarrow.table(dict(zip(columns, (list(one) for one in zip(*rows, strict=True)), strict=True)))
    parquet.write_table(table, sink)
    return sink.getvalue()


def _totals(columns: Sequence[str], rows: list[list[Any]]) -> dict[str, Any]:
    """What a summary is made of: how often each text, integer or truth was answered; sum and range of numbers."""
    totals: dict[str, Any] = {}
    for at, name in enumerate(columns[len(ROW_ID) :], len(ROW_ID)):
        values = [row[at] for row in rows if row[at] is not None]
        numbers = [value for value in values if isinstance(value, float)]
        if numbers:
            whole = [value for value in numbers if math.isfinite(value)]
            totals[name] = {"count": len(whole), "sum": math.fsum(whole)}
            totals[name] |= {"min": min(whole, default=None), "max": max(whole, default=None)}
        elif values and all(isinstance(value, (str, int)) for value in values):
            counts: dict[str, int] = {}
            for value in values:
                counts[str(value)] = counts.get(str(value), 0) + 1
            totals[name] = {"values": counts} if len(counts) <= 1000 else {"count": len(values)}
    return totals


def _json(value: Any) -> Any:
    if hasattr(value, "item"):
        value = value.item() if getattr(value, "size", 1) == 1 else value.tolist()
    return value if value is None or isinstance(value, (str, int, float, bool)) else json.dumps(value, default=str)


def _finite(value: Any) -> Any:
    return value if not isinstance(value, float) or math.isfinite(value) else None


def _say(answers: io.TextIOBase | Any, message: dict[str, Any], status: int = 0) -> int:
    answers.write(json.dumps(message) + "\n")
    answers.flush()
    return status


if __name__ == "__main__":
    sys.exit(main())
