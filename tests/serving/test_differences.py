from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlstudio.serving import mirror
from jupyter_mlstudio.serving.differences import Difference, compare


def found(live: Any, copy: Any) -> Difference:
    return compare(json.dumps(live).encode(), json.dumps(copy).encode())


def v2(**outputs: list[Any]) -> dict[str, Any]:
    listed = [{"name": name, "shape": [len(data)], "data": data} for name, data in outputs.items()]
    return {"model_name": "m", "model_version": "1", "outputs": listed}


def test_what_a_model_says_of_itself_makes_no_difference() -> None:
    other = v2(label=["a"]) | {"model_version": "2", "id": "x"}
    assert not found(v2(label=["a"]), other).disagrees


def test_a_label_that_differs_disagrees_and_numbers_beside_it_are_measured() -> None:
    one = found(v2(label=["a", "b"], p=[0.5, 0.25]), v2(label=["a", "c"], p=[0.5, 0.75]))
    assert (one.disagrees, one.labels, one.max_difference, one.numbers) == (True, 1, 0.5, 2)
    assert one.examples[0] == {"at": "label[1]", "live": "b", "copy": "c"}
    assert not found(v2(label=["a"], p=[0.5]), v2(label=["a"], p=[0.9])).disagrees


@pytest.mark.parametrize(("copy", "disagrees"), [(100.0, False), (104.0, False), (106.0, True)])
def test_numbers_alone_disagree_when_they_are_far_apart(copy: float, disagrees: bool) -> None:
    assert found(v2(value=[100.0]), v2(value=[copy])).disagrees is disagrees


def test_answers_of_other_forms_are_compared_as_they_stand() -> None:
    assert found([1, 2], [1, 3]).labels == 1
    assert found({"predictions": [1, 2]}, {"predictions": [1]}).examples == [
        {"at": "predictions[1]", "live": 2, "copy": None}
    ]
    assert compare(b"\x00", b"\x01").disagrees
    assert not compare(b"\x00", b"\x00").disagrees


def test_a_file_that_is_full_makes_room_and_keeps_the_one_before(tmp_path: Path) -> None:
    file = tmp_path / "mirror" / "green.jsonl"
    line = b"x" * 1023 + b"\n"
    for _ in range(mirror.FILE_BYTES // len(line) + 2):
        mirror.append(file, line)
    assert file.stat().st_size == len(line)
    assert (tmp_path / "mirror" / "green.1.jsonl").stat().st_size > mirror.FILE_BYTES
    assert file.stat().st_mode & 0o777 == 0o600
