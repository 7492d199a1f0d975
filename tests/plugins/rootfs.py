"""A small root file system made of this machine's own Python: what a base image is, without a registry."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from jupyter_mlstudio.plugins.deployment import bundle, oci


def make(folder: Path) -> Path:
    """Copies the interpreter, its library, a shell and what they link to; answers the folder."""
    python = Path(sys._base_executable).resolve()  # type: ignore[attr-defined]
    library = Path(sysconfig.get_path("stdlib")).resolve()
    _copy(python, folder / "usr/bin/python3")
    shutil.copytree(
        library, folder / str(library).lstrip("/"), symlinks=False, ignore_dangling_symlinks=True,
        ignore=shutil.ignore_patterns("__pycache__", "test", "idlelib", "ensurepip", "site-packages", "config-*"),
    )  # fmt: skip
    _copy(Path("/bin/sh").resolve(), folder / "bin/sh")
    packages = oci.packages(bundle.pinned(bundle.RUNTIME), "")
    objects = [path for path in [*library.rglob("*.so"), *packages.values()] if ".so" in path.name]
    for linked in _linked([python, Path("/bin/sh").resolve(), *objects]):
        _copy(linked, folder / str(linked).lstrip("/"))
    (folder / "etc").mkdir(exist_ok=True)
    (folder / "etc/passwd").write_text("root:x:0:0:root:/:/bin/sh\nnobody:x:65532:65532::/:/bin/sh\n")
    (folder / "tmp").mkdir(mode=0o777)
    return folder


def add_packages(folder: Path) -> None:
    """Installs what a bundle needs."""
    words = [sys._base_executable, "-I", "-c", "import site; print(site.getsitepackages()[0])"]  # type: ignore[attr-defined]
    place = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip().lstrip("/")
    for path, source in oci.packages(bundle.pinned(bundle.RUNTIME), place).items():
        _copy(source, folder / path)


def _linked(files: list[Path]) -> set[Path]:
    found: set[Path] = set()
    for at in range(0, len(files), 50):
        words = ["ldd", *map(str, files[at : at + 50])]
        text = subprocess.run(words, capture_output=True, text=True, check=False).stdout
        found |= {Path(path) for path in re.findall(r"(?:=> |\t)(/\S+) \(0x", text)}
    return {path for path in found if ".libs" not in str(path)}


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        shutil.copyfile(source, target)
        target.chmod(source.stat().st_mode & 0o777)
