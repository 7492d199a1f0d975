"""GPUs as NVIDIA's own tool reports them; none when the tool is not there."""

from __future__ import annotations

import shutil
import subprocess
import time

from jupyter_mlstudio.entities.targets import Gpu

_FIELDS = "index,name,memory.total,memory.used,utilization.gpu"
_KEPT_S = 2.0
_last: tuple[float, list[Gpu]] = (-_KEPT_S, [])


def gpus() -> list[Gpu]:
    """Lists the machine's GPUs; an answer is kept for two seconds."""
    global _last
    if time.monotonic() - _last[0] >= _KEPT_S:
        _last = (time.monotonic(), _ask())
    return _last[1]


def _ask() -> list[Gpu]:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    command = [tool, f"--query-gpu={_FIELDS}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [_gpu(line.split(", ")) for line in done.stdout.splitlines() if line.count(", ") == 4]


def _gpu(fields: list[str]) -> Gpu:
    def number(text: str) -> float:
        return float(text) if text.replace(".", "", 1).isdigit() else 0.0

    mebibyte = 1024 * 1024
    return Gpu(
        index=int(number(fields[0])),
        name=fields[1],
        memory_total_bytes=int(number(fields[2]) * mebibyte),
        memory_used_bytes=int(number(fields[3]) * mebibyte),
        utilization_percent=number(fields[4]),
    )
