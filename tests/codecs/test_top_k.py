"""Top-k: what is kept, what goes back, what a stranger may not send."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from vertical_lightning.codecs.top_k import TopK
from vertical_lightning.split.guard import End
from vertical_lightning.split.wire import Wire, size


def dense(tensor: Tensor, count: int) -> Tensor:
    """The slow reference: zero all but the largest of each row."""
    kept = torch.zeros_like(tensor)
    for row, numbers in enumerate(tensor):
        for place in sorted(range(len(numbers)), key=lambda place: -abs(float(numbers[place])))[:count]:
            kept[row, place] = numbers[place]
    return kept


@given(rows=st.integers(0, 5), width=st.integers(1, 40), ratio=st.floats(0.01, 1.0), seed=st.integers(0, 99))
def test_what_arrives_is_the_largest_numbers_in_their_places(rows: int, width: int, ratio: float, seed: int) -> None:
    tensor = torch.randn(rows, width, generator=torch.Generator().manual_seed(seed))
    codec = TopK(ratio)
    payload = codec.encode(tensor)
    codec.check(payload, tuple(tensor.shape))
    assert torch.equal(codec.decode(payload, tuple(tensor.shape), tensor.dtype), dense(tensor, codec.kept((width,))))
    gradient = torch.randn(rows, width, generator=torch.Generator().manual_seed(seed + 1))
    back = codec.encode(gradient, payload)
    mask = codec.decode(payload, tuple(tensor.shape), tensor.dtype) != 0
    assert torch.equal(codec.decode(back, tuple(tensor.shape), tensor.dtype, payload), gradient * mask)
    for way, forward in ((payload, None), (back, payload)):
        layout = codec.layout(tuple(tensor.shape), tensor.dtype, forward)
        assert {name: (part.shape, part.dtype) for name, part in layout.items()} == {
            name: (part.shape, part.dtype) for name, part in way.items()
        }


@pytest.mark.parametrize(("width", "index_bytes"), [(256, 1), (257, 2), (2**15, 2), (2**15 + 1, 4)])
def test_bytes_with_indices(width: int, index_bytes: int) -> None:
    codec = TopK(0.25)
    payload = codec.encode(torch.randn(3, width))
    count = round(width / 4)
    assert sum(map(size, payload.values())) == 3 * count * (4 + index_bytes)
    assert sum(map(size, codec.encode(torch.randn(3, width), payload).values())) == 3 * count * 4


def test_the_gradient_is_that_of_the_network_with_zeros() -> None:
    """Nothing is approximated: what was not sent has no influence on the loss."""
    weight = torch.randn(6, 8, requires_grad=True)
    features = torch.randn(5, 6)
    wire = Wire(codecs={End(party, "alice", "bob"): TopK(0.5) for party in ("alice", "bob")})
    received = wire.send(features @ weight, sender="alice", receiver="bob")
    received.pow(3).sum().backward()
    wire.return_gradients()
    reference = weight.detach().clone().requires_grad_()
    embedding = features @ reference
    (embedding * (dense(embedding.detach(), 4) != 0)).pow(3).sum().backward()
    torch.testing.assert_close(weight.grad, reference.grad)


@pytest.mark.parametrize("indices", [[[0, 0]], [[3, 1]], [[0, 9]], [[-1, 2]]])
def test_a_strangers_indices_are_refused(indices: list[list[int]]) -> None:
    payload = {"values": torch.ones(1, 2), "indices": torch.tensor(indices, dtype=torch.int16)}
    with pytest.raises(ValueError, match="its indices must ascend within rows of 8 numbers"):
        TopK(0.25).check(payload, (1, 8))


@pytest.mark.parametrize("ratio", [0.0, -0.5, 1.5])
def test_no_such_share(ratio: float) -> None:
    with pytest.raises(ValueError, match=rf"codec.ratio={ratio} is not allowed"):
        TopK(ratio)
