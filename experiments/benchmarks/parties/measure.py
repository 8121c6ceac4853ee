"""Steps a second: one process, one process a party with gloo and with gRPC, and the same over a long cable.

python experiments/benchmarks/parties/measure.py [--bare] [--laps 20] [--round-trips 10 40]

Alice's MLP 784-128-640 and bob's 10 outputs, batch 128, with the callbacks and the logging that vl-train has by itself, and
a thread for each process; with --bare without any of these. All engines are started once and train in turns, an epoch of 50
steps each, while the others sleep: a busy machine slows them alike, and a ratio compares epochs of one lap. The first lap, and
the first steps of each epoch, are left out; how a step divides into compute, wait and transfer is what each party says of its
epochs (tags time/...). Prints a table, and writes laps.json and steps.png beside itself.

The cable is a relay between two network namespaces (tests/helpers/namespaces.py), which need root;
without, its rows are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import Any, TextIO

import pytorch_lightning as pl
from tabulate import tabulate
from tqdm import tqdm

HERE = Path(__file__).parent
sys.path += [str(HERE.parents[1]), str(HERE.parents[2] / "tests" / "helpers")]

from certificates import certificates  # noqa: E402
from machine import machine  # noqa: E402
from namespaces import reason_why_not, two_machines  # noqa: E402

from vertical_lightning.distributed.spawn import free_port  # noqa: E402

EPOCH, COLD = 50, 5
PARTIES = ("bob", "alice")
SPLIT = ("compute", "wait", "transfer")
BATCHES = ("limit_train_batches", "limit_val_batches", "limit_test_batches")
BASE = "one process"
SETTINGS = [
    *("data=mnist_sample", "architecture=mlp", "cut=2", "batch_size=128", "party_seed=0", "psi.cache=false"),
    *("trainer.accelerator=cpu", "callbacks.progress_bar.refresh_rate=0", "threads=1"),
    *(f"trainer.{name}={number}" for name, number in zip(BATCHES, (EPOCH, 0, 0), strict=True)),
    "+callbacks.turns._target_=measure.Turns",
]
BARE = ["callbacks=[progress_bar]", "logger=[]"]


class Turns(pl.Callback):
    """Trains an epoch when the script says so, and tells it how long each step took; in the processes that it starts.

    Args:
        place: The script's socket.
        name: Which process this is.
    """

    def __init__(self, place: str, name: str) -> None:
        self.place, self.name, self.began = place, name, list[float]()

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.talk = socket.socket(socket.AF_UNIX)
        self.talk.connect(self.place)
        self.lines = self.talk.makefile("rw")
        print(self.name, file=self.lines, flush=True)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.began:
            self.report(trainer)
        self.lines.readline()

    def on_train_batch_start(self, *_: object) -> None:
        self.began.append(time.perf_counter())

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.report(trainer)

    def report(self, trainer: pl.Trainer) -> None:
        steps = [later - earlier for earlier, later in pairwise(self.began)][COLD:]
        spent = {what: trainer.callback_metrics.get(f"time/{what}") for what in SPLIT}
        found = {"step": sum(steps) / len(steps)} | {what: float(value) for what, value in spent.items() if value is not None}
        print(json.dumps(found), file=self.lines, flush=True)
        self.began = []


@dataclass(frozen=True)
class Engine:
    """One way to run the parties.

    Args:
        name: Its row in the table.
        execution: The choice of conf/execution.
        round_trip: Milliseconds of the cable between two machines; None for one machine.
    """

    name: str
    execution: str = "local"
    round_trip: float | None = None


def engines(round_trips: list[float]) -> list[Engine]:
    """All engines; with a cable only where there can be one."""
    names = {"gloo": "gloo", "grpc": "gRPC, mutual TLS"}
    near = [Engine(BASE), *(Engine(name, wire) for wire, name in names.items())]
    far = [Engine(f"{name}, {trip:g} ms", wire, trip) for trip in round_trips for wire, name in names.items()]
    return near if reason_why_not() else [*near, *far]


def own_settings(engine: Engine, party: str, folder: Path) -> list[str]:
    """What a party's connections need."""
    if engine.execution == "gloo":
        return ["execution=gloo", f"execution.insecure={str(engine.round_trip is not None).lower()}"]
    return ["execution=grpc", *(f"execution.{name}={path}" for name, path in certificates(folder, party).items())]


def start(engine: Engine, words: list[str], folder: Path, stack: ExitStack) -> None:
    """Start what the engine needs."""
    folder.mkdir()
    environment = os.environ | {"PYTHONPATH": str(HERE), "OMP_WAIT_POLICY": "PASSIVE", "CUDA_VISIBLE_DEVICES": ""}

    def run(name: str, popen: Callable[..., subprocess.Popen[Any]], module: str, *own: str) -> None:
        log = stack.enter_context((folder / f"{name}.txt").open("w"))
        turns = [f"+callbacks.turns.place={folder.parent}/turns", f"+callbacks.turns.name={folder.name}/{name}"]
        command = [sys.executable, "-m", f"vertical_lightning.commands.{module}", *SETTINGS, *words, *turns, *own]
        process = popen([*command, f"hydra.run.dir={folder / name}"], stdout=log, stderr=subprocess.STDOUT, env=environment)
        stack.callback(process.kill)

    if engine.execution == "local":
        return run("bob", subprocess.Popen, "train")
    if engine.round_trip is None:
        machines, place = None, f"127.0.0.1:{free_port()}"
    else:
        machines = stack.enter_context(two_machines(PARTIES, delay=engine.round_trip / 2000))
        place = f"{machines.addresses['bob']}:29500"
    for party in PARTIES:
        popen = subprocess.Popen if machines is None else lambda *w, party=party, **s: machines.popen(party, *w, **s)
        own = [f"name={party}", f"rendezvous={place}", *own_settings(engine, party, folder)]
        run(party, popen, "party", *own)
    return None


