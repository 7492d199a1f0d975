"""The studio's own deployment targets: a folder, a container image, Kubernetes, the edge."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import yaml

from jupyter_mlstudio.errors import Invalid, Unavailable
from jupyter_mlstudio.plugins.deployment import bundle as bundles
from jupyter_mlstudio.plugins.deployment import oci
from jupyter_mlstudio.plugins.deployment.base import Facts, Target

PORT = 8080
USER = 65532
COMMAND = ["python3", "/app/server.py", "--host", "0.0.0.0", "--port", str(PORT)]
BUILDERS = ("docker", "podman", "buildah")
PYTHON = ".".join(platform.python_version_tuple()[:2])


class LocalTarget(Target):
    """A folder, and the same as a ZIP archive."""

    name: ClassVar[str] = "local"

    def write(self, facts: Facts, bundle: Path, options: Mapping[str, Any]) -> list[Path]:
        return [bundles.zipped(bundle, bundle.parent / f"{bundle.name}.zip")]


class DockerTarget(Target):
    """A container image: always a Dockerfile and an OCI image layout, and built when a builder is here."""

    name: ClassVar[str] = "docker"
    options: ClassVar[Mapping[str, str]] = {
        "base": "an OCI image layout (a folder) that the image's layers are put on",
        "packages": "whether onnxruntime and numpy of this machine are a layer too; true by default",
        "build": "whether docker, podman or buildah builds the Dockerfile now",
        "base_image": f"the image that the Dockerfile begins with; python:{PYTHON}-slim by default",
    }

    def write(self, facts: Facts, bundle: Path, options: Mapping[str, Any]) -> list[Path]:
        base_image = str(options.get("base_image") or f"python:{PYTHON}-slim")
        if any(char.isspace() for char in base_image) or base_image.startswith("-"):
            raise Invalid(f"base_image {base_image[:80]!r} is not an image's name")
        (bundle / "Dockerfile").write_text(_DOCKERFILE.replace("BASE_IMAGE", base_image), encoding="utf-8")
        (bundle / ".dockerignore").write_text("venv\n__pycache__\n", encoding="utf-8")
        made = [self._layout(facts, bundle, options, base_image)]
        if options.get("build"):
            self._build(facts, bundle)
        return made

    def _layout(self, facts: Facts, bundle: Path, options: Mapping[str, Any], base_image: str) -> Path:
        folder = bundle.parent / "image"
        base = options.get("base")
        layout = oci.Layout(folder, Path(str(base)) if base else None)
        environment = ["PYTHONUNBUFFERED=1", "LANG=C.UTF-8", "ORT_DISABLE_TELEMETRY=1"]
        if options.get("packages", True):
            layout.add(oci.packages(bundles.pinned(bundles.RUNTIME), "/app/site"))
            environment.append("PYTHONPATH=/app/site")
        layout.add({f"/app/{path.name}": path for path in bundle.iterdir() if path.is_file()})
        digest = layout.finish(
            f"{bundles.slug(facts.name)}:{facts.version}",
            {
                "Entrypoint": COMMAND, "Cmd": [], "Env": environment, "WorkingDir": "/app", "User": f"{USER}:{USER}",
                "ExposedPorts": {f"{PORT}/tcp": {}},
            },
            {
                "org.opencontainers.image.title": facts.name, "org.opencontainers.image.version": facts.version,
                "org.opencontainers.image.base.name": base_image,
            },
        )  # fmt: skip
        stands = f"on {base}" if base else f"without a base: put it on one with Python {PYTHON} to run it"
        print(f"image {digest}, {_size(folder) / 1e6:.1f} MB, {stands}", flush=True)
        return folder

    def _build(self, facts: Facts, bundle: Path) -> None:
        builder = next((name for name in BUILDERS if shutil.which(name)), None)
        if builder is None:
            raise Unavailable(f"none of {', '.join(BUILDERS)} is installed; build the Dockerfile where one is")
        tag = f"{bundles.slug(facts.name)}:{facts.version}"
        words = [builder, "build", "-t", tag, str(bundle)]
        if builder == "buildah":
            words = [builder, "build", "--isolation", "chroot", "--storage-driver", "vfs", "-t", tag, str(bundle)]
        print(" ".join(words), flush=True)
        status = subprocess.run(words, stdin=subprocess.DEVNULL, check=False).returncode
        if status:
            raise Invalid(f"{builder} could not build the image (status {status}); its messages are in the log")


class KubernetesTarget(DockerTarget):
    """Manifests: a Deployment with its Service, and KServe's InferenceService."""

    name: ClassVar[str] = "kubernetes"
    options: ClassVar[Mapping[str, str]] = {
        **DockerTarget.options,
        "image": "the image's name in your registry",
        "replicas": "how many; 1 by default",
        "memory": "e.g. 512Mi",
        "cpu": "e.g. 500m",
    }

    def write(self, facts: Facts, bundle: Path, options: Mapping[str, Any]) -> list[Path]:
        made = super().write(facts, bundle, options)
        name = bundles.slug(facts.name)
        folder = bundle.parent / "kubernetes"
        folder.mkdir()
        container = self._container(facts, name, options)
        manifests = {
            "deployment.yaml": [_secret(name), self._deployment(name, container, options), _service(name)],
            "inferenceservice.yaml": [_secret(name), _inference_service(name, container)],
        }
        for file, objects in manifests.items():
            text = yaml.safe_dump_all(objects, sort_keys=False)
            (folder / file).write_text(text, encoding="utf-8")
        return [*made, folder]

    def _container(self, facts: Facts, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
        limits = {"cpu": str(options.get("cpu") or "1"), "memory": str(options.get("memory") or "512Mi")}

        def probe(what: str) -> dict[str, Any]:
            return {"httpGet": {"path": f"/v2/health/{what}", "port": PORT}, "periodSeconds": 5, "timeoutSeconds": 2}

        return {
            "name": "model", "image": str(options.get("image") or f"{name}:{facts.version}"),
            "ports": [{"containerPort": PORT, "protocol": "TCP"}],
            "env": [{"name": "MLSTUDIO_KEYS", "valueFrom": {"secretKeyRef": {"name": f"{name}-keys", "key": "keys"}}}],
            "resources": {"requests": limits, "limits": limits},
            "readinessProbe": probe("ready"), "livenessProbe": probe("live"),
            "securityContext": {
                "runAsNonRoot": True, "runAsUser": USER, "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
                "seccompProfile": {"type": "RuntimeDefault"},
            },
        }  # fmt: skip

    def _deployment(self, name: str, container: dict[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
        replicas = options.get("replicas", 1)
        if isinstance(replicas, bool) or not isinstance(replicas, int) or not 0 <= replicas <= 10_000:
            raise Invalid(f"replicas is {replicas!r}; give a whole number from 0")
        labels = {"app.kubernetes.io/name": name}
        strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
        template = {
            "metadata": {"labels": labels},
            "spec": {"automountServiceAccountToken": False, "containers": [container]},
        }
        return {
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": labels},
            "spec": {
                "replicas": replicas, "selector": {"matchLabels": labels}, "strategy": strategy, "template": template,
            },
        }  # fmt: skip


class EdgeTarget(Target):
    """A small device: onnxruntime and numpy alone, a systemd unit, a Podman unit, and what it takes in bytes."""

    name: ClassVar[str] = "edge"
    options: ClassVar[Mapping[str, str]] = {"limit_mb": "refuse to package when it would take more than this"}

    def write(self, facts: Facts, bundle: Path, options: Mapping[str, Any]) -> list[Path]:
        name = bundles.slug(facts.name)
        place = f"/opt/{name}"
        values = {"NAME": name, "PLACE": place, "TITLE": f"{facts.name} {facts.version}", "TAG": facts.version}
        for file, text in ((f"{name}.service", _UNIT), (f"{name}.container", _QUADLET)):
            for word, value in values.items():
                text = text.replace(f"@{word}@", value)
            (bundle / file).write_text(text, encoding="utf-8")
        needed = {package: oci.packages([package], "").values() for package in bundles.pinned(bundles.RUNTIME)}
        packages = {package: sum(path.stat().st_size for path in files) for package, files in needed.items()}
        own = _size(bundle)
        total = own + sum(packages.values())
        sizes = {"bundle_bytes": own, "packages_bytes": packages, "total_bytes": total}
        sizes |= {"python": PYTHON, "machine": platform.machine()}
        (bundle / "size.json").write_text(json.dumps(sizes, indent=1) + "\n", encoding="utf-8")
        print(f"takes {total / 1e6:.1f} MB on the device, {own / 1e6:.2f} MB of them the bundle")
        limit = options.get("limit_mb")
        if limit is not None and total > float(limit) * 1e6:
            raise Invalid(f"it takes {total / 1e6:.1f} MB on the device where {limit} MB may be used")
        sys.stdout.flush()
        return [bundles.zipped(bundle, bundle.parent / f"{bundle.name}.zip")]


def _secret(name: str) -> dict[str, Any]:
    """A place for the keys; the manifest holds none."""
    return {
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"{name}-keys"}, "type": "Opaque",
        "stringData": {"keys": "REPLACE-WITH-A-LONG-RANDOM-KEY"},
    }  # fmt: skip


def _service(name: str) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": name}
    ports = [{"port": 80, "targetPort": PORT, "protocol": "TCP"}]
    return {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "labels": labels},
        "spec": {"selector": labels, "ports": ports},
    }  # fmt: skip


def _inference_service(name: str, container: dict[str, Any]) -> dict[str, Any]:
    """KServe, "Custom Predictor": the container answers the same protocol."""
    return {
        "apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": {"name": name},
        "spec": {"predictor": {"containers": [{**container, "name": "kserve-container"}]}},
    }  # fmt: skip


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


_DOCKERFILE = f"""# Build: docker build -t model . (any builder of OCI images does)
ARG BASE=BASE_IMAGE
FROM ${{BASE}}
WORKDIR /app
COPY requirements.txt ./
# A base that has them needs no network.
RUN python3 -c "import onnxruntime, numpy" || python3 -m pip install --no-cache-dir -r requirements.txt
COPY . ./
ENV PYTHONUNBUFFERED=1 LANG=C.UTF-8 ORT_DISABLE_TELEMETRY=1
USER {USER}:{USER}
EXPOSE {PORT}
ENTRYPOINT {json.dumps(COMMAND)}
"""

_UNIT = """[Unit]
Description=@TITLE@
After=network.target

[Service]
ExecStart=@PLACE@/venv/bin/python @PLACE@/server.py --port 8080
Environment=PYTHONUNBUFFERED=1 ORT_DISABLE_TELEMETRY=1
EnvironmentFile=-@PLACE@/keys.env
Restart=on-failure
RestartSec=2
DynamicUser=yes
ProtectSystem=strict
ProtectHome=yes
NoNewPrivileges=yes
PrivateTmp=yes
MemoryMax=512M

[Install]
WantedBy=multi-user.target
"""

_QUADLET = """[Unit]
Description=@TITLE@

[Container]
Image=localhost/@NAME@:@TAG@
PublishPort=127.0.0.1:8080:8080
Secret=@NAME@-keys,type=env,target=MLSTUDIO_KEYS
ReadOnly=true
NoNewPrivileges=true
DropCapability=all

[Service]
Restart=on-failure

[Install]
WantedBy=default.target
"""
