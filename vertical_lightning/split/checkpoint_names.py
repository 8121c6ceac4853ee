"""Links in the folder of a run's checkpoints."""

LAST, BEST = "last.ckpt", "best.ckpt"
