"""Who will open a term deposit when called?"""

from __future__ import annotations

from typing import ClassVar

import pandas as pd
import torch

from vertical_lightning.data.files.entity_ids import entity_ids
from vertical_lightning.data.sources.verified_file import bundled_file
from vertical_lightning.schema import Table


class Bank:
    """Bank Marketing, the small file: 4,521 clients, 15 columns (Moro, Rita, Cortez; UCI, doi 10.24432/C5K306).

    11.5 % subscribe (class 1): report ROC AUC. A 16th column, `duration`, is left out: how long the call took is known
    only after it, when the answer is known as well, so results that use it look far better than they are.

    >>> table = Bank().load()["all"]
    >>> table.features.shape, "duration" in table.features
    ((4521, 15), False)
    """

    checksum: ClassVar[str] = "sha256:fb256574116a2624eaf20949a53614eb3037707031cdc66c7a2690624fb255fd"

    def load(self) -> dict[str, Table]:
        """Return `{"all": …}`: there is no official test split.

        Raises:
            FileNotFoundError: The installation lacks the file.
            ValueError: The file is corrupt.
        """
        frame = pd.read_csv(bundled_file("bank.csv.gz", self.checksum))
        table = Table(
            ids=entity_ids("bank", "all", range(len(frame))),
            features=frame.drop(columns=["id", "duration", "y"]),
            labels=torch.tensor((frame["y"] == "yes").to_numpy(), dtype=torch.int64),
            classes=["declined", "subscribed"],
        )
        return {"all": table}
