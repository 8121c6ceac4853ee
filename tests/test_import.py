"""What `import vertical_lightning` settles for scripts, as the commands do."""

from __future__ import annotations

import os
import subprocess
import sys

import vertical_lightning

SCRIPT = """
import os, warnings
import vertical_lightning
warnings.warn("`LeafSpec` is deprecated", FutureWarning)
warnings.warn("another", FutureWarning)
print(os.environ["OMP_WAIT_POLICY"])
"""


def imported(**variables: str) -> subprocess.CompletedProcess[str]:
    bare = {name: value for name, value in os.environ.items() if name not in ("OMP_WAIT_POLICY", "PYTHONWARNINGS")}
    command = [sys.executable, "-c", SCRIPT]
    return subprocess.run(command, env=bare | variables, capture_output=True, text=True, timeout=60, check=True)


def test_threads_wait_passively_and_what_nobody_can_mend_is_not_said() -> None:
    done = imported()
    assert done.stdout == "PASSIVE\n"
    assert "another" in done.stderr and "LeafSpec" not in done.stderr


def test_what_was_asked_for_stays() -> None:
    assert imported(OMP_WAIT_POLICY="ACTIVE").stdout == "ACTIVE\n"


def test_classes_are_offered_by_name_and_imported_when_asked_for() -> None:
    script = """
import sys
import vertical_lightning
assert "torch" not in sys.modules
from vertical_lightning import SplitModule, Topology, VerticalDataModule
assert VerticalDataModule.__module__ == "vertical_lightning.data.datamodule"
try:
    vertical_lightning.Nothing
except AttributeError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "module 'vertical_lightning' has no attribute 'Nothing'\n"


def test_every_class_is_where_it_is_said_to_be() -> None:
    assert sorted(vertical_lightning.PLACES) == vertical_lightning.__all__
    for name in vertical_lightning.__all__:
        assert getattr(vertical_lightning, name).__name__ == name
