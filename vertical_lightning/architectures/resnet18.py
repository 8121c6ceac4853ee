"""ResNet-18 (He et al. 2016, table 1), from torchvision's blocks."""

from __future__ import annotations

from functools import partial

from torch import nn
from torchvision.models.resnet import BasicBlock, conv1x1

from vertical_lightning.architectures.layers import channels, head
from vertical_lightning.schema import Shape, StageFactory


class ResNet18:
    """Four groups of two residual blocks between a stem and a linear head.

    Stages: `stem`, `layer1`, `layer2`, `layer3`, `layer4`, `head`.

    Args:
        small_images: Use the stem of the paper's CIFAR networks (3×3, stride 1, no pooling; §4.2) instead of ImageNet's
            (7×7, stride 2, pooling), which leaves little of a 28×28 digit.

    >>> list(ResNet18().stages(outputs=10))
    ['stem', 'layer1', 'layer2', 'layer3', 'layer4', 'head']
    """

    def __init__(self, small_images: bool = True) -> None:
        self.small_images = small_images

    def stages(self, outputs: int) -> dict[str, StageFactory]:
        """Name the stages in order; the last one ends in `outputs` numbers a row."""
        return {
            "stem": small_stem if self.small_images else stem,
            "layer1": partial(layer, width=64, stride=1),
            "layer2": partial(layer, width=128, stride=2),
            "layer3": partial(layer, width=256, stride=2),
            "layer4": partial(layer, width=512, stride=2),
            "head": partial(pooled_head, outputs=outputs),
        }


def small_stem(shape: Shape) -> nn.Module:
    """3×3 convolution, stride 1."""
    return initialized(nn.Sequential(nn.Conv2d(channels(shape), 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU()))


def stem(shape: Shape) -> nn.Module:
    """7×7 convolution, stride 2, then 3×3 max pooling, stride 2."""
    convolution = nn.Conv2d(channels(shape), 64, 7, stride=2, padding=3, bias=False)
    return initialized(nn.Sequential(convolution, nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, padding=1)))


def layer(shape: Shape, width: int, stride: int) -> nn.Module:
    """Two residual blocks; the first changes width and resolution where they differ."""
    received = channels(shape)
    shortcut = None
    if stride != 1 or received != width:
        shortcut = nn.Sequential(conv1x1(received, width, stride), nn.BatchNorm2d(width))
    return initialized(nn.Sequential(BasicBlock(received, width, stride, shortcut), BasicBlock(width, width)))


def pooled_head(shape: Shape, outputs: int) -> nn.Module:
    """Global average pooling and the logits."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), head((channels(shape),), outputs))


def initialized(stage: nn.Module) -> nn.Module:
    """Draw convolutions as torchvision's ResNet does (He normal, fan out)."""
    for module in stage.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return stage
