"""Honest guards: what a party does at its own end of the wire so that less leaks. One file here, one yaml in `conf/defense/`.

A defense is a `split.guard.Guard`. It is built from the arguments of its yaml, draws from its own party's seed, and must be the
identity at its neutral setting. What it cannot do: see another party's tensors, or change what has crossed already.
"""
