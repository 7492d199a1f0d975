from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from jupyter_mlstudio.entities.models import MANY
from jupyter_mlstudio.programs.batch_work import OnnxScorer
from jupyter_mlstudio.programs.tables import of_rows
from tests.serving.test_many import SIGNATURE, archive


def test_a_row_whose_key_has_no_model_fails_alone(tmp_path: Path) -> None:
    digest = archive(tmp_path / MANY, {"north": 2.0, "south": 10.0})
    lines = ["a,b,store", "1,2,south", "3,4,east", "5,6,north", "7,8,", "9,,north", "1,1,south"]
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    scorer = OnnxScorer(
        {"onnx": str(tmp_path / MANY), "sha256": digest, "signature": asdict(SIGNATURE), "root": str(tmp_path)}
    )
    columns, rows, errors = scorer.score(of_rows(tmp_path, ["rows.csv"], 100)[0])

    assert columns[:2] == ["file", "row"]
    assert [(row[1], row[2]) for row in rows] == [(0, 10.0), (2, 10.0), (4, 18.0), (5, 10.0)]
    assert [(row, reason.partition(";")[0]) for _, row, reason in errors] == [
        (1, "there is no model for store='east'"), (3, "there is no model for store=''"),
    ]  # fmt: skip
    scorer.close()
