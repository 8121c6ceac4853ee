"""The command `vl-report`: the report of a sweep, or of several that belong together, at any time."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path


def main() -> None:
    """Write the report, and say where it is."""
    parser = ArgumentParser("vl-report", description="Write summary.csv, summary.md and report.html of one or several sweeps.")
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="a sweep's: logs/sweeps/<date>_<time>")
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="where the files go (default: the first folder)")
    told = parser.parse_args()
    # pandas and matplotlib take seconds to import; --help need not wait.
    from vertical_lightning.reports.writing import write

    try:
        print(write(told.folders, told.into or told.folders[0]))
    except (ValueError, OSError) as error:
        sys.exit(f"vl-report: {error}")


if __name__ == "__main__":
    main()
