"""Steps a second: one process, one process a party with gloo and with gRPC, and the same over a long cable.

python experiments/parties/measure.py [--bare] [--rounds 5] [--steps 300] [--round-trips 10 40]

Alice's MLP 784-128-640 and bob's 10 outputs, batch 128, with the callbacks, the logging and the threads that vl-train has by
itself; with --bare on one thread and without any of these. Every run is started anew; the engines take turns, so that a busy
machine slows all of them. A run's first epoch, and what lies between epochs, is left out; how a step divides into compute,
wait and transfer is what each party says of its last epoch. Prints a table, and writes runs.json and steps.png beside itself.

The cable is a relay between two network namespaces (tests/namespaces.py), which need root; without, its rows are left out.
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
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pytorch_lightning as pl
from tabulate import tabulate
from tqdm import tqdm

HERE = Path(__file__).parent
TESTS = HERE.parent.parent / "tests"
sys.path += [str(TESTS), str(TESTS / "transport")]

from certificates import certificates  # noqa: E402
from namespaces import reason_why_not, two_machines  # noqa: E402

EPOCH = 50
PARTIES = ("bob", "alice")
SPLIT = ("compute", "wait", "transfer")
BATCHES = ("limit_train_batches", "limit_val_batches", "limit_test_batches")
BASE = "one process"
SETTINGS = [
    *("data=mnist_sample", "architecture=mlp", "cut=2", "batch_size=128", "party_seed=0", "psi.cache=false"),
    *("trainer.accelerator=cpu", "callbacks.progress_bar.refresh_rate=0"),
    *(f"trainer.{name}={number}" for name, number in zip(BATCHES, (EPOCH, 0, 0), strict=True)),
    *("+callbacks.clock._target_=measure.Clock", "+callbacks.clock.file=${folder}/clock.json"),
]
BARE = ["threads=1", "callbacks=[progress_bar]", "logger=[]"]


class Clock(pl.Callback):
    """Writes down when each batch started, epoch by epoch; trained in the processes that this script starts.

    Args:
        file: Where to.
    """

    def __init__(self, file: str) -> None:
        self.file, self.epochs = Path(file), list[list[float]]()

    def on_train_epoch_start(self, *_: object) -> None:
        self.epochs.append([])

    def on_train_batch_start(self, *_: object) -> None:
        self.epochs[-1].append(time.perf_counter())

    def on_train_end(self, *_: object) -> None:
        self.file.write_text(json.dumps(self.epochs))


@dataclass(frozen=True)
class Engine:
    """One way to run the parties.

    Args:
        name: Its row in the table.
        wire: The choice of conf/wire.
        round_trip: Milliseconds of the cable between two machines; None for one machine.
    """

    name: str
    wire: str = "local"
    round_trip: float | None = None


def engines(round_trips: list[float]) -> list[Engine]:
    """All engines; with a cable only where there can be one."""
    names = {"gloo": "gloo", "grpc": "gRPC, mutual TLS"}
    near = [Engine(BASE), *(Engine(name, wire) for wire, name in names.items())]
    far = [Engine(f"{name}, {trip:g} ms", wire, trip) for trip in round_trips for wire, name in names.items()]
    return near if reason_why_not() else [*near, *far]


def own_settings(engine: Engine, party: str, folder: Path) -> list[str]:
    """What a party's wire needs."""
    if engine.wire == "gloo":
        return ["wire=gloo", f"wire.insecure={str(engine.round_trip is not None).lower()}"]
    return ["wire=grpc", *(f"wire.{name}={path}" for name, path in certificates(folder, party).items())]


def start(engine: Engine, words: list[str], folder: Path, stack: ExitStack) -> dict[str, subprocess.Popen[Any]]:
    """Start what the engine needs, and return its processes."""
    environment = os.environ | {"PYTHONPATH": str(HERE), "OMP_WAIT_POLICY": "PASSIVE", "CUDA_VISIBLE_DEVICES": ""}

    def run(name: str, popen: Callable[..., subprocess.Popen[Any]], module: str, *own: str) -> subprocess.Popen[Any]:
        log = stack.enter_context((folder / f"{name}.txt").open("w"))
        command = [sys.executable, "-m", f"vertical_lightning.{module}", *words, *own, f"hydra.run.dir={folder / name}"]
        return popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)

    if engine.wire == "local":
        return {"bob": run("bob", subprocess.Popen, "train")}
    if engine.round_trip is None:
        machines, place = None, f"127.0.0.1:{free_port()}"
    else:
        machines = stack.enter_context(two_machines(PARTIES, delay=engine.round_trip / 2000))
        place = f"{machines.addresses['bob']}:29500"
    started = {}
    for party in PARTIES:
        popen = subprocess.Popen if machines is None else lambda *w, party=party, **s: machines.popen(party, *w, **s)
        own = [f"name={party}", f"rendezvous={place}", *own_settings(engine, party, folder)]
        started[party] = run(party, popen, "party", *own)
    return started