def meet(listening: socket.socket, folder: Path, found: list[Engine]) -> dict[str, dict[str, TextIO]]:
    """Wait until all processes are about to train; return the line to each, by engine and party."""
    lines = {str(place): dict[str, TextIO]() for place in range(len(found))}
    listening.settimeout(300)
    for _ in range(sum(1 if engine.execution == "local" else len(PARTIES) for engine in found)):
        try:
            line = listening.accept()[0].makefile("rw")
        except TimeoutError:
            told = "\n".join(f"{log}\n{log.read_text()[-1500:]}" for log in sorted(folder.glob("*/*.txt")))
            raise RuntimeError(f"not all parties have come; their output:\n{told}") from None
        place, party = line.readline().strip().split("/")
        lines[place][party] = line
    return lines


def run_laps(lines: dict[str, dict[str, TextIO]], found: list[Engine], laps: int) -> list[dict[str, Any]]:
    """Let the engines train in turns; each lap begins with another one."""
    runs = []
    for lap in tqdm(range(laps + 1), desc="laps"):
        for place in turned(list(range(len(found))), lap):
            own, load = lines[str(place)], os.getloadavg()[0]
            for line in own.values():
                print("go", file=line, flush=True)
            said = {party: json.loads(line.readline()) for party, line in own.items()}
            spent = {f"{party}: {what}": said[party].get(what) for party in said for what in SPLIT}
            runs.append({"engine": found[place].name, "lap": lap, "step": said["bob"]["step"], "load": load, **spent})
    return [run for run in runs if run["lap"]]


def table(runs: list[dict[str, Any]], names: list[str]) -> list[dict[str, Any]]:
    """Medians over the laps; ratios are those of one lap."""
    base = {run["lap"]: run["step"] for run in runs if run["engine"] == BASE}
    rows = []
    for name in names:
        own = [run for run in runs if run["engine"] == name]
        ratios = [base[run["lap"]] / run["step"] for run in own]
        low, _, high = quantiles(ratios, n=4)
        row = {
            "": name,
            "steps/s": f"{median(1 / run['step'] for run in own):.0f}",
            "of one process": f"{median(ratios):.2f} ({low:.2f} to {high:.2f})" if name != BASE else "1",
            "ms a step": f"{1e3 * median(run['step'] for run in own):.2f}",
        }
        for party in PARTIES:
            spent = [median(run.get(f"{party}: {what}") or 0.0 for run in own) for what in SPLIT]
            row[f"{party}: {' + '.join(SPLIT)}"] = " + ".join(f"{1e3 * one:.1f}" for one in spent) if any(spent) else ""
        rows.append(row)
    return rows


def draw(runs: list[dict[str, Any]], found: list[Engine]) -> None:
    """Milliseconds a step against the round trip."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
    for engine in found[:3]:
        wire = engine.execution
        own = [(one.round_trip or 0, 1e3 * run["step"]) for one in found if one.execution == wire for run in of(runs, one)]
        trips = sorted({trip for trip, _ in own})
        middle = [median(step for trip, step in own if trip == one) for one in trips]
        (line,) = axis.plot(trips, middle, marker="o", label=engine.name)
        axis.plot(*zip(*own, strict=True), ".", color=line.get_color(), alpha=0.4)
    axis.set(xlabel="round trip, ms (0: one machine)", ylabel="ms a step", title="A step of MLP 784-128-640 | 10, batch 128")
    axis.set_ylim(bottom=0)
    axis.grid(alpha=0.3)
    axis.legend()
    figure.savefig(HERE / "steps.png", dpi=120)
    plt.close(figure)


def of(runs: list[dict[str, Any]], engine: Engine) -> list[dict[str, Any]]:
    """An engine's runs."""
    return [run for run in runs if run["engine"] == engine.name]


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bare", action="store_true", help="without callbacks and logging")
    parser.add_argument("--laps", type=int, default=20, help=f"measured epochs of {EPOCH} steps an engine")
    parser.add_argument("--round-trips", type=float, nargs="*", default=[10, 40], help="milliseconds")
    arguments = parser.parse_args()
    found, laps = engines(arguments.round_trips), max(2, arguments.laps)
    words = [*(BARE if arguments.bare else ()), f"trainer.max_epochs={laps + 1}"]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        listening = stack.enter_context(socket.socket(socket.AF_UNIX))
        listening.bind(str(folder / "turns"))
        listening.listen(2 * len(found))
        for place, engine in enumerate(found):
            start(engine, words, folder / str(place), stack)
        runs = run_laps(meet(listening, folder, found), found, laps)
    text = tabulate(table(runs, [engine.name for engine in found]), headers="keys", tablefmt="github", disable_numparse=True)
    (HERE / "laps.json").write_text(
        json.dumps(
            {"machine": machine("grpcio"), "no cable because": reason_why_not(), "bare": arguments.bare, "laps": runs}, indent=2
        )
        + "\n"
    )
    draw(runs, found)
    print(text)


def turned(found: list[int], number: int) -> list[int]:
    """Begin each round with another one."""
    number %= len(found)
    return found[number:] + found[:number]


if __name__ == "__main__":
    main()
