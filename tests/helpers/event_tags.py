"""What TensorBoard will find in a run's folder."""

from __future__ import annotations

from pathlib import Path

from google.protobuf import text_format
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

Tags = set[tuple[str, str]]
"""(plugin, tag)."""


def written(folder: Path) -> Tags:
    """Every tag in the event files of a run and of the runs within, and every tensor of its projector."""
    found = set()
    for path in folder.rglob("events*"):
        for event in EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                if plugin := value.metadata.plugin_data.plugin_name:
                    found.add((plugin, value.tag))
    return found | {("projector", tensor.tensor_name.rsplit(":", 1)[0]) for tensor in projected(folder).embeddings}


def projected(folder: Path) -> ProjectorConfig:
    """Read which tensors TensorBoard's projector finds."""
    path = folder / "projector_config.pbtxt"
    return text_format.Parse(path.read_text() if path.exists() else "", ProjectorConfig())
