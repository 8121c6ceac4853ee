"""What a party can learn from what it saw: methods that turn a view into a guess. One file here, one yaml in `conf/attack/`.

An attack is a `split.view.Attack`. It is given a `View` and nothing else: its party's own rows, stages and messages, public
facts, and exactly the knowledge that its yaml declares. It never sees the truth; `split.grade` compares. Not for adversaries
that act while a run goes: those are guards.
"""
