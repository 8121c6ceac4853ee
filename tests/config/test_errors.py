"""Bad input: a sentence that says what was given and what to do, before any training, and nothing half-written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from job import SMALL, run

BAD = {
    "cut=7": "legal cuts: 1 (fc1), 2 (fc2)",
    "cut=fc9": "legal cuts: 1 (fc1), 2 (fc2)",
    "cut=0": "legal cuts: 1 (fc1), 2 (fc2)",
    "cut=true": "legal cuts: 1 (fc1), 2 (fc2)",
    "cut=null": "needs 1",
    "cut=[1,2]": "needs 1",
    "topology=u_shaped cut=2": "every owner needs at least one",
    "topology=u_shaped cut=[2,1]": "every owner needs at least one",
    "topology=u_shaped topology.owners=[server]": "must end with the label holder, bob",
    "topology.owners=['not a name',bob] cut=1": "cannot name a party",
    "topology=aggregate cut=1": "cut=null",
    "partition.parties=['two words']": "cannot name a party",
    "partition.parties=[keys]": "cannot name a party",
    "partition.parties=[alice,alice]": "twice",
    "partition=vertical_strips partition.parties=40": "Nothing is left for",
    "label_holder=[alice,bob]": "labels may lie at one party only",
    "partition=credit": "this data set holds images",
    "batch_size=1000": "from 1 to",
    "batch_size=0": "from 1 to",
    "datamodule.val_fraction=1.0": "datamodule.val_fraction=1.0 is no share of rows",
    "overlap.missing=0.99": "No entity is common",
    "overlap.missing=1.5": "missing=1.5",
    "architecture=lenet partition=vertical_strips partition.parties=4 cut=conv2": "stage conv2 at alice cannot take",
    "architecture=lenet partition=even_columns": "stage conv1 at alice cannot take",
    "merge=sum partition=vertical_strips partition.parties=3 architecture=lenet cut=conv1": "embeddings of one shape",
    "merge=stitch partition=halves": "needs feature maps",
    "optimizer.parties.zoe.lr=1": "the parties are alice, bob",
    "clip_norm={zoe:1}": "the parties are alice, bob",
    "trainer.precision=16-mixed": "loss scale",
    "threads=0": "threads=0 is not allowed: give an integer from 1",
    "threads=x": "threads=x is not allowed",
    "seed=1.5": "seed=1.5 is not allowed: give a whole number",
    "batch_size=1.5": "batch_size=1.5 is not allowed",
    "task.class_weights=[1,2]": "task.class_weights has 2 numbers for",
    "task.class_weights=fair": "task.class_weights=fair is not allowed: give a list of numbers above 0",
    "task.class_weights=[1,-1]": "task.class_weights=[1, -1] is not allowed",
    "clip_norm=-1": "clip_norm=-1 is not allowed: give a number above 0",
    "clip_norm=0": "clip_norm=0 is not allowed",
    "clip_norm={alice:0.0}": "clip_norm.alice=0.0 is not allowed",
    "clip_norm=nan": "clip_norm=nan is not allowed",
    "optimizer.lr=-0.1": "Invalid learning rate: -0.1",
    "optimizer.lr=nan": "Invalid learning rate: nan",
    "optimizer.lr=fast": "optimizer.lr=fast is not allowed: give a number.",
    "optimizer.parties.alice.lr=-1": "optimizer.parties.alice with lr=-1 cannot be used: Invalid learning rate: -1",
    "optimizer=sgd optimizer.momentum=-1": "Invalid momentum value: -1",
    "scheduler=step scheduler.gamma=often": "scheduler.gamma=often is not allowed: give a number",
    "scheduler=step scheduler.step_size=0": "scheduler with step_size=0",
    "scheduler=step scheduler.interval=batch": "neither epoch nor step",
    "architecture.hidden=[0,5]": "hidden=[0, 5] is not allowed: every width is an integer from 1",
    "architecture.hidden=[-1]": "hidden=[-1] is not allowed",
    "architecture.hidden=5": "architecture.hidden=5 is not allowed: give a list",
    "architecture=vgg11 architecture.width=0": "width=[0] is not allowed",
    "party_seed={alice:1}": "party_seed has no seed for bob",
    "party_seed={alice:1,bob:2,zoe:3}": "the parties are alice, bob",
    "party_seed=x": "party_seed=x is not allowed",
    "trainer.max_epochs=ten": "trainer.max_epochs=ten is not allowed: give a whole number",
    "trainer.max_epochs=-2": "trainer.max_epochs=-2 is not allowed",
    "trainer.limit_train_batches=-1": "a number of batches, or a fraction",
    "trainer.check_val_every_n_epoch=0": "an integer from 1",
    "trainer.devices=2": "all parties train on one device",
    "+trainer.num_nodes=2": "all parties train on one device",
    "+trainer.strategy=ddp": "all parties train on one device",
    "+trainer.accumulate_grad_batches=2": "give accumulate, one number for all or one a party",
    "defense=gaussian_noise defense.gaussian_noise.std=-1": "gaussian_noise.std=-1 is not allowed: give a number from 0",
    "defense=gaussian_noise +defense.gaussian_noise.parties.alice.std=-1": "gaussian_noise.std=-1 is not allowed",
    "defense=gaussian_noise +defense.gaussian_noise.parties.eve.std=1": "is given for eve; the parties are alice, bob",
    "codec=top_k codec.ratio=0": "codec.ratio=0 is not allowed: give the share of each row that is sent",
    "codec=top_k codec.ratio=x": "codec.ratio=x is not allowed: give a number",
    "schedule=fedbcd schedule.local_steps=0": "schedule.local_steps=0 is not allowed: give an integer from 1",
    "schedule=fedbcd accumulate=2": "schedule=fedbcd steps several times a batch, and accumulate once for several",
    "metrics=top_5 metrics.top_5.top_k=x": "metrics.top_5.top_k=x is not allowed: give a whole number",
    "task=regression": "task=regression needs numbers, and the labels are 10 classes",
    "task.label_smoothing=1": "task.label_smoothing=1 is not allowed: give a share in",
    "accumulate=0": "accumulate=0 is not allowed",
    "accumulate={zoe:2}": "the parties are alice, bob",
    "+trainer.gradient_clip_val=1.0": "give clip_norm",
    "+trainer.overfit_batches=3": "give trainer.limit_train_batches",
    "+trainer.barebones=true": "it would log no metric",
    "+callbacks.a._target_=pytorch_lightning.callbacks.LearningRateFinder": "sweep them: vl-train -m optimizer.lr=",
    "+callbacks.a._target_=pytorch_lightning.callbacks.StochasticWeightAveraging": "it averages what one optimizer steps",
    "datamodule.workers=-1": "datamodule.workers=-1 is not allowed",
    "datamodule.val_fraction=x": "datamodule.val_fraction=x is not allowed: give a number",
    "cut=all": "vl-train -m",
    "cut=100%": "legal cuts: 1 (fc1), 2 (fc2)",
    "baseline=zoe": "or one of alice",
    "data=synthetic partition=halves": "this data set has none",
}


@pytest.mark.parametrize("overrides", BAD)
def test_says_what_is_wrong_before_training(overrides: str, tmp_path: Path) -> None:
    words = overrides.replace("optimizer.parties", "+optimizer.parties").split(" ")
    if "'not" in words[0] or "['two" in words[0]:
        words = [overrides] if "owners" not in overrides else [overrides.rsplit(" ", 1)[0], "cut=[1,2]"]
    small = ["batch_size=32"] if "data=synthetic" in words else [one for one in SMALL if one.split("=")[0] not in overrides]
    with pytest.raises(Exception, match=re.escape(BAD[overrides])):
        run(tmp_path, *small, *words)
    assert not list(tmp_path.iterdir()), "something was written"


OURS = ("cut=fc9", "objective=val/acuracy", "data=mnist data.root=nowhere")
"""Those that Hydra has no words for."""


def test_non_finite_loss_names_step_and_party(tmp_path: Path) -> None:
    with pytest.raises(FloatingPointError, match=r"at step \d+.*not finite: .* of (alice|bob)|at step \d+.*label holder"):
        run(tmp_path, *SMALL, "optimizer=sgd", "optimizer.lr=1e30")
    assert not (tmp_path / "metrics.json").exists()


@pytest.mark.parametrize(
    ("word", "said"),
    [
        pytest.param("cut=fc9", "legal cuts", marks=pytest.mark.slow),  # those that import torch take 15 s each
        ("objective=val/acuracy", "is no metric"),
        ("no_such_key=1", "no_such_key"),
        ("architecture=no_such_choice", "lenet"),
        pytest.param("data=mnist data.root=nowhere", "nowhere", marks=pytest.mark.slow),
        ("hydra.run.dir=/proc/vertical", "cannot be written"),
    ],
)
def test_the_command_fails_with_a_sentence_and_no_traceback(word: str, said: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "vertical_lightning.commands.train", *word.split()]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    if word in OURS:
        assert done.stderr.startswith("train: ") and "HYDRA" not in done.stderr and "Error executing" not in done.stderr
    assert not list(tmp_path.glob("logs/runs/*")), "a folder of what never began"


def test_what_can_be_done_without_is_done_without(tmp_path: Path) -> None:
    run(tmp_path, *SMALL, "trainer.max_epochs=1", "+trainer.enable_checkpointing=false", "+trainer.enable_progress_bar=false")
    assert (tmp_path / "metrics.json").exists() and not (tmp_path / "checkpoints").exists()
