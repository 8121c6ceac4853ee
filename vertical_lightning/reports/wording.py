"""What a report says in words, the same in every form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from vertical_lightning.reports.job import Job
from vertical_lightning.reports.manifest import STATES
from vertical_lightning.reports.study import Study
from vertical_lightning.reports.sweep import Sweep
from vertical_lightning.reports.table import Table

RESULTS = ("train/", "val/", "test/", "wire/")
"""What the metrics begin with that two different runs do not share by chance."""

CACHE_HIT = "psi/cache_hit"

SHOWN = 4
"""Rows that are named as not to be told from the best."""

EXPLAINED = "Means over n seeds or folds ± half of the 95 % confidence interval (Student's t). 1 MB is 10⁶ bytes."


def title(study: Study) -> str:
    """Name a study by what it varied."""
    return f"Sweep over {listed(study.varied or study.swept) or 'nothing'}"


def listed(words: Sequence[str]) -> str:
    """Write words one after another.

    >>> listed(["architecture", "cut", "seed"])
    'architecture, cut and seed'
    """
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def counts(jobs: Sequence[Job]) -> str:
    """Say how many jobs there are, and what became of them."""
    counts = Counter(job.state for job in jobs)
    told = [f"{counts[state]} {state}" for state in STATES if counts[state]]
    return f"{len(jobs)} {'job' if len(jobs) == 1 else 'jobs'}: {', '.join(told)}"


def best(study: Study, table: Table) -> str:
    """Name the row to take, and the rows that it cannot be told from; split rows come before baselines."""
    best = table.standing
    if best is None:
        return "No job has completed: there is nothing to rank."
    if not table.measures:
        return study.note
    metric = table.measures[0]
    row = next(row for row in table.rows if row.group is best.chosen)
    few = str(row.numbers[0]).endswith(f" of {row.n})")
    score = f"{metric.title} {row.numbers[0]}{'' if few else f' (n = {row.n})'}"
    if len(table.rows) == 1:
        return score
    labels = [group.label(table.keys) for group in best.alike[:SHOWN]]
    alike = listed([f"({label})" if "," in label else label for label in labels])
    more = f" and {len(best.alike) - SHOWN} more" if len(best.alike) > SHOWN else ""
    because = f", and {best.reason} of them" if best.reason else ""
    apart = f"; it cannot be told from {alike}{more} by {metric.metric}{because}" if alike else ""
    return f"Best: {row.group.label(table.keys)}, with {score}{apart}"


def alike(study: Study, table: Table) -> str:
    """Name rows that are one and the same: whatever was swept between them changed nothing; empty where there are none."""
    told: dict[tuple[object, ...], list[str]] = {}
    for row in table.rows:
        results = [
            sorted((name, value) for name, value in job.metrics.items() if name.startswith(RESULTS)) for job in row.group.jobs
        ]
        told.setdefault((row.group.baseline, str(sorted(results))), []).append(row.group.label(table.keys))
    same = [" = ".join(names) for names in told.values() if len(names) > 1]
    return f"The same to the last digit: {'; '.join(same)}. What differs between them has no effect here." if same else ""


def ranking(study: Study, table: Table) -> str:
    """Say how the table is ordered."""
    direction = " (less is better)" if table.measures and table.measures[0].lower else ""
    return f"{study.note} Best {study.objectives[0]} first{direction}. {EXPLAINED} {alike(study, table)}".strip()


def duration(seconds: float) -> str:
    """Write seconds in the units that people use.

    >>> duration(12.34), duration(754), duration(7384)
    ('12.3 s', '12 min 34 s', '2 h 3 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def alignments(jobs: Sequence[Job]) -> str:
    """Say how many jobs ran private set intersection, and how many read what another had found."""
    hits = [job.metrics[CACHE_HIT] for job in jobs if CACHE_HIT in job.metrics]
    return f"computed by {hits.count(0.0)} of {len(hits)} jobs, the others read it from the cache" if any(hits) else ""


def origin(sweep: Sweep) -> dict[str, str]:
    """Tell where a sweep's numbers come from."""
    commit = sweep.commit or "no git checkout"
    others = Counter(job.commit for job in sweep.jobs if job.commit not in ("", sweep.commit))
    told = {
        "folder": str(sweep.folder),
        "started": sweep.started,
        "result": f"{counts(sweep.jobs)}; {duration(sum(job.seconds for job in sweep.jobs))} in all",
        "alignment": alignments(sweep.jobs),
        "git commit": f"{commit}, with uncommitted changes" if sweep.changed else commit,
        "taken over": ", ".join(f"{number} jobs that ran from {earlier}" for earlier, number in others.items()),
        "versions": ", ".join(f"{name} {version}" for name, version in sweep.versions.items()),
    }
    return {name: value for name, value in told.items() if value}
