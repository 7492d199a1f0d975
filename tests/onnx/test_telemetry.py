"""onnxruntime's own packages report to their maker; the studio's use of onnxruntime does not.

A library that keeps quiet in CI would pass here for the wrong reason, so what it knows CI by is taken away. What it
leaves in the user's folders (an identifier, events to be sent later) tells without a network whether it reports.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import jupyter_mlstudio
from tests.onnx.graphs import doubling

PACKAGE = Path(jupyter_mlstudio.__file__).parent
QUIETENS = re.compile(
    r"CI|APPVEYOR|BUILDKITE|CIRCLECI|CODEBUILD_BUILD_ID|GITHUB_ACTIONS|GITLAB_CI|JENKINS_URL|TEAMCITY_VERSION|TF_BUILD"
    r"|SYSTEM_TEAMFOUNDATIONCOLLECTIONURI|TRAVIS|ORT_.*|XDG_.*"
)
LOADS = re.compile(r"^ *(?:import|from) onnxruntime\b", re.MULTILINE)
SESSION = """
import sys, time
from pathlib import Path
import jupyter_mlstudio.onnx.session
import onnxruntime
onnxruntime.InferenceSession(Path(sys.argv[1]).read_bytes(), providers=["CPUExecutionProvider"])
time.sleep(1)
"""


def test_a_session_outside_of_ci_leaves_no_identifier_and_nothing_to_be_sent(tmp_path: Path) -> None:
    home, model = tmp_path / "home", tmp_path / "model.onnx"
    home.mkdir()
    model.write_bytes(doubling())
    environment = {name: value for name, value in os.environ.items() if not QUIETENS.fullmatch(name)}

    subprocess.run([sys.executable, "-c", SESSION, str(model)], env={**environment, "HOME": str(home)}, check=True)

    assert [str(path) for path in home.rglob("*")] == []


def test_whoever_loads_onnxruntime_has_silenced_it_before() -> None:
    silent = 'os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")'
    assert silent in (PACKAGE / "onnx" / "__init__.py").read_text(encoding="utf-8")
    loud = [
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if path.parent.name != "onnx" or path.name == "verify_parity.py"  # a script that stands alone
        if len(parts := LOADS.split(path.read_text(encoding="utf-8"), maxsplit=1)) > 1 and silent not in parts[0]
    ]
    assert loud == []
