"""Certificates for tests, good and bad."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import trustme


@cache
def authority(which: str = "ours") -> trustme.CA:
    """Return an authority; one a name."""
    return trustme.CA(organization_name=which)


def certificates(
    folder: Path, name: str, of: str = "ours", trusts: str = "ours", expired: bool = False, early: bool = False
) -> dict[str, str]:
    """Write what a party needs; return the three paths as `Grpc` takes them.

    Args:
        folder: Where to.
        name: The certificate's.
        of: The authority that issues it.
        trusts: The authority that the party believes.
        expired: Whether it was good until yesterday.
        early: Whether it is good from tomorrow on.
    """
    now, day = datetime.now(UTC), timedelta(days=1)
    dates = {"not_after": now - day} if expired else {"not_before": now + day, "not_after": now + 2 * day} if early else {}
    issued = authority(of).issue_cert(name, common_name=name, **dates)
    stem = folder / f"{name}-{of}-{trusts}-{expired}-{early}"
    paths = {what: f"{stem}.{what}.pem" for what in ("certificate", "key", "authority")}
    issued.cert_chain_pems[0].write_to_path(paths["certificate"])
    issued.private_key_pem.write_to_path(paths["key"])
    authority(trusts).cert_pem.write_to_path(paths["authority"])
    return paths