def measure(engine: Engine, words: list[str], folder: Path) -> dict[str, Any]:
    """Train once; return seconds a step, and what the parties say that they did meanwhile."""
    folder.mkdir()
    load, busy = os.getloadavg()[0], time.process_time()
    with ExitStack() as stack:
        started = start(engine, [*SETTINGS, *words], folder, stack)
        for process in started.values():
            stack.callback(process.kill)
        ended = {party: process.wait() for party, process in started.items()}
    if any(ended.values()):
        told = "\n".join((folder / f"{party}.txt").read_text()[-3000:] for party in ended)
        raise RuntimeError(f"{engine.name}: exit status {ended}\n{told}")
    times = json.loads((folder / "bob" / "clock.json").read_text())[1:]
    steps = [later - earlier for epoch in times for earlier, later in pairwise(epoch)]
    said = {party: json.loads((folder / party / "metrics.json").read_text()) for party in started}
    spent = {f"{party}: {what}": said[party].get(f"time/{what}") for party in started for what in SPLIT}
    relay = time.process_time() - busy
    return {"engine": engine.name, "step": sum(steps) / len(steps), "load": load, "relay": relay, **spent}


def table(runs: list[dict[str, Any]], names: list[str]) -> list[dict[str, Any]]:
    """Medians over the rounds; ratios are those of one round."""
    base = {run["round"]: run["step"] for run in runs if run["engine"] == BASE}
    rows = []
    for name in names:
        own = [run for run in runs if run["engine"] == name]
        row = {
            "": name,
            "steps/s": f"{median(1 / run['step'] for run in own):.0f}",
            "of one process": f"{median(base[run['round']] / run['step'] for run in own):.2f}",
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
        wire = engine.wire
        own = [(one.round_trip or 0, 1e3 * run["step"]) for one in found if one.wire == wire for run in of(runs, one)]
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


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def of(runs: list[dict[str, Any]], engine: Engine) -> list[dict[str, Any]]:
    """An engine's runs."""
    return [run for run in runs if run["engine"] == engine.name]


def machine() -> dict[str, Any]:
    """What the numbers depend on."""
    packages = ("vertical_lightning", "torch", "pytorch-lightning", "grpcio")
    model = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), ":")
    return {
        "python": sys.version.split()[0],
        **{name: version(name) for name in packages},
        "cores": len(os.sched_getaffinity(0)),
        "processor": model.partition(":")[2].strip(),
        "no cable because": reason_why_not(),
    }


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bare", action="store_true", help="on one thread, without callbacks and logging")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=300, help=f"measured steps of a run, in epochs of {EPOCH}")
    parser.add_argument("--round-trips", type=float, nargs="*", default=[10, 40], help="milliseconds")
    arguments = parser.parse_args()
    found, epochs = engines(arguments.round_trips), 1 + max(1, arguments.steps // EPOCH)
    words = [*(BARE if arguments.bare else ()), f"trainer.max_epochs={epochs}"]
    runs = []
    turns = [(number, engine) for number in range(arguments.rounds) for engine in turned(found, number)]
    with tempfile.TemporaryDirectory() as folder:
        for place, (number, engine) in enumerate(tqdm(turns, desc="runs")):
            runs.append({"round": number, **measure(engine, words, Path(folder, str(place)))})
    text = tabulate(table(runs, [engine.name for engine in found]), headers="keys", tablefmt="github", disable_numparse=True)
    settings = {"rounds": arguments.rounds, "steps": (epochs - 1) * EPOCH}
    (HERE / "runs.json").write_text(json.dumps({"machine": machine(), **settings, "runs": runs}, indent=2) + "\n")
    draw(runs, found)
    print(text)


def turned(found: list[Engine], number: int) -> list[Engine]:
    """Begin each round with another one."""
    number %= len(found)
    return found[number:] + found[:number]


if __name__ == "__main__":
    main()
