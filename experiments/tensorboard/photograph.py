"""Takes README's pictures of TensorBoard.

vl-train -m architecture=mlp,lenet cut=1,2 seed=0,1,2 partition=halves hydra.sweep.dir=SWEEP
python experiments/tensorboard/photograph.py SWEEP
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent / "tests" / "helpers"))

from browser import await_text, opened, tensorboard  # noqa: E402

with tensorboard(Path(sys.argv[1])) as address:
    with opened(1250, 1180) as page:
        page.goto(f"{address}#custom_scalars")
        await_text(page, "loss", "accuracy", "gradient norm per party")
        smoothing = page.locator("tf-smoothing-input input").last
        smoothing.fill("0")
        smoothing.press("Enter")
        page.get_by_text("Ignore outliers in chart scaling").last.click()
        page.get_by_role("textbox", name="Write a regex to filter runs").last.fill("lenet.*seed=0")  # colors are few
        page.wait_for_timeout(3000)  # curves are drawn in slices
        page.screenshot(path=HERE / "custom_scalars.png")
    with opened(2000, 560) as page:
        page.goto(f"{address}#hparams")
        await_text(page, "cut", "test/accuracy")
        page.wait_for_timeout(1000)
        page.screenshot(path=HERE / "hparams.png")
