"""Seconds, bytes and memory of private set intersection, beside the plain calls of the package it is built on.

python experiments/benchmarks/psi/measure.py [--rounds 3] [--ids 1000 10000 60000 100000] [--memory 200000]

Plain calls, ours on one thread and ours on all take turns, so that a busy machine slows all of them; medians and ratios of
rounds are kept. Each of two parties brings n ids, 99 % of them in common. Writes times.csv and times.png beside itself.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
import private_set_intersection.python as native
import torch
from tabulate import tabulate
from tqdm import tqdm

from vertical_lightning.psi.client import Client
from vertical_lightning.psi.identifiers import canonical
from vertical_lightning.psi.openmined import OpenMined
from vertical_lightning.psi.server import Server
from vertical_lightning.psi.star import Star

HERE = Path(__file__).parent
CORES = torch.get_num_threads()
WAYS = ["plain calls", "1 thread", *([f"{CORES} threads"] if CORES > 1 else [])]
PHASES = ["request", "setup", "response", "intersect", "reveal and proof"]


def lists(count: int) -> dict[str, list[str]]:
    """Two parties' ids; the first 1 % of one and the last 1 % of the other are not common."""
    away = count // 100
    return {"client": [f"id-{n}" for n in range(count)], "server": [f"id-{n}" for n in range(away, count + away)]}


def timed(seconds: dict[str, float], phase: str, call: Callable[[], object]) -> object:
    """Add what a call takes to a phase."""
    started = time.perf_counter()
    result = call()
    seconds[phase] = seconds.get(phase, 0) + time.perf_counter() - started
    return result


def plain(ids: dict[str, list[str]]) -> tuple[dict[str, float], dict[str, int]]:
    """The package's own calls, one after another; seconds by phase and bytes by message."""
    seconds: dict[str, float] = {}
    client, server = native.client.CreateWithNewKey(True), native.server.CreateWithNewKey(True)
    count = len(ids["client"])
    request = timed(seconds, "request", lambda: client.CreateRequest(ids["client"]))
    setup = timed(seconds, "setup", lambda: server.CreateSetupMessage(1e-9, count, ids["server"], native.DataStructure.RAW))
    response = timed(seconds, "response", lambda: server.ProcessRequest(request))
    found = timed(seconds, "intersect", lambda: client.GetIntersection(setup, response))
    assert len(found) == count - count // 100
    return seconds, {"request": request.ByteSize(), "setup": setup.ByteSize(), "response": response.ByteSize()}


def ours(ids: dict[str, list[str]]) -> tuple[dict[str, float], dict[str, int]]:
    """The same two ends with every check, and what the package does not have: the server learns its rows, with a proof."""
    seconds: dict[str, float] = {}
    engine = OpenMined()
    client, server = (end(canonical(ids[name], name), engine) for end, name in ((Client, "client"), (Server, "server")))
    hello = server.hello(client.hello())
    request = timed(seconds, "request", lambda: client.request(hello))
    timed(seconds, "setup", server.prepare)
    setup, response = timed(seconds, "response", lambda: server.respond(request))
    rows = timed(seconds, "intersect", lambda: client.match(setup, response))

    def close() -> None:
        server.accept(client.reveal(rows))
        server.conclude(client.conclude(server.answer(client.prove())))

    timed(seconds, "reveal and proof", close)
    assert len(rows) == len(ids["client"]) - len(ids["client"]) // 100
    return seconds, {"request": len(request), "setup": len(setup), "response": len(response)}


def measure(way: str, count: int) -> dict[str, object]:
    """One run of one way; messages must have the sizes that the formulas say."""
    torch.set_num_threads(1 if way == "1 thread" else CORES)
    seconds, sizes = (plain if way == "plain calls" else ours)(lists(count))
    assert (sizes["request"], sizes["response"]) == (35 * count + 2, 35 * count)
    assert sizes["setup"] - 35 * count in range(2, 7)
    return {"ids": count, "way": way, **seconds, "all": sum(seconds.values()), "bytes": sum(sizes.values())}


def cached(count: int) -> dict[str, object]:
    """Seconds of a whole alignment by the class that users get, and of the next one on the same ids."""
    torch.set_num_threads(CORES)
    with tempfile.TemporaryDirectory() as folder:
        star, ids = Star(OpenMined(), cache=True, cache_folder=folder), lists(count)
        first, again = (star.align(ids, "client") for _ in range(2))
        assert [first.cached, again.cached] == [False, True]
        started = time.perf_counter()
        star.align(ids, "client")
        return {
            "ids": count,
            "alignment": first.seconds,
            "MB on the wire": sum(first.bytes.values()) / 1e6,
            "bytes an id": sum(first.bytes.values()) / count,
            "cache hit": time.perf_counter() - started,
        }


def memory(count: int) -> float:
    """Most bytes an id above the inputs, of a whole alignment in a process of its own; both parties are in it."""
    code = f"from measure import peak; print(peak({count}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=HERE, capture_output=True, text=True, check=True)
    return float(done.stdout)


def peak(count: int) -> float:
    """Align, and return how far the process's peak rose above what it was with the inputs, in bytes an id and party."""
    Star(OpenMined()).align(lists(2000), "client")  # code and libraries are loaded
    ids = lists(count)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    Star(OpenMined()).align(ids, "client")
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / (2 * count)


def draw(table: pd.DataFrame) -> None:
    """Seconds against ids, one line a way."""
    figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
    for way in WAYS:
        rows = table[table["way"] == way]
        axis.loglog(rows["ids"], rows["all"], marker="o", label=way)
    axis.set(xlabel="ids of each party", ylabel="seconds", title="Private set intersection of two parties")
    axis.grid(which="both", alpha=0.3)
    axis.legend()
    figure.savefig(HERE / "times.png", dpi=120)


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ids", type=int, nargs="*", default=[1_000, 10_000, 60_000, 100_000])
    parser.add_argument("--memory", type=int, default=200_000, help="ids of the memory measurement; 0 for none")
    arguments = parser.parse_args()
    turns = [(count, number, way) for count in arguments.ids for number in range(arguments.rounds) for way in WAYS]
    runs = pd.DataFrame([{"round": number} | measure(way, count) for count, number, way in tqdm(turns, desc="runs")])
    runs["of plain calls"] = runs["all"] / runs.groupby(["ids", "round"])["all"].transform("first")
    table = runs.drop(columns="round").groupby(["ids", "way"], sort=False).median().reset_index()
    table.to_csv(HERE / "times.csv", index=False, float_format="%.4g")
    draw(table)
    print(tabulate(table, headers="keys", tablefmt="github", floatfmt=".3g", showindex=False))
    print()
    print(tabulate([cached(count) for count in arguments.ids], headers="keys", tablefmt="github", floatfmt=".3g"))
    if arguments.memory:
        print(f"\nmemory above the inputs at {arguments.memory:,} ids: {memory(arguments.memory):.0f} bytes an id and party")


if __name__ == "__main__":
    main()
