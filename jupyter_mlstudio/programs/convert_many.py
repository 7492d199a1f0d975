"""Converts the models of a partitioned run: each by itself, all into one file, which is then asked and compared.

What is compared twice: each model's ONNX form with its original, as for any model, and the whole file, through the same
reading, routing and session as a request to an endpoint, on rows of all parts in mixed order.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
import zipfile
from dataclasses import asdict, replace
from pathlib import Path

import msgspec
import numpy as np

from jupyter_mlstudio.client.rows import request
from jupyter_mlstudio.entities.models import (
    MANY,
    Conversion,
    ParityAttempt,
    ParityPolicy,
    ParityReport,
)
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid, StudioError
from jupyter_mlstudio.onnx import parity
from jupyter_mlstudio.onnx.protocol import Protocol, request_for
from jupyter_mlstudio.onnx.routed import RoutedSession
from jupyter_mlstudio.onnx.routes import INDEX, Route, Routes
from jupyter_mlstudio.onnx.session import RUNTIME, execute
from jupyter_mlstudio.plugins.converters.base import Converted, Original, Prediction, Source
from jupyter_mlstudio.plugins.converters.files import whole_file
from jupyter_mlstudio.programs import evidence
from jupyter_mlstudio.programs.convert_sources import find_converter, read_manifest
from jupyter_mlstudio.programs.ladder import SAMPLE_ROWS_SHOWN, Outcome, climb
from jupyter_mlstudio.programs.many_merged import Merged, Piece, merged
from jupyter_mlstudio.programs.operating_point import measure_session

KIND = "many"
ROWS, LEAST_ROWS = 20_000, 5
"""So many rows are compared of all parts together, and at least so many of each."""

REASONS_SAID = 3


def convert_many(
    folder: Path,
    manifest: dict[str, JSON],
    target: Path,
    tolerance: float | None = None,
    policy: ParityPolicy | None = None,
) -> Outcome:
    """Converts what :func:`jupyter_mlstudio.programs.automl_many.pack` wrote.

    Args:
        folder: of the model's own files.
        target: where the archive of ONNX models is written.
        tolerance, policy: as for one model; they hold for each of the models and for all together.

    Raises:
        Invalid: no part has a model that converts, or the parts do not fit together.
    """
    began = time.perf_counter()
    policy = policy or ParityPolicy()
    target.parent.mkdir(parents=True, exist_ok=True)
    by = [str(name) for name in manifest["partition_by"]]
    each = max(LEAST_ROWS, ROWS // max(1, len(manifest["parts"])))
    pieces: list[Piece] = []
    failed: list[tuple[list[JSON], str]] = []
    with (
        zipfile.ZipFile(whole_file(Source(folder, manifest))) as parts,
        zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive,
    ):
        for number, part in enumerate(manifest["parts"]):
            key = [part["key"][name] for name in by]
            try:
                if part.get("reason"):
                    raise Invalid(str(part["reason"]))
                piece, onnx = _piece(parts, str(part["folder"]), key, each, tolerance, policy)
            except StudioError as error:
                failed.append((key, error.message[:300]))
                print(f"{_named(by, key)}: no model: {error.message}", flush=True)
                continue
            piece.file = f"{number:05d}.onnx"
            archive.writestr(_entry(piece.file), onnx)
            piece.sha256 = hashlib.sha256(onnx).hexdigest()
            pieces.append(piece)
        if not pieces:
            raise Invalid(f"no part has a model that converts; the first, {_named(by, failed[0][0])}: {failed[0][1]}")
        all_of = merged(by, pieces, [key for key, _ in failed])
        routes = [*all_of.routes, *(Route(key=key, reason=reason) for key, reason in failed)]
        index = Routes(by=by, datatypes=all_of.datatypes, routes=routes,
                       outputs={spec.name: spec.datatype for spec in all_of.signature.outputs},
                       classes=len(all_of.signature.labels))  # fmt: skip
        archive.writestr(_entry(INDEX), json.dumps(asdict(index)))
    took = {"convert": time.perf_counter() - began}
    reason = _left_out(by, failed, len(manifest["parts"]))
    strict = policy if tolerance is None else _strict(policy, tolerance)
    with RoutedSession(target) as session:
        conversion = _compared(session, all_of, pieces, strict, reason)
    took["compare"] = time.perf_counter() - began - took["convert"]
    return Outcome(conversion, None, took)


def _piece(
    parts: zipfile.ZipFile, name: str, key: list[JSON], rows: int, tolerance: float | None, policy: ParityPolicy
) -> tuple[Piece, bytes]:
    """Converts one part's model and compares it on all its sample rows; keeps some of them with its answers."""
    with tempfile.TemporaryDirectory(prefix="mlstudio-part-") as temporary:
        folder = Path(temporary)
        for entry in parts.infolist():
            home, _, file = entry.filename.partition("/")
            if home == name and file and Path(file).name == file:
                (folder / file).write_bytes(parts.read(entry))
        source = Source(folder, read_manifest(folder))
        converter = find_converter(source)
        original = converter.load(source)
        if original.rows is None:
            raise Invalid("it has no sample rows, so its ONNX form cannot be compared")
        outcome = climb(converter, original, tolerance, policy)
        found = outcome.conversion
        if not found.ready or outcome.onnx is None or found.signature is None or found.parity is None:
            raise Invalid(found.reason)
        picks = np.linspace(0, len(original.rows) - 1, min(rows, len(original.rows))).round().astype(int)
        some = Original(original.model, original.rows.iloc[picks], original.framework)
        expected = converter.predict(some)
    read = Protocol(found.signature, "model", "1", rows_limit=10**9)
    feeds = dict(read.read(msgspec.json.encode(request(found.signature, some.rows))).feeds)
    return Piece(key, found.signature, feeds, expected, found.parity, original.framework), outcome.onnx


