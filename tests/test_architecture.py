"""Imports run one way. Read with ``ast`` alone, imports inside functions and under ``TYPE_CHECKING`` included."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import jupyter_mlstudio

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "jupyter_mlstudio"
NAME = PACKAGE.name

GROUND = {"errors", "entities", "_version"}
"""What every room may import; standard library only."""

STUDIO_WING = {"extension", "handlers", "clock", "rooms", "runner", "api", "studio", "services", "store", "workspace"}
RUN_WING = {"client", "kernel", "programs", "serving", "sweeps", "onnx", "learning"}
ARROWS: dict[str, set[str]] = {
    "errors": set(),
    "_version": set(),
    "entities": set(),
    "workspace": set(),
    "store": {"workspace"},
    "services": {"store", "workspace"},
    "studio": {"services", "store", "workspace"},
    "api": {"studio"},
    "extension": {"workspace", "handlers", "clock", "rooms", "runner"},
    "handlers": {"api", "studio", "rooms"},
    "clock": {"api", "studio", "rooms"},
    "rooms": {"studio", "services", "workspace"},
    "runner": {"api", "studio", "services", "store", "workspace", "plugins"},
    "cli": {"client", "kernel", "demo", "studio", "workspace", "api"},
    "demo": set(),
    "events": set(),
    "client": {"onnx", "learning"},
    "kernel": {"client"},
    "onnx": set(),
    "learning": {"onnx"},
    "serving": {"onnx"},
    "sweeps": set(),
    "plugins": {"onnx"},
    "programs": {"client", "plugins", "onnx", "serving", "sweeps", "learning"},
    "testing": {"client", "plugins", "programs", "onnx"},
    "__init__": {"_version", "client", "kernel", "extension"},
    "__main__": {"cli"},
}
"""Which room may import which, besides :data:`GROUND`."""

STARTED = ("cell", "script", "notebook", "command")
"""Programs that run in the user's own environment, which may be bare."""

HEAVY = {
    "sqlalchemy",
    "alembic",
    "pydantic",
    "sklearn",
    "pandas",
    "plotly",
    "optuna",
    "onnx",
    "onnxruntime",
    "numpy",
    "scipy",
}


class Module:
    """One file, and what it imports."""

    def __init__(self, path: Path) -> None:
        self.path = path
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        self.name = ".".join((NAME, *parts)).removesuffix(".__init__")
        self.room = parts[0]
        self.tree = ast.parse(path.read_text(encoding="utf-8"))

    def imports(self, *, at_once: bool = False) -> Iterator[str]:
        """Names of modules it imports; ``at_once`` leaves out what waits for a call or is for the type checker."""
        for node in _executed(self.tree.body) if at_once else ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.name}: relative import"
                for alias in node.names:
                    whole = f"{node.module}.{alias.name}"
                    yield whole if whole in MODULES else str(node.module)


def _executed(body: list[ast.stmt]) -> Iterator[ast.AST]:
    for node in body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _executed(node.orelse)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        elif isinstance(node, ast.ClassDef | ast.If | ast.Try | ast.With):
            for name in ("body", "orelse", "handlers", "finalbody"):
                for part in getattr(node, name, []):
                    yield from _executed(part.body if isinstance(part, ast.ExceptHandler) else [part])
        else:
            yield node


def _files() -> list[Path]:
    left_out = {"migrations", "labextension", "static"}
    return [path for path in sorted(PACKAGE.rglob("*.py")) if not left_out & set(path.parts)]


MODULES: dict[str, Module] = {}
for _path in _files():
    _module = Module(_path)
    MODULES[_module.name] = _module
ROOMS = sorted({module.room for module in MODULES.values()})


