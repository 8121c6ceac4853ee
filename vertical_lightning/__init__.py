"""Train one network on columns that lie in different hands, and hand over no table.

The map, in reading order:

1. `train` — the command `vl-train`: a Hydra configuration becomes a data module, a split module and a Trainer.
2. `data.datamodule` — who holds what; private set intersection; one sampler of aligned row numbers.
3. `split_module` — the training step: forward, loss at the label holder, gradients back, every party's own optimizer.
4. `wire` — the only door between parties: it cuts the autograd graph, counts bytes and returns gradients.
5. `topologies.topology` — who owns which stages of an architecture, and the one forward loop.

Nothing of them is imported here, so that `vl-train --help` answers at once.
"""

import os
import warnings

# Must be said before torch is imported. On shared cores, OpenMP's threads by default spin while they wait for one another:
# a step of the main job took 44 ms beside one other busy process, 2.4 ms with passive waiting.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

warnings.filterwarnings("ignore", message=".*LeafSpec.*")  # Lightning 2.6 with torch 2.15
