from __future__ import annotations

import importlib
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from jupyter_mlstudio.client import pickled as module
from jupyter_mlstudio.client.pickled import pickled, source_text
from jupyter_mlstudio.errors import Invalid


def test_a_function_takes_along_what_it_uses_of_the_notebook() -> None:
    factor = 3

    def objective(x: float) -> float:
        return x * factor

    assert pickle.loads(pickled(objective))(2) == 6
    assert "return x * factor" in source_text(objective)


def test_a_users_own_modules_are_sent_along_with_what_they_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine_helper.py").write_text("def double(x):\n    return 2 * x\n")
    (tmp_path / "mine.py").write_text("import mine_helper\n\ndef objective(x):\n    return mine_helper.double(x) + 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    content = pickled(importlib.import_module("mine").objective)

    code = "import pickle, sys; print(pickle.loads(sys.stdin.buffer.read())(5))"
    done = subprocess.run([sys.executable, "-I", "-c", code], input=content, capture_output=True, check=False)

    for name in ("mine", "mine_helper"):
        del sys.modules[name]
    assert done.stdout == b"11\n", done.stderr.decode()


def test_what_is_installed_is_not_sent_along() -> None:
    import sklearn.linear_model

    def objective(c: float) -> float:
        return float(sklearn.linear_model.LogisticRegression(C=c).C)

    assert len(pickled(objective)) < 5000


def test_what_cannot_be_pickled_is_named() -> None:
    lock = threading.Lock()

    def objective(x: float) -> float:
        with lock:
            return x

    with pytest.raises(Invalid, match=r"objective cannot be sent .* lock \(a lock\).* inside the function"):
        pickled(objective)


def test_too_much_data_is_refused_with_the_variable_that_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIMIT_BYTES", 2 * 1024 * 1024)
    table = bytes(3 * 1024 * 1024)

    def objective(x: float) -> float:
        return x + len(table)

    with pytest.raises(Invalid, match=r"3 MB .* 2 MB may be sent: .*\(table alone has 3 MB\)"):
        pickled(objective)