def _room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def test_every_room_has_its_arrows_written_down() -> None:
    assert set(ROOMS) == set(ARROWS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_its_arrows_allow(room: str) -> None:
    allowed = ARROWS[room] | GROUND | {room}
    strangers = sorted(
        f"{module.name} imports {name}"
        for module in MODULES.values()
        if module.room == room
        for name in module.imports()
        if name.split(".")[0] == NAME and name != f"{NAME}.__version__" and _room(name) not in allowed
    )
    assert not strangers


def test_the_two_wings_never_import_each_other() -> None:
    """Only ``cli``, which a person starts, speaks to both: through the client where it can."""
    for room in STUDIO_WING:
        assert not ARROWS[room] & RUN_WING, room
    for room in RUN_WING:
        assert not ARROWS[room] & STUDIO_WING, room


def test_no_imports_go_in_a_circle_not_even_for_the_type_checker() -> None:
    arrows = {
        module.name: {name for name in module.imports() if name in MODULES and name != module.name}
        for module in MODULES.values()
        if module.name != NAME
    }
    arrows = {name: {other for other in others if other != NAME} for name, others in arrows.items()}
    assert not list(_circles(arrows))


def test_what_lies_lowest_imports_the_standard_library_only() -> None:
    ground = [module for module in MODULES.values() if module.room in ("errors", "entities", "_version")]
    assert not _strangers(ground, at_once=False)


def test_what_user_code_imports_imports_the_standard_library_only() -> None:
    """What is promised and what a run starts, and whatever these import before anything is called."""
    homes = [f"{NAME}.{home}" for home in jupyter_mlstudio._HOMES]
    wanted = [*homes, *(f"{NAME}.programs.{kind}" for kind in STARTED)]
    reached: dict[str, Module] = {}
    while wanted:
        module = MODULES[wanted.pop()]
        reached[module.name] = module
        wanted += [name for name in module.imports(at_once=True) if name in MODULES and name not in reached]
    assert not _strangers(reached.values(), at_once=True)


def test_what_guards_a_run_imports_nothing_that_runs_are_made_of() -> None:
    """Each run has a process of its own that guards it: what that imports is paid for with each run."""
    found = _imported_by(f"import {NAME}.runner.record, {NAME}.runner.gateway")
    assert not found & (HEAVY - {"sqlalchemy", "pydantic"})
    assert "sqlalchemy.dialects.postgresql" not in found
    unused = {"services.models", "services.endpoints", "services.automl", "services.sweeps", "api.table", "api.mlflow"}
    assert not found & {f"{NAME}.{module}" for module in unused}


def test_a_server_start_imports_nothing_heavy() -> None:
    found = _imported_by(
        "import jupyter_mlstudio as package; package._jupyter_server_extension_points()",
        besides="import jupyter_server.serverapp",
    )
    assert not found & HEAVY, "the server's start imports them"
    assert f"{NAME}.studio" not in found
    assert len(found) < 12, sorted(found)


def _imported_by(code: str, besides: str = "") -> set[str]:
    """What a process imports for some code, apart from what it imported for other code before."""
    script = f"import json, sys\n{besides}\nbefore = set(sys.modules)\n{code}\n"
    script += "print(json.dumps(sorted(set(sys.modules) - before)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(json.loads(done.stdout))


def _strangers(modules: Iterable[Module], *, at_once: bool) -> list[str]:
    own = sys.stdlib_module_names | {NAME}
    found = ((module, name) for module in modules for name in module.imports(at_once=at_once))
    return sorted(f"{module.name} imports {name}" for module, name in found if name.split(".")[0] not in own)


def _circles(arrows: dict[str, set[str]]) -> Iterator[list[str]]:
    """Yields circles, each as the path that closes it (a depth-first search with three colours)."""
    done: set[str] = set()
    path: list[str] = []

    def visit(name: str) -> Iterator[list[str]]:
        if name in path:
            yield [*path[path.index(name) :], name]
            return
        if name in done:
            return
        path.append(name)
        for other in sorted(arrows.get(name, ())):
            yield from visit(other)
        path.pop()
        done.add(name)

    for name in sorted(arrows):
        yield from visit(name)
