"""The command `vl-align`: private set intersection alone, on the parties' own files."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig

from vertical_lightning.config.compose import allow_party_overrides, build, config_folder, import_from_here, user_errors

if TYPE_CHECKING:
    from vertical_lightning.data.files.party_rows import PartyRows
    from vertical_lightning.schema import Alignment

DRY = "--dry-run"


def main() -> None:
    """Translate `--dry-run`, which Hydra does not know, and run."""
    import_from_here()
    words = [word for word in sys.argv[1:] if word != DRY]
    sys.argv[1:] = [*allow_party_overrides(words), *(["dry_run=true"] if DRY in sys.argv else [])]
    align()


@hydra.main(version_base="1.3", config_path=config_folder(), config_name="align")
def align(config: DictConfig) -> None:
    """Align, say who learned what, and write each party's row numbers."""
    with user_errors():
        from vertical_lightning.run import summary, threads
        from vertical_lightning.run.atomic_folder import atomic_folder

        with nullcontext() if config.dry_run else atomic_folder(config.out) as folder:  # refused before anything takes time
            threads.use(config.threads)
            brought, aligner = read(config), build(config.psi)
            alignments = {
                name: aligner.align({party: rows.ids for party, rows in parts.items()}, config.label_holder)
                for name, parts in brought.items()
            }
            print(summary.alignment(alignments), flush=True)
            if folder is not None:
                write(alignments, brought, folder)
                print(f"{config.out}/ has the row numbers of each party's file, from 0; line i is one entity everywhere.")


def read(config: DictConfig) -> dict[str, dict[str, PartyRows]]:
    """Read the parties' files.

    Raises:
        ValueError: The data are not files, a file cannot be used, or the label holder brings none.
    """
    from vertical_lightning.data.files.files import Files

    files = build(config.datamodule.holdings)
    if not isinstance(files, Files):
        raise ValueError("vl-align reads files (data=files); vl-partition makes files out of a built-in data set.")
    return files.ids_only().read()


def write(alignments: Mapping[str, Alignment], brought: Mapping[str, Mapping[str, PartyRows]], folder: Path) -> None:
    """Write one file a party: the numbers of its common rows, in the common order; and who learned what."""
    from vertical_lightning.run import summary

    for name, alignment in alignments.items():
        place = folder if len(alignments) == 1 else folder / name
        place.mkdir(exist_ok=True)
        for party, positions in alignment.positions.items():
            rows = brought[name][party].rows[positions].tolist()
            (place / f"{party}.csv").write_text("\n".join(["row", *map(str, rows)]) + "\n")
    (folder / "statement.txt").write_text(summary.statements(alignments) + "\n")


if __name__ == "__main__":
    main()
