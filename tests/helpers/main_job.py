"""What the main job logs."""

SCALARS = {
    *("train/loss", "train/accuracy", "train/loss_step", "train/accuracy_step"),
    *("val/loss", "val/accuracy", "test/loss", "test/accuracy"),
    *("gradient_norm/alice", "gradient_norm/carol", "gradient_norm/bob"),
    *("embedding_norm/alice->bob", "embedding_norm/carol->bob", "lr/alice", "lr/carol", "lr/bob"),
    *("wire/bytes/alice->bob", "wire/bytes/bob->alice", "wire/bytes/carol->bob", "wire/bytes/bob->carol"),
    *("leakage/alice", "leakage/carol"),
    *(
        "wire/bytes",
        "wire/evaluation_bytes",
        "wire/evaluation_bytes/alice->bob",
        "wire/evaluation_bytes/carol->bob",
        "psi/intersection",
        "psi/seconds",
        "psi/bytes",
        "psi/cache_hit",
        "time/fit_seconds",
    ),
}
"""Tags of numbers."""
