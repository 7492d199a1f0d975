"""What a convert run executes: it loads a registered model, converts it to ONNX, compares, and reports.

This is the only place that unpickles a registered model, and it is a process of its own: the server never does.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlstudio.client import tracking
from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.wire import segment
from jupyter_mlstudio.entities.models import Conversion, ParityPolicy
from jupyter_mlstudio.errors import Invalid, StudioError
from jupyter_mlstudio.programs import context

if TYPE_CHECKING:
    from jupyter_mlstudio.plugins.converters.base import Converter, Source
    from jupyter_mlstudio.programs.ladder import Outcome

ONNX = "model.onnx"
NATIVE = "native"


def run(job: context.Job) -> int:
    """Converts the model version that the run's options name; it is a success when it can be served."""
    from jupyter_mlstudio.programs.derive import derived
    from jupyter_mlstudio.programs.operating_point import finished

    options = job.spec.get("options") or {}
    if "profile" in options:
        from jupyter_mlstudio.programs.profile import measure

        return measure(options["profile"])
    began = time.perf_counter()
    try:
        policy = ParityPolicy(**options["policy"]) if options.get("policy") else None
        outcome = convert(Path(str(options["folder"])) / NATIVE, options.get("tolerance"), policy,
                          trust_records=bool(options.get("logged")))  # fmt: skip
        outcome = finished(derived(outcome, options.get("derive"), policy), options.get("threshold"))
    except StudioError as error:
        report(options, Conversion(ready=False, reason=error.message))
        raise
    conversion = outcome.conversion
    if outcome.onnx is not None:
        for name, content in {ONNX: outcome.onnx, **outcome.evidence}.items():
            write_whole(job.run_folder / "artifacts" / name, content)
    report(options, conversion)
    _log(outcome, time.perf_counter() - began)
    return 0 if conversion.ready else context.failed(job, conversion.reason)


def convert(
    folder: Path, tolerance: float | None = None, policy: ParityPolicy | None = None, *, trust_records: bool = False
) -> Outcome:
    """Converts the model in a folder with the converter that accepts it.

    Args:
        trust_records: take what ``log_model`` kept of the model's own answers, which needs no framework. Not for files
            of unknown origin: whoever wrote them could say anything about what the model answers.

    Raises:
        Invalid: no converter accepts it, or it cannot be loaded.
    """
    from jupyter_mlstudio.plugins.converters.base import Source
    from jupyter_mlstudio.programs.ladder import climb, serve_as_is

    source = Source(folder, read_manifest(folder))
    converter = find_converter(source)
    if trust_records and (known := converter.recorded(source)) is not None:
        outcome = climb(converter, known, tolerance, policy)
        if outcome.conversion.ready:
            return outcome
        print(f"what was recorded when the model was logged did not do: {outcome.conversion.reason}")
    original = converter.load(source)
    if original.rows is None:
        return serve_as_is(converter, original)
    return climb(converter, original, tolerance, policy)


def read_manifest(folder: Path) -> dict[str, object]:
    """Reads what ``log_model`` wrote beside the model; empty when there is nothing.

    Raises:
        Invalid: it is not a JSON object, or names a file elsewhere.
    """
    path = folder / "mlstudio.json"
    if not path.is_file():
        return {}
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise Invalid(f"{path.name} of the model is not JSON") from error
    if not isinstance(manifest, dict):
        raise Invalid(f"{path.name} of the model is not a JSON object")
    for what in ("file", "sample", "targets"):
        name = manifest.get(what)
        if name is not None and (not isinstance(name, str) or Path(name).name != name or name in ("", "..")):
            raise Invalid(f"{path.name} of the model names {str(name)[:80]!r}, which is no file beside it")
    return manifest


def find_converter(source: Source) -> Converter:
    """Finds the converter for a model's files.

    Raises:
        Invalid: none accepts them; nothing was loaded.
    """
    from jupyter_mlstudio.plugins import registry

    for name in registry.names("converters"):
        converter: Converter = registry.load("converters", name)()
        if converter.accepts(source):
            return converter
    files = sorted(str(path.relative_to(source.folder)) for path in source.folder.rglob("*") if path.is_file())[:5]
    kind = source.manifest.get("framework") or source.manifest.get("class")
    what = f"a model of {kind}" if kind else f"the files {', '.join(files) or '(none)'}"
    raise Invalid(
        f"no converter accepts {what}; nothing was loaded. Log scikit-learn models with log_model(model, sample=X) or"
        f" MLflow, or log an ONNX file. Installed: {', '.join(registry.names('converters'))}"
    )


def report(options: dict[str, object], conversion: Conversion) -> None:
    """Tells the studio what the conversion found."""
    path = f"models/{segment(options['model'])}/versions/{options['version']}/conversion"
    connect().post(path, _plain(asdict(conversion)), timeout_s=120.0)


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file so that it is there as a whole or not at all; the studio's own copy is the one that is synced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    temporary.write_bytes(content)
    temporary.replace(path)


def _plain(value: object) -> object:
    """Floats that are not finite as the text that stands for them on the wire."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not -1.8e308 < value < 1.8e308:
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return value


def _log(outcome: Outcome, seconds: float) -> None:
    """Keeps what was measured as metrics and lines of the run's log."""
    parity = outcome.conversion.parity
    for attempt in parity.attempts if parity else []:
        numbers = f"{attempt.label_flips} label flips, largest difference {attempt.max_abs_difference}"
        print(f"{attempt.dtype}: {attempt.error or numbers}{' (accepted)' if attempt.accepted else ''}")
    print(", ".join(f"{what} {took:.2f} s" for what, took in outcome.seconds.items()) + f", in all {seconds:.2f} s")
    if parity is not None and parity.recorded:
        print(f"the original's answers were recorded by {parity.recorded} when the model was logged")
    if parity is not None:
        metrics = {"max_abs_difference": float(parity.max_abs_difference), "rows_compared": float(parity.rows)}
        if parity.label_flips is not None:
            metrics["label_flips"] = float(parity.label_flips)
        tracking.log_metrics(metrics)


if __name__ == "__main__":
    sys.exit(context.execute(run, record=False))
