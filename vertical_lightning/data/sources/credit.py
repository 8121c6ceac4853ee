"""Who will not pay the credit card's next bill?"""

from __future__ import annotations

from typing import ClassVar

import pandas as pd
import torch

from vertical_lightning.data.files.entity_ids import entity_ids
from vertical_lightning.data.sources.verified_file import bundled_file
from vertical_lightning.schema import Table


class Credit:
    """Default of Credit Card Clients: 30,000 clients of a bank in Taiwan, 23 columns (Yeh; UCI, doi 10.24432/C55S3H).

    22.1 % default (class 1): report ROC AUC, for accuracy hardly beats "nobody does". SEX, EDUCATION and MARRIAGE are
    codes and so come as text; PAY_0 … PAY_6 count months in arrears and stay numbers.

    >>> table = Credit().load()["all"]
    >>> table.features.shape, table.labels.bincount().tolist()
    ((30000, 23), [23364, 6636])
    """

    checksum: ClassVar[str] = "sha256:d7aa7d8dfa06b73944323457728dcb4ed0e035e90b029934e51a6c4d69f0a843"

    def load(self) -> dict[str, Table]:
        """Return `{"all": …}`: there is no official test split.

        Raises:
            FileNotFoundError: The installation lacks the file.
            ValueError: The file is corrupt.
        """
        path = bundled_file("default_credit.csv.gz", self.checksum)
        frame = pd.read_csv(path, dtype={"SEX": str, "EDUCATION": str, "MARRIAGE": str})
        labels = torch.tensor(frame["default.payment.next.month"].to_numpy(), dtype=torch.int64)
        table = Table(
            ids=entity_ids("credit", "all", range(len(frame))),
            features=frame.drop(columns=["ID", "default.payment.next.month"]),
            labels=labels,
            classes=["paid", "defaulted"],
        )
        return {"all": table}
