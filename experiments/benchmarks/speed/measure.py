"""How fast is a split, beside the uncut network in a plain torch loop?

VL_DATA=PATH python experiments/benchmarks/speed/measure.py [--quick] [--only step loader growth start peer threads]
CUDA_VISIBLE_DEVICES=0 python experiments/benchmarks/speed/measure.py --only gpu

Writes results.json beside itself, prints it as tables (report.py), and draws growth.png. The parts that need the full MNIST
are left out without VL_DATA.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Before torch is imported, as vl-train sets them: no spinning threads, and no driver asked at every step of Adam.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

sys.path.append(str(Path(__file__).parents[2]))

import growth
import loader
import report
import seed_method
import start
import step
import thread_choice
from machine import machine

HERE = Path(__file__).parent


def main() -> None:
    """Measure, print, and write."""
    warnings.filterwarnings("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one step of each small network only, fewer rounds")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each case of the step")
    parser.add_argument("--only", nargs="*", default=["loader", "start", "peer", "growth", "step"])
    arguments = parser.parse_args()
    root, rounds = os.environ.get("VL_DATA"), 2 if arguments.quick else 5
    parts: dict[str, Callable[[], Any]] = {
        "loader": lambda: loader.measure(str(root), rounds),
        "start": lambda: start.measure(rounds),
        "peer": lambda: seed_method.measure(str(root)),
        "growth": lambda: growth.run(2 * rounds),
        "step": lambda: step.run(step.cases(arguments.quick), arguments.seconds),
        "threads": lambda: thread_choice.run(arguments.seconds),
        "gpu": lambda: step.run(step.cases_on_gpu(), arguments.seconds),
    }
    file = HERE / "results.json"
    found = json.loads(file.read_text()) if file.is_file() else {}
    for name in arguments.only:
        if root is None and name in ("loader", "peer"):
            print(f"{name}: left out, VL_DATA does not say where the full MNIST lies")
            continue
        found |= {"machine": machine("torchvision") | {"load": os.getloadavg()[0]}, name: parts[name]()}
        file.write_text(json.dumps(found, indent=1) + "\n")
    report.draw(found.get("growth", []), HERE / "growth.png")
    print(report.tables(found))


if __name__ == "__main__":
    main()
