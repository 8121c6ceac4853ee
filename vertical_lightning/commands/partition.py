"""The command `vl-partition`: a built-in data set, divided among parties, as files that they might have brought."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from vertical_lightning.config.compose import allow_party_overrides, build, config_folder, import_from_here, user_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vertical_lightning.schema import PartyTable

RESERVED = ("null", "true", "false", "nan", "inf")
ID, LABEL = "id", "label"
FORMATS = ("csv", "csv.gz", "parquet")


def main() -> None:
    """Run."""
    import_from_here()
    sys.argv[1:] = allow_party_overrides(sys.argv[1:])
    partition()


@hydra.main(version_base="1.3", config_path=config_folder(), config_name="partition")
def partition(config: DictConfig) -> None:
    """Write one file a party, and say how to train on them."""
    with user_errors():
        from vertical_lightning.run import summary
        from vertical_lightning.run.atomic_folder import atomic_folder

        if config.format not in FORMATS:
            raise ValueError(f"format={config.format} is none of {', '.join(FORMATS)}.")
        architecture = HydraConfig.get().runtime.choices["architecture"]
        words = ["vl-train data=files", f"architecture={architecture}", f"label_holder={config.label_holder}"]
        with atomic_folder(config.out) as folder:  # refused before anything is loaded
            held = build(config.datamodule.holdings).load(config.label_holder)
            print(summary.holdings(held.tables))
            for name, parts in held.tables.items():
                place = "" if len(held.tables) == 1 else name
                (folder / place).mkdir(exist_ok=True)
                for party, table in parts.items():
                    file = write(folder / place / party, table, held.classes, config.format)
                    words += described(party, Path(str(config.out), place, file), table, held.classes, test=name == "test")
        if held.classes and not any(".label=[" in said for said in words):
            words.append(word("data.classes", held.classes))
        print(" \\\n  ".join(words))


def described(party: str, path: Path, table: PartyTable, classes: Sequence[str], *, test: bool) -> list[str]:
    """Say on the command line where a party's file lies."""
    import pandas as pd

    if test:
        return [word(f"data.parties.{party}.test_path", str(path))]
    words = [word(f"data.parties.{party}.path", str(path))]
    if table.kind is not None and not isinstance(table.features, pd.DataFrame) and table.features is not None:
        words.append(f"data.parties.{party}.kind={table.kind}")  # flat pixels would pass for a table
    if table.labels is not None:
        names = list(label_columns(table, classes))
        words.append(word(f"data.parties.{party}.label", names if len(names) > 1 else LABEL))
    if isinstance(table.features, pd.DataFrame) and path.suffix != ".parquet":  # text does not say that 2 is a category
        categories = table.features.select_dtypes(exclude="number").columns
        words += [word(f"data.parties.{party}.categories", list(categories))] if len(categories) else []
    return words


def word(key: str, value: str | Sequence[str]) -> str:
    """Write a setting as a shell hands it to Hydra.

    >>> print(word("data.classes", ["no", "on hold"]), word("out", "a/b.csv"))
    'data.classes=[no,"on hold"]' out=a/b.csv
    """
    text = quoted(value) if isinstance(value, str) else f"[{','.join(quoted(str(name)) for name in value)}]"
    return shlex.quote(f"{key}={text}")


def quoted(name: str) -> str:
    """Write a name as Hydra reads it."""
    plain = re.fullmatch(r"[A-Za-z_/.][A-Za-z_0-9/.-]*", name) and name.lower() not in RESERVED
    return name if plain else json.dumps(name, ensure_ascii=False)


def label_columns(table: PartyTable, classes: Sequence[str]) -> dict[str, list[Any]]:
    """Return the label holder's columns of labels, by name; none of anybody else."""
    if table.labels is None:
        return {}
    if table.labels.ndim == 2:
        return dict(zip(classes, table.labels.T.int().tolist(), strict=True))
    labels = table.labels.tolist()
    return {LABEL: [classes[number] for number in labels] if classes else labels}


def write(path: Path, table: PartyTable, classes: Sequence[str], form: str) -> str:
    """Write one party's file; return its name.

    Raises:
        ValueError: A column is called like the ids or the labels.
    """
    import numpy as np
    import pandas as pd

    labels = label_columns(table, classes)
    if table.features is not None and not isinstance(table.features, pd.DataFrame):
        file = path.with_name(f"{path.name}.npz")
        held = {ID: np.array(table.ids), "features": table.features.numpy()}
        np.savez_compressed(file, **held, **{name: np.array(column) for name, column in labels.items()})  # type: ignore[arg-type]
        return file.name
    frame = pd.DataFrame(index=range(len(table))) if table.features is None else table.features
    own = {ID: list(table.ids)} | labels
    if taken := [name for name in own if name in frame.columns]:
        raise ValueError(f"{path.name} has a column {', '.join(taken)} already, which is where ids and labels are written.")
    frame = pd.concat([pd.DataFrame(own), frame.reset_index(drop=True)], axis=1)
    file = path.with_name(f"{path.name}.{form}")
    if form == "parquet":
        frame.to_parquet(file, index=False)
    else:
        frame.to_csv(file, index=False)
    return file.name


if __name__ == "__main__":
    main()
