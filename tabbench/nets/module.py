"""The user's own architecture as members: any `torch.nn.Module` of encoded inputs, its parameters in the members' flat buffer.

So optimiser, snapshots, roll-backs and checkpoints work on it as on the nets that are built in. One member is computed at a time.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.parameter import is_lazy

from tabbench.core.errors import BadOption
from tabbench.nets.network import Batches, Members, NetShape, Sizes

OWN = "module."
"""In front of the names of the module's parameters and buffers."""
PROBED_ROWS = 4
EMBEDDING_SPREAD = 0.3

Factory = Callable[[int, int], nn.Module]
"""(inputs, outputs) -> a module: a function or the class."""


@dataclass(frozen=True)
class ModuleShape(NetShape):
    """Sizes of the user's module; `template` is one, whose own parameters are not used, `module` makes more.

    `own` are its parameters that are learnt, `kept` the frozen ones and buffers of floating-point numbers; counters stay.
    """

    is_module: ClassVar[bool] = True
    own: Sizes = field(default_factory=dict, compare=False)
    kept: Sizes = field(default_factory=dict, compare=False)
    template: Any = field(default=None, compare=False)
    module: Any = field(default=None, compare=False)

    def parameters(self) -> Sizes:
        """Shapes of one member's parameters by name."""
        return self.own | ({"embedding": (sum(self.embedded), self.embedding_size)} if self.embedded else {})

    def statistics(self) -> Sizes:
        """Shapes of what is not learnt by gradients."""
        return self.kept

    def matrices(self) -> list[str]:
        """Names of the parameters of two dimensions or more."""
        return [name for name, size in self.parameters().items() if len(size) > 1 and name != "embedding"]

    def fan_in(self, name: str) -> int:
        """Inputs of a matrix, as torch stores it."""
        return math.prod(self.parameters()[name][1:])

    def outputs_of(self, members: Members, inputs: Tensor, own: Mapping[str, Tensor], batches: Batches | None) -> Tensor:
        """(members, m, outputs) of inputs (members or 1, m, width), in training mode where `batches` note what it remembers."""
        self.template.train(batches is not None)
        buffers = members.statistics if batches is None else {name: each.clone() for name, each in members.statistics.items()}
        found = []
        for member in range(len(members)):
            bound = {name.removeprefix(OWN): value[member] for name, value in (*own.items(), *buffers.items())
                     if name.startswith(OWN)}
            given = functional_call(self.template, bound, (inputs[member if len(inputs) > 1 else 0],))
            found.append(given[:, None] if given.ndim == 1 else given)
        if batches is not None:
            batches.note_buffers(buffers)
        return torch.stack(found)

    def to_json(self) -> dict[str, Any]:
        """Plain values of what was not the user's."""
        return {each.name: getattr(self, each.name) for each in fields(NetShape)}

    def on(self, device: str) -> ModuleShape:
        """The same for members on another device."""
        return replace(self, template=copy.deepcopy(self.template).to(device))

    def begin(self, members: Members, seed: int) -> None:
        """Give each member the first weights of a module of its own."""
        self.module.initialise(members, seed)

    def module_of(self, members: Members, member: int) -> nn.Module:
        """A member as a module of its own, in evaluation mode."""
        module: nn.Module = copy.deepcopy(self.template)
        values = {**members.parameters, **members.statistics}
        module.load_state_dict({name.removeprefix(OWN): value[member] for name, value in values.items() if name.startswith(OWN)},
                               strict=False)
        return module.eval()


@dataclass(frozen=True, eq=False)
class Module:
    """What makes the user's modules, and how they begin."""

    factory: Factory

    def shape(self, plain: NetShape, device: str) -> ModuleShape:
        """The shape of a training with these modules in the place of a net of a `plain` shape.

        Raises
        ------
        BadOption
            The factory fails, or its module does not turn (m, inputs) into (m, outputs).
        """
        template = self._made(plain.width, plain.outputs, 0).to(device)
        rows = torch.zeros((PROBED_ROWS, plain.width), device=device)
        try:
            with torch.no_grad():
                given = template.eval()(rows)
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            raise BadOption(f"module cannot be used: {error}; it is given a float tensor (m, {plain.width})") from error
        wanted = (PROBED_ROWS, plain.outputs)
        if not isinstance(given, Tensor) or (tuple(given.shape) != wanted and (plain.outputs > 1 or given.ndim != 1)):
            made = tuple(given.shape) if isinstance(given, Tensor) else type(given).__name__
            raise BadOption(f"module must turn (m, {plain.width}) into (m, {plain.outputs}), one output a class, or one for "
                            f"regression; of {PROBED_ROWS} rows it made {made}")
        parameters = list(template.named_parameters())
        own = _sizes((name, value) for name, value in parameters if value.requires_grad)
        kept = _sizes([*((name, value) for name, value in parameters if not value.requires_grad),
                       *((name, value) for name, value in template.named_buffers() if value.is_floating_point())])
        if not own:
            raise BadOption("module has no parameters to learn")
        return ModuleShape(plain.encoded, plain.embedded, (), plain.outputs, embedding_size=plain.embedding_size,
                           template=template, module=self, own=own, kept=kept)

    def initialise(self, members: Members, seed: int) -> None:
        """Give each member the first weights of a module of its own."""
        shape = members.shape
        for member in range(len(members)):
            made = self._made(shape.width, shape.outputs, seed + member)
            values = {OWN + name: value for name, value in (*made.named_parameters(), *made.named_buffers())}
            for name, view in {**members.parameters, **members.statistics}.items():
                if name == "embedding":
                    drawn = torch.randn(view[member].shape, generator=torch.Generator().manual_seed(seed + member))
                    view[member] = EMBEDDING_SPREAD * drawn.to(view)
                else:
                    view[member].copy_(values[name].detach())

    def _made(self, inputs: int, outputs: int, seed: int) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            try:
                made = self.factory(inputs, outputs)
            except TypeError as error:
                raise BadOption(f"module must be a function of the numbers of inputs and outputs that returns a torch.nn.Module: "
                                f"{error}") from error
            if not isinstance(made, nn.Module):
                raise BadOption(f"module must return a torch.nn.Module, not {type(made).__name__}")
            made = made.float()
            made = made.float()
            if any(is_lazy(parameter) for parameter in made.parameters()):
                made(torch.zeros((PROBED_ROWS, inputs)))  # only now it knows its sizes
        return made


def _sizes(tensors: Iterable[tuple[str, Tensor]]) -> Sizes:
    return {OWN + name: tuple(value.shape) for name, value in tensors}


def saved_shape(plain: NetShape, factory: Factory | None, numbers: int) -> ModuleShape:
    """The shape of saved nets of the user's own architecture, with so many numbers each.

    Raises
    ------
    BadOption
        There is no factory, or it makes modules of another size.
    """
    if factory is None:
        raise BadOption("the nets have an architecture of your own, which no file holds: load them in Python, by the class's "
                        "`load` with the `module` that they were trained with")
    shape = Module(factory).shape(plain, "cpu")
    if shape.n_numbers != numbers:
        raise BadOption(f"module makes nets of {shape.n_numbers:,} numbers and the saved ones have {numbers:,}; give the "
                        "`module` that they were trained with")
    return shape
