"""A batch's workers: what goes wrong outside of scoring ends the run with a reason."""

from __future__ import annotations

from tests.programs.work import Work

SCRIPT = """
import os

def run(mini_batch):
    if mini_batch[0].endswith("0.txt"):  # what the batch writes next cannot be written
        os.mkdir(os.path.join(os.environ["MLSTUDIO_RUN_FOLDER"], "batch", "00000000.json"))
    return [os.path.getsize(path) for path in mini_batch]
"""


def test_a_record_that_cannot_be_written_fails_the_run_instead_of_having_the_others_wait(work: Work) -> None:
    script = work.folder / "score.py"
    script.write_text(SCRIPT)
    files = [f"{number}.txt" for number in range(3)]
    for name in files:
        (work.folder / name).write_text(name)
    known = [{"path": name, "size_bytes": 5, "mtime_ns": (work.folder / name).stat().st_mtime_ns} for name in files]
    settings = {
        "mini_batch_size": 1, "max_concurrency": 2, "error_threshold": -1, "output_action": "append_row",
        "output_file_name": "sizes.csv", "retries": {"max_retries": 0, "timeout_s": 60},
    }  # fmt: skip
    options = {"root": str(work.folder), "files": known, "settings": settings, "model_dir": str(work.folder)}

    ended = work.run("batch", {"options": options}, script)

    assert ended.status == 1
    assert ended.reason is not None
    assert ended.reason.startswith("IsADirectoryError")
