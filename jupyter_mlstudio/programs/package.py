"""What a package run executes: writes a model version's bundle, and what its target needs, into the run's artifacts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, Invalid
from jupyter_mlstudio.plugins import registry
from jupyter_mlstudio.plugins.deployment import bundle
from jupyter_mlstudio.plugins.deployment.base import Facts, Target
from jupyter_mlstudio.programs import context


def run(job: context.Job) -> int:
    """Packages the version that the run's options name."""
    options: dict[str, JSON] = dict(job.spec.get("options") or {})
    target: Target = registry.load("deployment", str(options["target"]))()
    asked: dict[str, Any] = dict(options.get("target_options") or {})
    if strange := sorted(set(asked) - set(target.options)):
        known = ", ".join(target.options) or "none"
        raise Invalid(f"{strange[0]!r} is not an option of the target {target.name}; there are {known}")
    facts = Facts(**{**options["facts"], "onnx": Path(options["facts"]["onnx"])})
    if bundle.digest(facts.onnx) != facts.sha256:
        raise Conflict("digest mismatch: the ONNX file was changed after it was registered; register the model again")
    artifacts = job.run_folder / "artifacts"
    folder = bundle.write(artifacts / f"{bundle.slug(facts.name)}-{facts.version}", facts)
    made = [folder, *target.write(facts, folder, asked)]
    for path in made:
        print(path.relative_to(artifacts).as_posix(), flush=True)
    return 0


if __name__ == "__main__":
    context.leave(context.execute(run, record=False))
