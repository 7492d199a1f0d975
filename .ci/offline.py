"""Runs a command on a machine without a network: ``offline.py STEM COMMAND...``; leaves ``STEM.ok``.

The command gets a network namespace that has loopback and nothing else. It must succeed there, and the kernel must not
have counted one attempt, TCP or UDP, IPv4 or IPv6, to reach anything outside: what fails quietly and goes on is found
too. Where the system lets this user make no such namespace, the part is written down as skipped, with the reason.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path

OUTSIDE = (
    (socket.AF_INET, socket.SOCK_STREAM, ("192.0.2.1", 80)),
    (socket.AF_INET, socket.SOCK_DGRAM, ("192.0.2.1", 53)),
    (socket.AF_INET6, socket.SOCK_STREAM, ("2001:db8::1", 80)),
)
"""Addresses that documentation has to itself (RFC 5737, RFC 3849): nobody is there."""


WITNESSES = frozenset({
    "CI", "APPVEYOR", "BUILDKITE", "CIRCLECI", "CODEBUILD_BUILD_ID", "GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL",
    "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI", "TEAMCITY_VERSION", "TF_BUILD", "TRAVIS", "ORT_RUNNING_UNIT_TESTS",
    "DO_NOT_TRACK", "ORT_DISABLE_TELEMETRY",
})  # fmt: skip
"""Where one of these is set, libraries do not report what they report from a user's machine."""


def main(stem: Path, command: list[str]) -> int:
    """Runs the command in a namespace of its own; leaves ``STEM.ok`` or ``STEM.skipped``."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    alone = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    refused = _why_not([*alone, "ip", "link", "set", "lo", "up"])
    if refused:
        print(f"offline: NOT DONE, this user may make no network namespace here ({refused}); all else is", flush=True)
        stem.with_suffix(".skipped").write_text(refused, encoding="utf-8")
        return 0
    status = subprocess.run([*alone, sys.executable, __file__, "--inside", *command], check=False).returncode
    if status == 0:
        stem.with_suffix(".ok").touch()
    return status


def inside(command: list[str]) -> int:
    """Runs the command and counts who wanted to leave."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    before = attempts()
    for family, kind, address in OUTSIDE:
        _try_to_leave(family, kind, address)
    proved = attempts()
    if proved - before != len(OUTSIDE):
        print(f"offline: FAILED, {len(OUTSIDE)} attempts on purpose were counted as {proved - before}", flush=True)
        return 1
    unwatched = {name: value for name, value in os.environ.items() if name not in WITNESSES}
    status = subprocess.run(command, check=False, env=unwatched).returncode
    left = attempts() - proved
    verdict = "ok" if left == 0 and status == 0 else "FAILED"
    print(f"offline: {verdict}, exit status {status}, {left} attempts to reach anything but this machine", flush=True)
    return status or int(left > 0)


def attempts() -> int:
    """Counts what this namespace could not send for want of a route."""
    names, values = (line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Ip:"))
    count = int(dict(zip(names, values, strict=True))["OutNoRoutes"])
    with contextlib.suppress(FileNotFoundError):  # a kernel without IPv6
        lines = Path("/proc/net/snmp6").read_text().splitlines()
        count += int(dict(line.split() for line in lines)["Ip6OutNoRoutes"])
    return count


def _try_to_leave(family: socket.AddressFamily, kind: socket.SocketKind, address: tuple[str, int]) -> None:
    with socket.socket(family, kind) as outgoing:
        try:
            outgoing.connect(address)
        except OSError:
            return
    raise SystemExit(f"offline: FAILED, {address[0]} can be reached: this is no namespace without a network")


def _why_not(command: list[str]) -> str:
    try:
        tried = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        return f"{error.filename} is not installed"
    return "" if tried.returncode == 0 else tried.stderr.strip() or f"exit status {tried.returncode}"


if __name__ == "__main__":
    if sys.argv[1] == "--inside":
        sys.exit(inside(sys.argv[2:]))
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
