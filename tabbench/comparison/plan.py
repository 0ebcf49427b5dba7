"""What is to be run: contestants, cells and batches, from the setup and the options alone. Nothing is measured here."""

from __future__ import annotations

import importlib.util
import os
import pickle
import sys
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import cloudpickle

from tabbench.approaches.composed import find_approach
from tabbench.approaches.own import own_approach
from tabbench.comparison.run import Entry
from tabbench.core.approach import BASELINE, Approach, Workload
from tabbench.core.cell import IDENTITY, Batch, Cell, digest
from tabbench.core.errors import BadOption
from tabbench.core.executor import Executor, Needs
from tabbench.core.family import kinds
from tabbench.core.setup import Setup
from tabbench.core.skip import Skip, SkipKind
from tabbench.costs.cost_model import CostModel
from tabbench.costs.forecast import Prices
from tabbench.costs.prior import PriorCosts
from tabbench.execution.run import distribution_of
from tabbench.options import Options, default_approaches

GPU_FILES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kfd")
"""The devices of NVIDIA's driver, the same under Windows' Linux, and AMD's."""


@dataclass(frozen=True, eq=False)
class Contestants:
    """The approaches of a run in listing order, the user's own estimators and other names for registered ones among them."""

    approaches: tuple[Approach, ...]
    own: Mapping[str, Any] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, in listing order."""
        return tuple(approach.name for approach in self.approaches)

    def entries(self, setup: Setup, effort: float) -> tuple[Entry, ...]:
        """What the judgement is told of them.

        Where a family's representative does not take part, another of the family stands for it. Where fewer than two represent a
        family, all but the baseline do: claims over sizes need two.
        """
        declared = [each for each in self.approaches if each.represents]
        standing = {each.name for each in self.representatives().values()}
        represents = standing if len(declared) > 1 else set(self.names) - {BASELINE}
        return tuple(Entry(each.name, each.family, each.version, each.cost_rank, each.name in represents,
                           settings_of(each, setup, setup.splits.full_size, effort)) for each in self.approaches)

    def representatives(self) -> dict[str, Approach]:
        """Family -> the approach that stands for it: the one that is declared to, else the first in listing order."""
        found: dict[str, Approach] = {}
        for each in self.approaches:
            if each.family in kinds() and (each.represents or each.family not in found):
                found[each.family] = each
        return found

    def only(self, names: Collection[str]) -> Contestants:
        """Some of them."""
        return replace(self, approaches=tuple(each for each in self.approaches if each.name in names))

    def prices(self, setup: Setup, effort: float, prior: PriorCosts) -> Prices:
        """What their cells are expected to cost on this table, before anything ran."""
        return Prices.of_setup(setup, effort, prior, aliases=self.aliases, own=tuple(self.own))

    def costs(self, setup: Setup, effort: float, prior: PriorCosts) -> CostModel:
        """The same, to be corrected by what they do cost."""
        return CostModel(self.prices(setup, effort, prior), base_mb=prior.machine("base_mb"), is_crowded=prior.is_crowded)

    def needs(self, device: str, *, is_limited: bool = False) -> Needs:
        """What the workers must be ready for; where time is limited, before it is planned for.

        Raises
        ------
        BadOption
            One of the user's estimators cannot be pickled.
        """
        modules = {approach.name: tuple(name for name in approach.requires if _is_installed(name))
                   for approach in self.approaches}
        may_use_gpu = device == "cuda" or (device == "auto" and may_have_gpu())
        is_cuda_wanted = may_use_gpu and any(approach.uses_device for approach in self.approaches)
        own = {name: _pickled(name, each) for name, each in self.own.items()}
        return Needs(modules, own, dict(self.aliases), is_cuda_wanted, are_imported_first=is_limited)


def _pickled(name: str, estimator: Any) -> bytes:
    try:
        return bytes(cloudpickle.dumps(estimator))
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise BadOption(f"approach {name!r} cannot be sent to a worker: {error}; keep open files, locks and connections out of "
                        "the estimator, or make them in fit") from error


def choose_contestants(options: Options) -> Contestants:
    """The approaches that the options name, or the effort's; the baseline is always among them.

    Raises
    ------
    UnknownName
        A name that is no approach.
    BadOption
        A value that is neither a name nor an estimator.
    """
    given = options.approaches
    if not isinstance(given, Mapping):
        names = list(given or default_approaches(options.work))
        return _in_order([find_approach(name) for name in names])
    own = {str(name): value for name, value in given.items() if not isinstance(value, str)}
    named = {str(name): str(name) if value == "default" else value for name, value in given.items() if isinstance(value, str)}
    aliases = {name: value for name, value in named.items() if name != value}
    for name in [*own, *aliases]:
        if name == BASELINE or "+" in name or not name.strip():
            raise BadOption(f"an approach of yours can't be called {name!r}; choose another name, without +")
    approaches = [replace(find_approach(value), name=name) for name, value in named.items()]
    return _in_order([*approaches, *(own_approach(name, estimator, calibrate=options.calibrate)
                                      for name, estimator in own.items())], own, aliases)


def _in_order(approaches: Sequence[Approach], own: Mapping[str, Any] | None = None, aliases: Mapping[str, str] | None = None
              ) -> Contestants:
    by_name = {approach.name: approach for approach in [find_approach(BASELINE), *approaches]}
    in_order = sorted(by_name.values(), key=lambda approach: (approach.cost_rank, approach.name))
    return Contestants(tuple(in_order), own or {}, aliases or {})


def choose_device(wanted: str, contestants: Contestants, executor: Executor[Any]) -> str:
    """The device for approaches that can use a GPU; asks a worker only where there may be one.

    Raises
    ------
    BadOption
        Cuda was asked for and no GPU is usable.
    """
    if wanted == "cpu" or not any(approach.uses_device for approach in contestants.approaches):
        return "cpu"
    if wanted == "auto" and not may_have_gpu():
        return "cpu"
    if executor.is_cuda_available():
        return "cuda"
    if wanted == "cuda":
        raise BadOption("--device cuda: no usable GPU was found; check the driver and the torch build, or use --device cpu")
    return "cpu"


def may_have_gpu() -> bool:
    """Whether it is worth waiting for a worker to ask torch: Linux shows CUDA devices as files, macOS has none."""
    return sys.platform != "darwin" and (sys.platform != "linux" or any(map(os.path.exists, GPU_FILES)))


def missing_packages(contestants: Contestants, sizes: Sequence[int]) -> list[Skip]:
    """Approaches whose packages are not installed, at every size, with the cure."""
    skips = []
    for approach in contestants.approaches:
        absent = [distribution_of(module) for module in approach.requires if not _is_installed(module)]
        if absent:
            reason = f"the package {absent[0]} is not installed; pip install {absent[0]}"
            skips += [Skip(approach.name, size, SkipKind.LIBRARY, reason) for size in sizes]
    return skips


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module.partition(".")[0]) is not None


def settings_of(approach: Approach, setup: Setup, rows: int, effort: float) -> dict[str, Any]:
    """The approach's settings for this many training rows."""
    settings = approach.settings(Workload(effort, rows, len(setup.table.columns), setup.task.n_classes))
    if IDENTITY in settings and setup.given is not None:
        settings[IDENTITY] = digest([settings[IDENTITY], setup.given.digest])
    return settings


