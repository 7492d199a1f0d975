from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from jupyter_mlstudio.entities.models import ModelFile
from jupyter_mlstudio.store import typed

MANY = """
import dataclasses, sys, threading
from jupyter_mlstudio.store import typed

sys.setswitchinterval(1e-6)
for _ in range(40):
    inner = dataclasses.make_dataclass("Inner", [("a", int), ("b", list[str])])
    outer = dataclasses.make_dataclass("Outer", [("one", inner), ("more", list[inner])])
    together = threading.Barrier(8)

    def read():
        together.wait()
        read = typed.convert if threading.get_ident() % 2 else lambda value, kind: typed.decode(b'{"one": {"a": 1, "b": []}, "more": []}', kind)
        assert read({"one": {"a": 1, "b": []}, "more": []}, outer) == outer(inner(1, []), [])

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print("done")
"""  # noqa: E501


def test_many_threads_may_read_a_type_for_the_first_time_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", MANY], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def test_what_is_not_of_the_type_is_refused() -> None:
    assert typed.decode(b'{"path": "a", "size_bytes": 1, "sha256": "x"}', ModelFile) == ModelFile(
        path="a", size_bytes=1, sha256="x"
    )
    for bad in (b"{", b"[]", b'{"path": 1}'):
        with pytest.raises(msgspec.MsgspecError):
            typed.decode(bad, ModelFile)
    with pytest.raises(msgspec.ValidationError):
        typed.convert({"path": 1}, ModelFile)
