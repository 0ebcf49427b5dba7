"""Early stopping for futility: which approaches a race lets go on to larger sizes, from the store's results.

Fits nothing and reads no clock.
"""

from __future__ import annotations

from tabbench.comparison.assess import predictions_of
from tabbench.comparison.run import Run, on_all_splits
from tabbench.core.metric import METRICS
from tabbench.store.database import Store
from tabbench.verdict.evidence import LossEvidence, gather_evidence
from tabbench.verdict.racing import Behind, futile_approaches
from tabbench.verdict.scoring import CellScores, Question, constant_loss, margin_value, score_cell
from tabbench.wording.racing import reason_to_stop


class Race:
    """Which approaches are stopped early for futility after each size.

    From the store's results alone: the same ones after a kill, with any number of jobs.

    Results that an earlier call without a race has left at larger sizes don't change which approaches are stopped.
    """

    def __init__(self, run: Run, store: Store) -> None:
        setup = run.setup
        self._run, self._store, self._cells = run, store, run.cells()
        self._metric = METRICS.get(setup.task.metric)
        self._question = Question(setup.task, setup.target, setup.splits, setup.table.weight)
        self._margin = margin_value(self._metric, run.margin, constant_loss(self._question, self._metric))
        self._read = predictions_of(store, self._cells, setup)
        self._scored: dict[tuple[str, int], CellScores] = {}
        self._out: dict[str, Behind] = {}
        self._seen = 0

    def stopped_before(self, size: int) -> dict[str, str]:
        """Approach -> why it is not run at `size` and above; all smaller sizes must have ended."""
        for last in [each for each in self._run.sizes if self._seen < each < size]:
            evidence = self._evidence(last)
            if evidence is not None and evidence.sizes[-1] == last:
                self._out |= futile_approaches(evidence, full_size=self._run.sizes[-1], seed=self._run.setup.seed)
            self._seen = last
        return {name: reason_to_stop(behind) for name, behind in self._out.items()}

    def _evidence(self, last: int) -> LossEvidence | None:
        finished = self._store.finished()
        done = {place for place, cell in self._cells.items() if place[1] <= last and cell.key in finished}
        in_race = sorted((name, size) for name, size in on_all_splits(done, len(self._run.setup.splits.splits))
                         if name not in self._out or size <= self._out[name].size)
        for pair in in_race:
            if pair not in self._scored:
                self._scored[pair] = score_cell(self._question, self._metric, self._read, *pair)
        if not in_race:
            return None
        entries = self._run.entries
        return gather_evidence(
            self._question, self._metric, {pair: self._scored[pair] for pair in in_race},
            approaches=[each.name for each in entries], families={each.name: each.family for each in entries},
            cost_ranks={each.name: each.cost_rank for each in entries}, representatives=(), margin=self._margin)
