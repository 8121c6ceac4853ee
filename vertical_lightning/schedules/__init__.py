"""When the parties exchange and when they step. One schedule a file, one yaml in `conf/schedule/`.

A schedule is a `split.schedule.Schedule`: it trains on a batch out of a module's two moves, `exchange` and `local`. A batch is
one step of the run whatever it does, and it must be as good between processes as in one: it decides by nothing that only one
party knows.
"""