def plan_batches(setup: Setup, contestants: Contestants, sizes: Sequence[int], *, effort: float, device: str,
                 left_out: Collection[tuple[str, int]] = ()) -> list[Batch]:
    """All cells, grouped into batches: those of one split and size that share a view run in one worker."""
    is_blending = any(approach.view == "families" for approach in contestants.approaches)
    task_digest = digest(setup.task.to_json())
    groups: dict[tuple[Any, ...], list[Cell]] = defaultdict(list)
    for size in sizes:
        for approach in contestants.approaches:
            if (approach.name, size) in left_out:
                continue
            settings = settings_of(approach, setup, size, effort)
            where = _companions(approach, is_blending)
            for split in setup.splits.splits:
                groups[size, *split.name, where].append(Cell(
                    table=setup.table.fingerprint, task=task_digest, splits=setup.splits_digest, approach=approach.name,
                    version=approach.version, settings=settings, size=size, repeat=split.repeat, fold=split.fold,
                    run_seed=setup.seed, device=device if approach.uses_device else "cpu"))
    return [Batch(tuple(cells)) for cells in groups.values()]


def _companions(approach: Approach, is_blending: bool) -> str:
    """What the approaches of a batch have in common: a view, or fits that a blend weighs."""
    if is_blending and (approach.blends or approach.view == "families"):
        return "blend"
    return approach.name if approach.view in ("raw", "given") else approach.view


def without(batches: Sequence[Batch], finished: set[str]) -> list[Batch]:
    """What is missing: batches less the cells that have a result."""
    left = (Batch(tuple(cell for cell in batch.cells if cell.key not in finished)) for batch in batches)
    return [batch for batch in left if batch.cells]
