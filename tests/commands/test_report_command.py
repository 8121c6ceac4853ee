"""`vl-report` as it is typed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sweep_folder import curve, job, sweep


def vl_report(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "vertical_lightning.commands.report", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_writes_into_the_first_folder_or_another(tmp_path: Path) -> None:
    made = sweep(tmp_path / "sweep", ("seed",))
    curve(job(made, 0, {"seed": 0}, {"test/accuracy": 0.5, "wire/bytes": 8}), [0.25, 0.5])
    done = vl_report(made)
    assert (done.returncode, done.stderr) == (0, "")
    assert str(made / "report.html") in done.stdout and "1 job: 1 completed" in done.stdout
    done = vl_report(made, "--into", tmp_path / "deep" / "into")
    assert done.returncode == 0
    assert sorted(path.name for path in (tmp_path / "deep" / "into").iterdir()) == ["report.html", "summary.csv", "summary.md"]


def test_fails_with_a_sentence(tmp_path: Path) -> None:
    made = sweep(tmp_path / "sweep", ("seed",))
    job(made, 0, {"seed": 0}, {"test/accuracy": 0.5})
    bad = {"does not exist": [tmp_path / "none"], "/proc/x": [made, "--into", "/proc/x"]}
    for said, words in bad.items():
        done = vl_report(*words)
        assert (done.returncode, done.stdout) == (1, "")
        assert said in done.stderr and "Traceback" not in done.stderr
    assert [path.name for path in made.iterdir() if path.is_file()] == ["study.json"]


def test_neither_torch_nor_lightning_is_imported(tmp_path: Path) -> None:
    made = sweep(tmp_path / "sweep", ("cut", "seed"))
    for number in range(2):
        curve(job(made, number, {"cut": number, "seed": 0}, {"test/accuracy": 0.5, "wire/bytes": 8}), [0.25, 0.5])
    code = """
import sys
from pathlib import Path
from vertical_lightning.reports.writing import write
write([Path(sys.argv[1])], Path(sys.argv[1]))
print(sorted({"torch", "pytorch_lightning", "tensorflow", "tensorboard"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code, str(made)], capture_output=True, text=True, timeout=300)
    assert done.stdout == "['tensorboard']\n"  # which has read the curves