def _compared(
    session: RoutedSession, all_of: Merged, pieces: list[Piece], policy: ParityPolicy, reason: str
) -> Conversion:
    """Asks the whole file for rows of all parts in mixed order."""
    signature = all_of.signature
    order = np.random.default_rng(0).permutation(len(next(iter(all_of.feeds.values()))))
    mixed = {name: tensor[order] for name, tensor in all_of.feeds.items()}
    expected = Prediction(
        *(None if values is None else np.asarray(values)[order]
          for values in (all_of.expected.labels, all_of.expected.probabilities, all_of.expected.values))
    )  # fmt: skip
    protocol = Protocol(signature, "model", "1", rows_limit=10**9)
    feeds = protocol.read(msgspec.json.encode(request_for(signature, mixed))).feeds
    names = [spec.name for spec in signature.outputs]
    by_name = dict(zip(names, execute(session, names, feeds), strict=True))
    found = Prediction(by_name.get("label"), by_name.get("probabilities"), by_name.get("prediction"))
    usual = parity.REGRESSOR_TOLERANCE if expected.labels is None else parity.CLASSIFIER_TOLERANCE
    policy = policy if policy.max_abs_difference is not None else _strict(policy, usual)
    if expected.labels is None:
        comparison = parity.compare_regressors(expected.values, found.values)
    else:
        comparison = parity.compare_classifiers(
            expected.labels, found.labels, expected.probabilities, found.probabilities, policy.max_abs_difference or 0.0
        )
    ready = comparison.within(policy)
    dtypes = sorted({piece.parity.dtype for piece in pieces})
    report = ParityReport(
        rows=comparison.rows, label_flips=comparison.label_flips, ties=comparison.ties,
        max_abs_difference=comparison.max_abs_difference, mean_abs_difference=comparison.mean_abs_difference,
        quantiles=comparison.quantiles, tolerance=policy.max_abs_difference or 0.0, policy=policy,
        dtype=", ".join(dtypes), opset=max(piece.parity.opset for piece in pieces), worst_rows=comparison.worst_rows,
        attempts=[ParityAttempt(dtype=", ".join(dtypes), label_flips=comparison.label_flips,
                                max_abs_difference=comparison.max_abs_difference,
                                mean_abs_difference=comparison.mean_abs_difference, accepted=ready)],
        runtime=RUNTIME, worst=evidence.worst(comparison, feeds, Converted(b"", signature), expected, found),
    )  # fmt: skip
    if not ready:
        reason = "the models do not answer together as each does by itself"
    some = {name: tensor[all_of.firsts[:SAMPLE_ROWS_SHOWN]] for name, tensor in all_of.feeds.items()}
    return Conversion(
        ready=ready, reason=reason, framework=pieces[0].framework, onnx=MANY if ready else None, signature=signature,
        parity=report, sample=request_for(signature, some) if ready else None,
        profile=measure_session(session, mixed, names) if ready else None,
    )  # fmt: skip


def _strict(policy: ParityPolicy, tolerance: float) -> ParityPolicy:
    return replace(policy, max_abs_difference=tolerance)


def _left_out(by: list[str], failed: list[tuple[list[JSON], str]], count: int) -> str:
    """What is said of parts without a model; rows of theirs are refused."""
    if not failed:
        return ""
    named = "; ".join(f"{_named(by, key)}: {reason}" for key, reason in failed[:REASONS_SAID])
    more = f"; and {len(failed) - REASONS_SAID} more" if len(failed) > REASONS_SAID else ""
    return f"{len(failed)} of {count} parts have no model: {named}{more}"


def _named(by: list[str], key: list[JSON]) -> str:
    return ", ".join(f"{name}={'missing' if value is None else value}" for name, value in zip(by, key, strict=True))


def _entry(name: str) -> zipfile.ZipInfo:
    """An entry that says nothing of the time: the same models are the same bytes."""
    return zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
