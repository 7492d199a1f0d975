"""Writes an OCI image layout without any daemon, byte for byte the same for the same content.

Specification: OCI Image Format 1.1, "Image Layout", "Image Manifest" and "Image Configuration". ``skopeo copy
oci:FOLDER docker-daemon:NAME:TAG``, ``podman load`` and ``buildah from oci:FOLDER`` take it.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
import io
import json
import platform
import shutil
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from jupyter_mlstudio.errors import Invalid

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
ARCHITECTURE = _MACHINES.get(platform.machine(), platform.machine())


class Layout:
    """An image under construction.

    Args:
        folder: where the layout is written; it must not exist.
        base: the layout that the image stands on, a folder as ``skopeo copy docker://IMAGE oci:FOLDER`` makes it.

    Raises:
        Invalid: the base is not a layout with one image for this architecture, or a blob of it is not whole.
    """

    def __init__(self, folder: Path, base: Path | None = None) -> None:
        self._folder = folder
        (folder / "blobs" / "sha256").mkdir(parents=True)
        self._layers: list[dict[str, Any]] = []
        self._config: dict[str, Any] = {"architecture": ARCHITECTURE, "os": "linux", "config": {}}
        self._config["rootfs"] = {"type": "layers", "diff_ids": []}
        if base is not None:
            self._take(base)

    def add(self, files: Mapping[str, Path]) -> None:
        """Adds a layer: files of this machine by their path in the image."""
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for folder in sorted({parent for path in files for parent in _parents(path)}):
                entry = tarfile.TarInfo(folder)
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(entry)
            for path, source in sorted(files.items()):
                entry = tarfile.TarInfo(path.lstrip("/"))
                entry.size = source.stat().st_size
                entry.mode = 0o755 if source.stat().st_mode & 0o100 else 0o644
                with source.open("rb") as content:
                    archive.addfile(entry, content)
        self._config["rootfs"]["diff_ids"].append(f"sha256:{hashlib.sha256(raw.getvalue()).hexdigest()}")
        packed = gzip.compress(raw.getvalue(), 6, mtime=0)
        self._layers.append({"mediaType": _LAYER, **self._blob(packed)})

    def finish(self, tag: str, config: Mapping[str, Any], annotations: Mapping[str, str]) -> str:
        """Writes configuration, manifest and index; answers the image's digest.

        Args:
            config: ``Entrypoint``, ``Env``, ``ExposedPorts``, ``User`` ...; ``Env`` is added to the base's.
        """
        merged = {**self._config["config"], **config}
        merged["Env"] = [*self._config["config"].get("Env", []), *config.get("Env", [])]
        content = {**self._config, "config": merged}
        manifest = {
            "schemaVersion": 2, "mediaType": _MANIFEST,
            "config": {"mediaType": _CONFIG, **self._blob(_encoded(content))},
            "layers": self._layers, "annotations": dict(annotations),
        }  # fmt: skip
        described = {"mediaType": _MANIFEST, **self._blob(_encoded(manifest))}
        described["annotations"] = {"org.opencontainers.image.ref.name": tag}
        index = {"schemaVersion": 2, "manifests": [described]}
        (self._folder / "index.json").write_bytes(_encoded(index))
        (self._folder / "oci-layout").write_bytes(_encoded({"imageLayoutVersion": "1.0.0"}))
        return str(described["digest"])

    def _blob(self, content: bytes) -> dict[str, Any]:
        name = hashlib.sha256(content).hexdigest()
        (self._folder / "blobs" / "sha256" / name).write_bytes(content)
        return {"digest": f"sha256:{name}", "size": len(content)}

    def _take(self, base: Path) -> None:
        """Takes layers and configuration of the base over."""
        try:
            index = json.loads((base / "index.json").read_bytes())
            manifest = json.loads(_whole(base, _chosen(base, index)["digest"]))
            self._config = {**json.loads(_whole(base, manifest["config"]["digest"]))}
            for layer in manifest["layers"]:
                _whole(base, layer["digest"])
                name = layer["digest"].removeprefix("sha256:")
                shutil.copyfile(base / "blobs" / "sha256" / name, self._folder / "blobs" / "sha256" / name)
                self._layers.append({key: layer[key] for key in ("mediaType", "digest", "size")})
        except (OSError, ValueError, KeyError, TypeError) as error:
            what = error.strerror if isinstance(error, OSError) else str(error)
            raise Invalid(f"{base} is not an OCI image layout that can be built on: {what}") from error
        self._config.setdefault("config", {})
        self._config.pop("history", None)


def packages(names: Iterable[str], into: str) -> dict[str, Path]:
    """The files of installed distributions, by their path below ``into``."""
    files: dict[str, Path] = {}
    for name in names:
        for file in importlib.metadata.files(name) or []:
            path = PurePosixPath(file)
            source = Path(str(file.locate()))
            if ".." not in path.parts and "__pycache__" not in path.parts and source.is_file():
                files[f"{into}/{path}"] = source
    return files


def _chosen(base: Path, index: dict[str, Any]) -> dict[str, Any]:
    """The one manifest for this architecture, found through an index of platforms where there is one."""
    manifests = index["manifests"]
    fitting = [one for one in manifests if one.get("platform", {}).get("architecture", ARCHITECTURE) == ARCHITECTURE]
    if len(fitting) != 1:
        raise ValueError(f"it has {len(fitting)} images for {ARCHITECTURE}, one is needed")
    if "index" in fitting[0]["mediaType"] or "manifest.list" in fitting[0]["mediaType"]:
        return _chosen(base, json.loads(_whole(base, fitting[0]["digest"])))
    return dict(fitting[0])


def _whole(base: Path, named: str) -> bytes:
    algorithm, _, name = named.partition(":")
    if algorithm != "sha256" or len(name) != 64 or not all(char in "0123456789abcdef" for char in name):
        raise ValueError(f"{named[:80]!r} is not a SHA-256 digest")
    content = (base / "blobs" / "sha256" / name).read_bytes()
    if hashlib.sha256(content).hexdigest() != name:
        raise ValueError(f"the blob {name[:12]} is not whole")
    return content


def _parents(path: str) -> list[str]:
    return [str(parent) for parent in PurePosixPath(path.lstrip("/")).parents if str(parent) != "."]


def _encoded(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
