"""A fitted net or ensemble as one torch module from encoded rows to predictions, and as an ONNX file."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from tabbench.core.errors import BadOption
from tabbench.core.files import write_atomically
from tabbench.core.matrices import NetMatrix
from tabbench.core.probability import PROBABILITY_FLOOR
from tabbench.nets.ensemble import NetEnsemble
from tabbench.nets.model import NetModel
from tabbench.nets.module import ModuleShape
from tabbench.nets.network import Members

EXAMPLE_ROWS = 2


def encode(model: NetModel | NetEnsemble, matrix: NetMatrix) -> Tensor:
    """Float32 (m, width): what the layers see of rows, last the codes of categories that they look up."""
    encoding = model.models[0].encoding if isinstance(model, NetEnsemble) else model.encoding
    numbers, codes = torch.from_numpy(matrix.numbers), torch.from_numpy(matrix.codes)
    return torch.cat([encoding.encoded(numbers, codes), codes[:, encoding.embedded].float()], dim=1)


def module_of(model: NetModel | NetEnsemble) -> nn.Module:
    """A module of encoded rows (m, width), with weights of its own, in evaluation mode."""
    return (FittedEnsemble(model) if isinstance(model, NetEnsemble) else FittedNet(model)).eval()


def write_onnx(model: NetModel | NetEnsemble, path: Path) -> None:
    """Write the module of a fitted net as an ONNX file, with the input `encoded` and the output `prediction`.

    Raises
    ------
    BadOption
        The net has an architecture of the user's own, or the file cannot be written.
    """
    one = model.models[0] if isinstance(model, NetEnsemble) else model
    if one.members.shape.is_module:
        raise BadOption("to_onnx writes the nets that are built in; export `module_` of your own architecture with torch.onnx")
    width = one.members.shape.encoded + len(one.members.shape.embedded)
    example = torch.zeros(EXAMPLE_ROWS, width)
    with _quietly():
        program = torch.onnx.export(module_of(model), (example,), dynamo=True, input_names=["encoded"],
                                    output_names=["prediction"], dynamic_shapes=({0: torch.export.Dim("rows")},))
    assert program is not None
    try:
        write_atomically(path, program.model_proto.SerializeToString())
    except OSError as error:
        raise BadOption(f"the net cannot be written to {path} ({error.strerror}); name another place") from error


@contextmanager
def _quietly() -> Iterator[None]:
    """Without what torch and its exporter say of their own insides."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


class FittedNet(nn.Module):
    """The averaged prediction of the nets of one recipe: (m, width) -> (m, classes) probabilities or (m,) numbers."""

    def __init__(self, model: NetModel) -> None:
        super().__init__()
        shape, scale = model.members.shape, model.scale
        self.encoded, self.heads = shape.encoded, shape.heads
        self.is_classifier = scale is None
        self.layers = _OwnLayers(model.members) if isinstance(shape, ModuleShape) else _Layers(model.members)
        for name, value in (("low", model.low), ("high", model.high), ("spread", scale.spread if scale else 1.0),
                            ("centre", scale.centre if scale else 0.0)):
            self.register_buffer(name, torch.tensor(value, dtype=torch.float32, device="cpu"))

    def forward(self, encoded: Tensor) -> Tensor:
        """Predict encoded rows."""
        outputs = self.layers(encoded[:, :self.encoded], encoded[:, self.encoded:].long())
        by_head = outputs.unflatten(1, (-1, self.heads))
        if self.is_classifier:
            raised = by_head.softmax(dim=-1).mean(dim=2).clamp(min=PROBABILITY_FLOOR)
            predicted: Tensor = (raised / raised.sum(dim=-1, keepdim=True)).mean(dim=0)
        else:
            predicted = by_head[..., 0].mean(dim=(0, 2)).clamp(self.low, self.high) * self.spread + self.centre
        return predicted


class FittedEnsemble(nn.Module):
    """The weighted mean of the predictions of several recipes."""

    def __init__(self, ensemble: NetEnsemble) -> None:
        super().__init__()
        self.nets = nn.ModuleList(FittedNet(model) for model in ensemble.models)
        self.weights = ensemble.weights

    def forward(self, encoded: Tensor) -> Tensor:
        """Predict encoded rows."""
        return torch.stack([weight * net(encoded) for weight, net in zip(self.weights, self.nets, strict=True)]).sum(dim=0)


class _Layers(nn.Module):
    """The layers that are built in: parameters (members, ...) by name."""

    def __init__(self, members: Members) -> None:
        super().__init__()
        self.shape = members.shape
        for name, value in members.parameters.items():
            self.register_parameter(name, nn.Parameter(value.clone()))
        for name, value in members.statistics.items():
            self.register_buffer(name, value.clone())

    def forward(self, encoded: Tensor, codes: Tensor) -> Tensor:
        """(members, m * heads, outputs)."""
        numbers = [getattr(self, name).flatten(1) for name in (*self.shape.parameters(), *self.shape.statistics())]
        members = Members(self.shape, torch.cat(numbers, dim=1))
        return members.outputs(members.inputs(encoded[None], codes[None]))


class _OwnLayers(nn.Module):
    """Modules of the user's, one per member, behind the embeddings of each."""

    def __init__(self, members: Members) -> None:
        super().__init__()
        shape = members.shape
        assert isinstance(shape, ModuleShape)
        self.members = nn.ModuleList(shape.module_of(members, place) for place in range(len(members)))
        self.starts = members.embedding_starts
        self.embedding = nn.Parameter(members.parameters["embedding"].clone()) if shape.embedded else None

    def forward(self, encoded: Tensor, codes: Tensor) -> Tensor:
        """(members, m, outputs)."""
        found = [member(self._inputs(place, encoded, codes)) for place, member in enumerate(self.members)]
        return torch.stack([each[:, None] if each.ndim == 1 else each for each in found])

    def _inputs(self, place: int, encoded: Tensor, codes: Tensor) -> Tensor:
        if self.embedding is None:
            return encoded
        looked_up = self.embedding[place][codes + self.starts.to(codes.device)].flatten(1)
        return torch.cat([encoded, looked_up], dim=1)
