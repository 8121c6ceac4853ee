"""One frame: 64 bytes that say what it is, and up to 1 MiB of it.

64, so that numbers behind the header are aligned as torch's kernels want them: with another alignment they take another way
through the arithmetic, and the last bit of a result can differ.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import torch
from torch import Tensor

_FORM = struct.Struct("<2sBBBxxxQIIQ8I")
_MARK = b"vL"
HEADER = _FORM.size
PAYLOAD = 2**20
"""Most bytes of a message in one frame; longer messages are several."""

DTYPES = (
    *(torch.uint8, torch.float32, torch.float64, torch.bfloat16, torch.float16),
    *(torch.int8, torch.int16, torch.uint16, torch.int32),
)


class Kind(IntEnum):
    """What a message is."""

    BEAT = 0
    CONTROL = 1
    ALIGNMENT = 2
    TENSOR = 3
    ABORT = 4
    GOODBYE = 5


@dataclass(frozen=True)
class Header:
    """What a frame says of itself.

    Attributes:
        kind: Of the message.
        number: How many frames came before on this link.
        tag: Which of the declared hops, for tensors.
        size: Bytes of the message in this frame.
        total: Bytes of the whole message.
        dtype: Of a tensor.
        shape: Of a tensor; up to eight dimensions.

    >>> Header.unpack(Header(Kind.CONTROL, 0, tag=0, size=0, total=0).pack()).kind.name
    'CONTROL'
    """

    kind: Kind
    number: int
    tag: int
    size: int
    total: int
    dtype: torch.dtype = torch.uint8
    shape: tuple[int, ...] = ()

    def pack(self) -> Tensor:
        """Write the header as 64 bytes."""
        dimensions = (*self.shape, *[0] * (8 - len(self.shape)))
        dtype = DTYPES.index(self.dtype)
        packed = _FORM.pack(_MARK, self.kind, dtype, len(self.shape), self.number, self.tag, self.size, self.total, *dimensions)
        return torch.frombuffer(bytearray(packed), dtype=torch.uint8)

    @classmethod
    def unpack(cls, frame: Tensor) -> Header:
        """Read a frame's header.

        Raises:
            ValueError: It is none, or does not fit the frame.
        """
        if not HEADER <= len(frame) <= HEADER + PAYLOAD:
            raise ValueError(f"a frame of {len(frame):,} bytes; {HEADER} to {HEADER + PAYLOAD:,} are allowed")
        mark, kind, dtype, dimensions, number, tag, size, total, *shape = _FORM.unpack(frame[:HEADER].numpy().tobytes())
        if mark != _MARK or kind not in set(Kind) or dtype >= len(DTYPES) or dimensions > len(shape):
            raise ValueError("a frame that is none of vertical_lightning's")
        if size > min(total, len(frame) - HEADER):
            raise ValueError(f"a frame that announces {size:,} bytes and holds {len(frame) - HEADER:,}")
        return cls(Kind(kind), number, tag, size, total, DTYPES[dtype], tuple(shape[:dimensions]))


def as_tensor(message: bytes) -> Tensor:
    """Copy bytes into a uint8 tensor."""
    return torch.frombuffer(bytearray(message), dtype=torch.uint8) if message else torch.empty(0, dtype=torch.uint8)


def pieces(message: Tensor) -> Iterator[Tensor]:
    """Cut a message; an empty one is one piece.

    >>> [len(piece) for piece in pieces(torch.empty(PAYLOAD + 1, dtype=torch.uint8))]
    [1048576, 1]
    """
    yield from torch.split(message, PAYLOAD) if len(message) else (message,)
