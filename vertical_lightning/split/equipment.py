"""What stands at a party's ends of the wire, among its own modules: guards, and a codec for each hop."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import cast

from torch import nn

from vertical_lightning.split.codec import Codec
from vertical_lightning.split.guard import End, Guard, Guards
from vertical_lightning.split.seeding import seeded
from vertical_lightning.split.transport import Transport
from vertical_lightning.split.wire import Wire

EQUIPMENT = ("guards", "codecs")
"""What a party's modules are named that are no stages."""

GuardFactory = Callable[[], Guard]
CodecFactory = Callable[[], Codec]


def equip(
    parties: Mapping[str, nn.ModuleDict],
    hops: Collection[tuple[str, str]],
    seeds: Mapping[str, int],
    guards: Mapping[str, Mapping[str, GuardFactory]],
    codec: CodecFactory | None,
) -> None:
    """Give every party its guards, and a codec for each hop that begins or ends at it.

    Args:
        parties: The modules of those that are here.
        hops: (sender, receiver) of what crosses.
        seeds: By party; what a guard or codec draws follows from its party's.
        guards: By party and name, what builds a guard.
        codec: Builds a codec; None for tensors as they are.
    """
    for party, own in parties.items():
        if chosen := guards.get(party):
            own["guards"] = Guards({name: seeded(build, seeds[party], f"guard {name}") for name, build in chosen.items()})
        names = [named(*hop) for hop in hops if party in hop]
        if codec and names:
            own["codecs"] = nn.ModuleDict({name: seeded(codec, seeds[party], f"codec {name}") for name in names})


def wired(parties: Mapping[str, nn.ModuleDict], hops: Collection[tuple[str, str]], transport: Transport | None) -> Wire:
    """Return a wire with what stands at the ends of the parties that are here."""
    guards = {party: cast(Guards, own["guards"]) for party, own in parties.items() if "guards" in own}
    codecs = {
        End(party, *hop): cast(Codec, cast(nn.ModuleDict, own["codecs"])[named(*hop)])
        for party, own in parties.items()
        if "codecs" in own
        for hop in hops
        if party in hop
    }
    return Wire(transport, guards, codecs)


def named(sender: str, receiver: str) -> str:
    """Name a hop as a module may be named."""
    return f"{sender}__{receiver}"
