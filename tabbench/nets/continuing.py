"""Writes a training's state down after each epoch, and takes it up again, to the same end bit for bit on a CPU."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from tabbench.core.faults import incident
from tabbench.core.finding import Moment
from tabbench.nets.checkpoint import Checkpoint, has_checkpoint, open_folder, read_checkpoint, write_checkpoint
from tabbench.nets.recovery import Recovery
from tabbench.nets.state import TrainingState


def prepare_folder(state: TrainingState) -> None:
    """Make the folder for checkpoints, if there are to be any, before hours are spent."""
    if state.options.checkpoint is not None:
        open_folder(state.options.checkpoint)


def start_or_resume(state: TrainingState, recovery: Recovery) -> None:
    """Take up a checkpoint where one is named, or was left where the next are to be written; else write the first one."""
    folder = state.options.checkpoint
    if state.options.resume_from is not None:
        _resume(state, recovery, "resume_from", state.options.resume_from)
    elif folder is not None and has_checkpoint(folder):
        _resume(state, recovery, "checkpoint", folder)
    else:
        save(state, recovery)


def save(state: TrainingState, recovery: Recovery) -> None:
    """Write a checkpoint, if there are to be any; one that cannot be written costs no training."""
    if state.options.checkpoint is None:
        return
    values = {**vars(state.progress), "parts": state.stepper.parts, "guard": state.guard.to_json(), **recovery.to_json()}
    try:
        write_checkpoint(state.options.checkpoint, Checkpoint(state.options.identity, _tensors(state), values))
    except OSError as error:
        state.journal.note(incident("R04", Moment(epoch=state.progress.epoch), f"it could not be written: {error.strerror}",
                                    action="the one before stays, the next epoch tries again", outcome="training went on"))


def _resume(state: TrainingState, recovery: Recovery, parameter: str, folder: Path) -> None:
    """Go on from the newest checkpoint that is whole, in the folder that a parameter of `fit` names."""
    found = read_checkpoint(folder, state.options.identity, parameter)
    for name, value in _tensors(state).items():
        value.copy_(found.checkpoint.tensors[name])
    values = found.checkpoint.values
    state.stepper.parts = values["parts"]
    state.guard.restore(values["guard"])
    state.progress.restore(values)
    state.stepper.number = state.progress.epoch * state.batches
    recovery.restore(values)
    if recovery.wants_all_bits:
        state.leave_low_precision()
    if found.trouble:
        state.journal.note(incident("R04", Moment(epoch=state.progress.epoch), found.trouble,
                                    action="the checkpoint before it is used", outcome="healed"))


def _tensors(state: TrainingState) -> dict[str, Tensor]:
    """All that a training's steps have changed."""
    return {**state.live, **{f"good/{name}": value for name, value in state.snapshots.good.items()},
            **{f"candidate/{name}": value for name, value in state.snapshots.candidate.items()},
            "best": state.best, "cuts": state.cuts}
