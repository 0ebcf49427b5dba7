"""Every fault that the guard knows: its code, what one sees, why it happens, what the guard does, what the user can do.

The one place for these words: incidents are written from it, and `docs/guards.md` is its printed form. Imports no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from tabbench.core.finding import Incident

Outcome = Literal["healed", "training went on", "stopped with the best weights so far", "given up", "reported only"]


@dataclass(frozen=True)
class Fault:
    """A class of faults."""

    code: str
    title: str
    seen: str
    why: str
    guard: str
    cure: str


FAULTS: dict[str, Fault] = {fault.code: fault for fault in (
    Fault("D01", "infinite feature", "`fit` or `predict` refuses X with column and row",
          "a cell is infinite; a missing value is not a fault, it has a place of its own in the net's inputs",
          "refuses; finite values of any size are scaled in double precision and clipped so that larger stays larger",
          "replace the cell by a number or by NaN"),
    Fault("D02", "missing or infinite label", "`fit` refuses y", "a label is NaN, None or infinite",
          "refuses: no prediction can be learnt from it", "leave out the rows without a target"),
    Fault("D03", "impossible labels", "`fit` refuses y",
          "one class only, two columns of labels, or numbers where classes are wanted", "refuses with the classes that it saw",
          "check which column is the target"),
    Fault("D04", "constant column", "nothing: the net trains as if it were not there",
          "all values of a column are equal or missing, so that it has no spread to be divided by",
          "gives the column the factor zero", "leave the column out"),
    Fault("D06", "outlying target", "a few targets lie far outside the others",
          "a slip of the pen, or a target with long tails that wants a logarithm",
          "uses Huber's loss, under which an outlier counts linearly, and scales by quartiles",
          "check the rows that are named; learn the logarithm of a target with long tails"),
    Fault("D08", "dirty row", "the loss of single rows is not finite whatever the weights",
          "a loss of your own divides, takes a root or a logarithm of what these rows hold, or their inputs are not finite",
          "leaves the rows out and names them; more than 5 rows and 1 % of all are the table's fault or the loss's, and end the "
          "training", "repair the rows that are named, or make the loss finite for them"),
    Fault("L01", "unusable loss", "training does not begin", "the loss returns something that is no number a row and no mean",
          "refuses with the shape that it got", "return a tensor of one loss a row"),
    Fault("L02", "loss without a number", "the loss or its gradient is NaN or infinite though the net's outputs are moderate",
          "an operation of the loss has no finite value or slope there: logarithm or root of zero, division by zero, a mean of "
          "nothing", "skips the step exactly, for this net only, and names operation and rows",
          "write the loss in a stable form: log-sum-exp, softplus, a small number under the root"),
    Fault("O01", "rate too high from the start", "the loss rises above that of the constant predictor, or is not finite, within "
          "the first 100 steps", "the learning rate is too high for these rows",
          "restores the weights before it and divides the rate by ten; the second time it goes down to its own default rate",
          "lower `learning_rate`, or let `\"search\"` find it"),
    Fault("O02", "late divergence", "a loss that had fallen is suddenly above the constant predictor's, or not finite",
          "a step into a steep valley, often at a rate that is nearly too high",
          "restores the last proven weights, halves the rate and clips gradients; then divides by ten; then stops with the best "
          "weights", "lower the rate, or set `clip=\"auto\"`"),
    Fault("O03", "large gradients", "more than a tenth of the steps had to be clipped", "the rate is near its upper limit",
          "clips, counts, reports", "lower the rate"),
    Fault("O04", "dead units", "more than half of the hidden units say the same for all rows, or gradients vanish",
          "saturated activations or a first draw that is far too large or small",
          "draws the net anew, fitted to the data, once", "use `silu` or `selu`, or `initialisation=\"data\"`"),
    Fault("O05", "oscillation", "the loss goes up and down from epoch to epoch and gets nowhere",
          "the rate is too high for the size of the batch", "halves the rate", "lower the rate, or use larger batches"),
    Fault("O07", "nothing is learnt", "the training loss never falls below that of the constant predictor",
          "frozen or saturated weights, a rate that is far too low, a loss that does not fit the target", "reports it",
          "call `sanity_check`: a net that cannot learn 32 rows by heart is wrongly set up"),
    Fault("O08", "constant predictions", "all rows get the same prediction", "the net has collapsed or was never moved",
          "reports it", "check the target and the rate"),
    Fault("N03", "damaged optimiser", "the optimiser's memory is not finite though the weights are",
          "a damaged checkpoint, or an overflow", "clears the memory of that net and goes on", "none is needed"),
    Fault("N04", "dirty validation row", "the validation loss is not finite though the weights are",
          "validation rows on which the loss has no finite value",
          "leaves the rows out of validation and names them; a NaN never counts as an improvement",
          "repair the rows that are named"),
    Fault("R01", "out of memory in training", "the machine has no room for a batch", "the batch or the net is too large",
          "halves what is computed at once and adds the gradients up, so that the batch stays as it is",
          "use smaller batches or nets"),
    Fault("R02", "out of memory in validation", "the machine has no room for a block of rows", "the block is too large",
          "halves the block; training is not touched", "none is needed"),
    Fault("R04", "damaged checkpoint", "the newest checkpoint does not match its checksum",
          "the disk was full, or the machine went down while it was written", "continues from the one before",
          "none is needed"),
    Fault("S01", "weights that do not repeat their score", "the restored weights have another validation loss than was recorded",
          "faulty memory or a device that computes differently from time to time", "refuses to return the model",
          "run again; test the machine's memory"),
    Fault("A01", "sigmoid activation", "`activation=\"sigmoid\"` was asked for", "its gradients vanish in deep nets",
          "says so and trains", "use `silu` or `relu`"),
)}


def incident(code: str, where: str, evidence: str, *, action: str, outcome: Outcome, **details: Any) -> Incident:
    """An incident of a known class; `details` are plain values for programs."""
    return Incident(code, where, evidence, FAULTS[code].why, action, outcome, details)


def as_markdown() -> str:
    """The catalogue as the sections of a page."""
    sections = [f"## {fault.code} {fault.title}\n\n- **What one sees:** {fault.seen}.\n- **Why:** {fault.why}.\n"
                f"- **What the guard does:** {fault.guard}.\n- **What you can do:** {fault.cure}.\n" for fault in FAULTS.values()]
    return "\n".join(sections)
