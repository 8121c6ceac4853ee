"""Silence counts in seconds in which this process could have heard something."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pipes import Pipe

import pytest

from vertical_lightning.distributed.transport.failure import PeerLostError
from vertical_lightning.distributed.transport.peer import Peer

FROZEN = """
import os, sys, threading, time
from vertical_lightning.distributed.transport.awake import clock
awake = clock()
print("ready", flush=True)
sys.stdin.readline()
print(awake.seconds, flush=True)
"""


def test_a_process_that_was_frozen_has_not_been_awake() -> None:
    child = subprocess.Popen([sys.executable, "-c", FROZEN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin and child.stdout
    with child:
        child.stdout.readline()
        os.kill(child.pid, signal.SIGSTOP)
        time.sleep(3.0)
        os.kill(child.pid, signal.SIGCONT)
        found = float(child.communicate("go on\n")[0])
    assert found < 2.0, "the three seconds count as two steps of a tenth"


def test_whoever_was_held_up_itself_takes_nobody_for_lost() -> None:
    """A thread that lets no other in for longer than the timeout, as a garbage collection does; then the peer speaks."""
    here, there = Pipe.pair()
    alice, bob = Peer("alice", "bob", here, timeout=1.0), Peer("bob", "alice", there, timeout=1.0)
    sum(range(10**6))
    began, interval = time.monotonic(), sys.getswitchinterval()
    sys.setswitchinterval(100.0)
    try:
        while time.monotonic() - began < 2.5:
            sum(range(1000))
    finally:
        sys.setswitchinterval(interval)
    bob.check_alive()
    alice.check_alive()


def test_silence_still_counts() -> None:
    _, there = Pipe.pair()
    bob = Peer("bob", "alice", there, timeout=0.5)
    time.sleep(1.5)
    with pytest.raises(PeerLostError, match="no sign of life"):
        bob.check_alive()
