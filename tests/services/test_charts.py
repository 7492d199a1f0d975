"""Charts are kept as data, whole or not at all."""

from __future__ import annotations

import math

import pytest

from jupyter_mlstudio.errors import Invalid, NotFound
from jupyter_mlstudio.studio import Studio
from tests.world import insert_run

MATRIX = {"class_labels": ["a", "b"], "matrix": [[3, 1], [0, 4]]}


def test_a_chart_comes_back_as_it_was_put(studio: Studio) -> None:
    run_id = insert_run(studio)

    studio.tracking.put_chart(run_id, "confusion_matrix", "confusion_matrix", "1.0.0", MATRIX)

    assert [(c.name, c.schema_type, c.data) for c in studio.tracking.charts(run_id)] == [
        ("confusion_matrix", "confusion_matrix", MATRIX)
    ]


def test_the_same_name_again_replaces_a_chart(studio: Studio) -> None:
    run_id = insert_run(studio)
    studio.tracking.put_chart(run_id, "t", "table", "1.0.0", {"columns": ["x"], "rows": [[1]]})

    studio.tracking.put_chart(run_id, "t", "table", "1.0.0", {"columns": ["x"], "rows": [[2]]})

    assert [c.data["rows"] for c in studio.tracking.charts(run_id)] == [[[2]]]


def test_an_infinite_threshold_is_kept_as_text(studio: Studio) -> None:
    run_id = insert_run(studio)

    studio.tracking.put_chart(run_id, "roc_curve", "roc_curve", "1.0.0", {"thresholds": [math.inf, 0.5]})

    assert studio.tracking.charts(run_id)[0].data == {"thresholds": ["Infinity", 0.5]}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"schema_type": "table"}', b"\xff\xfe", b'{"data": 3}'])
def test_a_file_that_is_no_chart_is_passed_over(studio: Studio, content: bytes) -> None:
    run_id = insert_run(studio)
    studio.tracking.put_chart(run_id, "good", "confusion_matrix", "1.0.0", MATRIX)

    (studio.workspace.run_folder(run_id) / "charts" / "bad.json").write_bytes(content)

    assert [c.name for c in studio.tracking.charts(run_id)] == ["good"]


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "", "x" * 121, "a\x00b"])
def test_a_name_that_could_leave_the_folder_is_refused(studio: Studio, name: str) -> None:
    run_id = insert_run(studio)

    with pytest.raises(Invalid):
        studio.tracking.put_chart(run_id, name, "table", "1.0.0", {})


def test_charts_of_a_run_that_does_not_exist_are_not_found(studio: Studio) -> None:
    with pytest.raises(NotFound):
        studio.tracking.charts("0" * 32)
