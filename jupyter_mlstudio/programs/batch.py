"""What a batch run executes: a data set in mini-batches, scored by worker processes, each row exactly once.

The plan of mini-batches is written before the first is scored, and a mini-batch is done when its record is there. So a
run that was killed goes on where it was: the run that tries it again takes over the plan and the parts that are done.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client import tracking
from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.wire import segment
from jupyter_mlstudio.entities.batch import BatchSummary
from jupyter_mlstudio.entities.models import MANY
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, Invalid
from jupyter_mlstudio.programs import context, tables
from jupyter_mlstudio.programs.batch_merge import errors_of, merge, summed
from jupyter_mlstudio.programs.batch_work import record_file, write_whole
from jupyter_mlstudio.programs.tables import Piece

START_S = 120.0
REPORT_S = 0.5


class Batch:
    """One batch run.

    Args:
        job: its options say what to score: ``files`` with their sizes and times, ``settings``, ``model``, ``version``.
    """

    def __init__(self, job: context.Job) -> None:
        self._options: Mapping[str, JSON] = job.spec["options"]
        self._settings: Mapping[str, JSON] = self._options["settings"]
        self._run_folder = job.run_folder
        self._entry = job.entry
        self._folder = job.run_folder / "batch"
        self._root = Path(self._options["root"])
        self._output = str(self._settings["output_file_name"])
        if self._settings["output_action"] != "append_row":
            self._output = ""
        self._pieces: list[Piece] = []
        self._waiting: queue.Queue[tuple[Piece, int]] = queue.Queue()
        self._lock = threading.Lock()
        self._left = 0
        self._failures: list[tuple[str, int, str]] = []
        self._failed_rows = 0
        self._answered_rows = 0
        self._over = threading.Event()
        self._fatal: Exception | None = None

    def run(self) -> int:
        """Scores everything that is not done yet, and puts it together."""
        self._folder.mkdir(exist_ok=True)
        self._take_over()
        self._check_inputs()
        self._pieces = self._plan()
        todo = [piece for piece in self._pieces if not record_file(self._folder, piece.number).exists()]
        self._count_done()
        print(f"{len(self._pieces)} mini-batches, {len(self._pieces) - len(todo)} done before", flush=True)
        self._left = len(todo)
        for piece in todo:
            self._waiting.put((piece, 0))
        if todo:
            self._work(min(int(self._settings["max_concurrency"]), len(todo)))
        self._check_failures()
        self._finish()
        return 0

    def _take_over(self) -> None:
        """Takes plan and parts of the run that this one tries again; those that failed only if they are not to be."""
        before = self._options.get("resume_from")
        folder = self._run_folder.parent / str(before) / "batch" if before else None
        if folder is None or not (folder / "plan.json").is_file() or (self._folder / "plan.json").exists():
            return
        for path in sorted(folder.iterdir(), key=lambda one: (one.name == "plan.json", one.suffix == ".json")):
            if not path.name.startswith(".") and not (self._options.get("failed_again") and _failed(path)):
                with contextlib.suppress(FileExistsError):
                    os.link(path, self._folder / path.name)

    def _check_inputs(self) -> None:
        """Makes sure that the files are those that were there when the run was asked for."""
        for known in self._options["files"]:
            path = self._root / known["path"]
            try:
                now = path.stat()
            except OSError as error:
                raise Conflict(f"the input {known['path']!r} is gone: {error.strerror}") from error
            if (now.st_size, now.st_mtime_ns) != (known["size_bytes"], known["mtime_ns"]):
                raise Conflict(f"the input {known['path']!r} was changed since the job was made: invoke it again")

    def _plan(self) -> list[Piece]:
        path = self._folder / "plan.json"
        if path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            return [Piece(**{**piece, "files": tuple(piece["files"])}) for piece in kept]
        files = [str(known["path"]) for known in self._options["files"]]
        size = int(self._settings["mini_batch_size"])
        pieces = tables.of_files(files, size) if self._entry else tables.of_rows(self._root, files, size)
        write_whole(path, json.dumps([piece.as_dict() for piece in pieces]).encode())
        return pieces

    def _count_done(self) -> None:
        for record in self._records():
            self._failed_rows += record["failed"]
            self._answered_rows += record["answered"]
            self._failures += [tuple(error) for error in record["errors"]]

    def _config(self) -> dict[str, JSON]:
        options = self._options
        config: dict[str, JSON] = {
            "root": str(self._root), "parts": str(self._folder), "output": self._output, "script": None,
        }  # fmt: skip
        if self._entry is not None:
            own = {name: options.get(name) for name in ("arguments", "frames")}
            return config | {"script": str(self._entry), "model_dir": str(options["model_dir"]), **own}
        version = connect().get(f"models/{segment(str(options['model']))}/versions/{options['version']}")
        digests = {file["path"]: file["sha256"] for file in version["files"]}
        onnx = Path(str(options["onnx"]))
        onnx = onnx.with_name(MANY) if MANY in digests else onnx
        if onnx.name not in digests:
            raise Conflict(f"version {options['version']} of {options['model']!r} has no ONNX file")
        return config | {"onnx": str(onnx), "sha256": digests[onnx.name], "signature": version["signature"]}

    def _work(self, count: int) -> None:
        config = self._config()
        threads = [threading.Thread(target=self._drive, args=(config,), daemon=True) for _ in range(count)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            self._over.wait(REPORT_S)
            self._report()
            if self._over.is_set():
                for thread in threads:
                    thread.join()
        if self._fatal is not None:
            raise self._fatal

    def _drive(self, config: dict[str, JSON]) -> None:
        """Gives one worker its mini-batches; starts it again when it dies or takes too long."""
        worker: Worker | None = None
        try:
            while not self._over.is_set():
                try:
                    piece, tried = self._waiting.get(timeout=0.1)
                except queue.Empty:
                    continue
                worker = worker if worker is not None and worker.lives else Worker(config)
                self._settle(piece, tried, worker.score(piece, float(self._settings["retries"]["timeout_s"])))
        except Exception as error:  # the others would wait for what this one has taken
            self._fatal = self._fatal or error
            self._over.set()
        finally:
            if worker is not None:
                worker.end()

    def _settle(self, piece: Piece, tried: int, error: str) -> None:
        if error and tried < int(self._settings["retries"]["max_retries"]):
            print(f"mini-batch {piece.number}: {error}; try {tried + 2}", file=sys.stderr, flush=True)
            self._waiting.put((piece, tried + 1))
            return
        with self._lock:
            if error:
                reason = f"the mini-batch failed after {tried + 1} tries: {error}"
                print(f"mini-batch {piece.number}: {reason}", file=sys.stderr, flush=True)
                self._give_up(piece, reason)
            record = json.loads(record_file(self._folder, piece.number).read_text(encoding="utf-8"))
            self._failed_rows += record["failed"]
            self._answered_rows += record["answered"]
            self._failures += [tuple(one) for one in record["errors"]]
            self._left -= 1
            if self._left == 0 or self._too_many():
                self._over.set()

    def _give_up(self, piece: Piece, reason: str) -> None:
        """Records a mini-batch that cannot be scored: all of its rows failed."""
        rows = [(file, 0, reason) for file in piece.files] or [(piece.file, piece.first_row, reason)]
        record = {
            "number": piece.number, "answered": 0, "failed": piece.items, "columns": [], "sha256": "",
            "errors": rows, "totals": {},
        }  # fmt: skip
        write_whole(record_file(self._folder, piece.number), json.dumps(record).encode())

    def _too_many(self) -> bool:
        threshold = int(self._settings["error_threshold"])
        return 0 <= threshold < self._failed_rows

    def _check_failures(self) -> None:
        if self._too_many():
            errors_of(self._failures, self._run_folder / "artifacts")
            file, row, reason = self._failures[0]
            what = "files" if self._entry else "rows"
            raise Invalid(
                f"{self._failed_rows} {what} failed where {self._settings['error_threshold']} may; the first, {file}"
                f" {'' if self._entry else f'row {row} '}- {reason}"
            )

    def _finish(self) -> None:
        records = list(self._records())
        artifacts = self._run_folder / "artifacts"
        errors_of(self._failures, artifacts)
        path = merge(self._folder, records, self._output, artifacts) if self._output else None
        summary = BatchSummary(
            rows=sum(piece.items for piece in self._pieces), answered=sum(record["answered"] for record in records),
            failed=self._failed_rows, mini_batches=len(self._pieces),
            files=[str(known["path"]) for known in self._options["files"]],
            output=path.name if path else None, sha256=_digest(path) if path else None, answers=summed(records),
        )  # fmt: skip
        write_whole(artifacts / "summary.json", json.dumps(asdict(summary), indent=1).encode())
        self._report()
        print(f"{summary.answered} answered, {summary.failed} failed", flush=True)
        shutil.rmtree(self._folder)

    def _records(self) -> Iterator[dict[str, Any]]:
        for piece in self._pieces:
            path = record_file(self._folder, piece.number)
            if path.exists():
                yield json.loads(path.read_text(encoding="utf-8"))

    def _report(self) -> None:
        done = len(self._pieces) - self._left
        tracking.progress(done, len(self._pieces), f"{done} of {len(self._pieces)} mini-batches")
        counts = {"mini_batches_done": done, "rows_answered": self._answered_rows, "rows_failed": self._failed_rows}
        tracking.log_metrics({name: float(count) for name, count in counts.items()})


class Worker:
    """One worker process and its answers.

    Raises:
        Invalid: it cannot score at all; trying again is of no use.
    """

    def __init__(self, config: Mapping[str, JSON]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_mlstudio.programs.batch_work"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self._tell(config)
        answer = self._hear(START_S)
        if answer is None or "failed" in answer:
            self.end()
            raise Invalid(str(answer["failed"]) if answer else "the worker ended before it could score")

    @property
    def lives(self) -> bool:
        """Whether it can be given something."""
        return self._process.poll() is None

    def score(self, piece: Piece, timeout_s: float) -> str:
        """Has a mini-batch scored; answers what went wrong, or nothing."""
        self._tell(piece.as_dict())
        began = time.monotonic()
        answer = self._hear(timeout_s)
        if answer is not None:
            return str(answer.get("error", ""))
        timed_out = time.monotonic() - began >= timeout_s
        self.end()
        status = self._process.returncode
        if timed_out:
            return f"it took longer than {timeout_s:g} s"
        return f"the worker was killed by signal {-status}" if status < 0 else f"the worker ended with status {status}"

    def end(self) -> None:
        """Ends it at once: what is not done is done again."""
        self._process.kill()
        self._process.wait()

    def _tell(self, message: Mapping[str, JSON]) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()

    def _hear(self, timeout_s: float) -> dict[str, Any] | None:
        try:
            return self._answers.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError, OSError):
            for line in self._process.stdout:
                self._answers.put(json.loads(line))
        self._answers.put(None)


def _failed(path: Path) -> bool:
    """Whether it is the record of a mini-batch of which something failed."""
    if path.suffix != ".json" or path.name == "plan.json":
        return False
    return bool(json.loads(path.read_text(encoding="utf-8"))["failed"])


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def run(job: context.Job) -> int:
    """Scores the data set that the run's options name."""
    return Batch(job).run()


if __name__ == "__main__":
    sys.exit(context.execute(run))
