"""What a convert run executes: it loads a registered model, converts it to ONNX, compares, and reports.

This is the only place that unpickles a registered model, and it is a process of its own: the server never does.
"""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from jupyter_mlstudio.client import tracking
from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.wire import segment
from jupyter_mlstudio.entities.models import MANY, Conversion, ParityPolicy
from jupyter_mlstudio.errors import Invalid, StudioError
from jupyter_mlstudio.programs import context
from jupyter_mlstudio.programs.convert_sources import find_converter as find_converter
from jupyter_mlstudio.programs.convert_sources import read_manifest as read_manifest

if TYPE_CHECKING:
    from jupyter_mlstudio.programs.ladder import Outcome

ONNX = "model.onnx"
NATIVE = "native"
TOLD_WITHIN_S = 1200.0
"""The studio checks the file before it answers; one of many models takes its time."""


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
        native = Path(str(options["folder"])) / NATIVE
        manifest = read_manifest(native)
        if manifest.get("kind") == "many":
            outcome = _many(native, manifest, job.run_folder / "artifacts" / MANY, options, policy)
        else:
            outcome = convert(native, options.get("tolerance"), policy, trust_records=bool(options.get("logged")))
            outcome = finished(derived(outcome, options.get("derive"), policy), options.get("threshold"),
                               options.get("positive_label"))  # fmt: skip
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


def _many(
    native: Path, manifest: dict[str, object], target: Path, options: dict[str, object], policy: ParityPolicy | None
) -> Outcome:
    """Converts many models; what is done to one graph cannot be done to them."""
    from jupyter_mlstudio.programs.convert_many import convert_many

    asked = next((what for what in ("threshold", "derive") if options.get(what) is not None), None)
    if asked is not None:
        what = {"threshold": "a decision threshold", "derive": "a newer opset or 8-bit weights"}[asked]
        raise Invalid(f"{what} is for one model; this version has one for each {manifest['partition_by']}")
    tolerance = options.get("tolerance")
    return convert_many(native, manifest, target, None if tolerance is None else float(str(tolerance)), policy)


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


def report(options: dict[str, object], conversion: Conversion) -> None:
    """Tells the studio what the conversion found."""
    path = f"models/{segment(options['model'])}/versions/{options['version']}/conversion"
    connect().post(path, _plain(asdict(conversion)), timeout_s=TOLD_WITHIN_S)


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


def main() -> NoReturn:
    """Executes the convert run that this process is the work of."""
    context.leave(context.execute(run, record=False))


if __name__ == "__main__":
    main()
