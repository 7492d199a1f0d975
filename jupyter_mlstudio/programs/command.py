"""Runs any program as a run: becomes it, with ``${{inputs.name}}`` in its arguments replaced, never through a shell."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping

from jupyter_mlstudio.client import active
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.programs import context

MISSING, NOT_EXECUTABLE = 127, 126
_INPUT = re.compile(r"\$\{\{\s*inputs\.([^\s}]+)\s*\}\}")


def run(job: context.Job) -> int:
    """Becomes the program; answers a shell's exit status when there is no such program, or it may not be started."""
    command = substituted(list(job.spec.get("command") or []), job.params)
    if not command:
        raise Invalid("the run has no command")
    context.record_environment()
    active.flush()
    try:
        return _become(command)
    except FileNotFoundError:
        return _refused(job, f"there is no program {command[0]!r}; install it, or give its whole path", MISSING)
    except PermissionError:
        return _refused(job, f"{command[0]!r} may not be started; make it executable (chmod +x)", NOT_EXECUTABLE)
    except OSError as error:
        return _refused(job, f"{command[0]!r} could not be started: {error.strerror}", NOT_EXECUTABLE)


def substituted(command: list[str], params: Mapping[str, JSON]) -> list[str]:
    """Puts parameters into the arguments. A value stays inside its argument, whatever it holds.

    Raises:
        Invalid: an argument names a parameter that is not given, or holds a NUL character.
    """

    def value_of(match: re.Match[str]) -> str:
        if match[1] not in params:
            known = ", ".join(sorted(params)) or "none"
            raise Invalid(f"the command uses the input {match[1]!r}, which is not given; given are: {known}")
        value = params[match[1]]
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    written = [_INPUT.sub(value_of, part) for part in command]
    for part in written:
        if "\x00" in part:
            raise Invalid(f"the argument {part!r} holds a NUL character, which no program can be given")
    return written


def _become(command: list[str]) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        os.execvp(command[0], command)
    return subprocess.run(command, check=False).returncode


def _refused(job: context.Job, reason: str, status: int) -> int:
    print(reason, file=sys.stderr)
    return context.failed(job, reason, status)


if __name__ == "__main__":
    sys.exit(context.execute(run, record=False))
