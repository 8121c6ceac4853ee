"""The step from which parties resume: the newest one that all have saved; a killed party may lack the last."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from vertical_lightning.distributed.session import Session
from vertical_lightning.distributed.transport.failure import RendezvousError
from vertical_lightning.split.checkpoint_places import Moment, moment_of, place

MOST = 50
"""How many of a run's newest checkpoints the other parties are told of."""


def newest_common(session: Session, path: str | None) -> str | None:
    """Return this party's checkpoint of the newest step that all parties have; None if all begin anew.

    Args:
        session: The way to the others.
        path: The run or the checkpoint that this party was told to go on from.

    Raises:
        RendezvousError: Some begin anew, or no step of one run is everybody's.
    """
    own = {} if path is None else kept(Path(path), session.party)
    told = None if path is None else [moment._asdict() for moment in own]
    said = {party: facts["kept"] for party, facts in session.gather("where all can go on", kept=told).items()}
    if all(moments_kept is None for moments_kept in said.values()):
        return None
    moments = {party: {Moment(**moment) for moment in moments_kept or ()} for party, moments_kept in said.items()}
    common = set.intersection(*moments.values()) & own.keys()
    if not common:
        raise RendezvousError(session.party, disagreement(moments))
    chosen, newest = max(common, key=lambda moment: moment.step), max(own, key=lambda moment: moment.step)
    if chosen != newest:
        print(f"{session.party} goes on from step {chosen.step}, the newest that all have; its own newest is {newest.step}")
    return str(own[chosen])


def kept(path: Path, party: str) -> dict[Moment, Path]:
    """Return a party's checkpoints that a path may mean, by moment: the one that it names, or all of the run that it names."""
    newest = place(path, party)
    of_run = newest.parent.name == "last.ckpt" != path.name
    files = newest.parent.parent.glob(f"*.ckpt/{party}.ckpt") if of_run else [newest]
    folders: dict[Moment, Path] = {}
    for folder in {file.resolve().parent for file in files}:
        with suppress(ValueError):  # cut short, when the disk was full: no step to go on from
            folders[moment_of(folder / f"{party}.ckpt")] = folder
    latest = sorted(folders, key=lambda moment: moment.step)[-MOST:]
    return {moment: folders[moment] for moment in latest}


def disagreement(moments: dict[str, set[Moment]]) -> str:
    """Return a sentence: which party could resume from which step."""
    told = []
    for party, kept in moments.items():
        newest = max(kept, key=lambda moment: moment.step, default=None)
        told.append(f"{party} step {newest.step} of run {newest.run}" if newest else f"{party} begins anew")
    none = "the parties disagree about where to go on: no step of a run is everybody's"
    return f"{none}. {'; '.join(told)}. Start all with the same."
