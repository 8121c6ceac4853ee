"""Settings that must stand before anything else is imported."""

import os
import tempfile

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning threads on two shared cores take 20 times as long

_cache = tempfile.TemporaryDirectory(prefix="vl-tests-")  # gone with the tests; the user's own cache is not touched
os.environ["VL_CACHE"] = _cache.name
