"""Every fault that the guard knows: its code, symptom, cause, the guard's response, the remedy.

The one place for these words: incidents are written from it, and `docs/guards.md` is its printed form. Imports no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from tabbench.core.finding import Incident, Moment

IncidentOutcome = Literal["healed", "training went on", "stopped with the best weights so far", "given up", "reported only"]
Trace = Literal["incident", "error", "none"]
"""How a user learns of a fault: a record in `incidents_`, an exception instead of a model, or not at all, as nothing is lost."""


@dataclass(frozen=True)
class Fault:
    """A class of faults; the four texts are parts of sentences without a full stop."""

    code: str
    title: str
    seen: str
    why: str
    guard: str
    cure: str
    trace: Trace = "incident"
    warns: bool = False
    """Whether an incident is a Python warning, too."""


FAULTS: dict[str, Fault] = {fault.code: fault for fault in (
    Fault("D01", "infinite feature", "`fit` or `predict` refuses X and names column and row",
          "a cell is infinite; a missing value is no fault, it has a place of its own in the net's inputs",
          "refuses the table", "replace the cell by a number, or by NaN if it is unknown", "error"),
    Fault("D02", "missing or infinite label", "`fit` refuses y", "a label is NaN, None or infinite",
          "refuses: nothing can be learnt from such a row", "leave out the rows without a target", "error"),
    Fault("D03", "impossible labels", "`fit` refuses y",
          "there is one class only, y has two columns, or it holds measured numbers where classes are expected",
          "refuses and says what it saw", "check which column is the target, and whether it is a number or a class", "error"),
    Fault("D04", "constant column", "nothing: the net trains as if the column were not there",
          "all values of a column are equal or missing, so that it has no spread to be divided by",
          "gives the column the factor zero", "leave the column out", "none"),
    Fault("D05", "huge features", "nothing: a cell of 1e30 counts as the largest of its column",
          "a data-entry error, a code such as 999999999, or a unit that changes from row to row",
          "scales in double precision and clips so that larger stays larger; no finite value overflows",
          "replace a code that stands for unknown by NaN", "none"),
    Fault("D06", "outlying target", "a few targets lie far outside the others",
          "a data-entry error, or a target with long tails that calls for a logarithm",
          "uses Huber's loss, under which an outlier counts linearly, and scales by quartiles",
          "check the rows that are named; learn the logarithm of a target with long tails"),
    Fault("D07", "contradicting rows", "more than a tenth of the rows have the same features as a row with another target",
          "a column that tells them apart is missing, numbers are rounded, or labels are noisy",
          "reports it, with some of the rows; no model can distinguish such rows",
          "add what distinguishes them, or check the labels"),
    Fault("D08", "dirty row", "the loss of single rows, or its gradient, is not finite whatever the weights",
          "a loss of your own divides by, takes the root or the logarithm of what these rows hold",
          "leaves the rows out and names them; where they are more than 5 and more than 1 % of all, the table or the loss is at "
          "fault, and training ends with an error",
          "repair the rows that are named, or make the loss finite for them; `find_dirty_rows` lists them without training"),
    Fault("L01", "unusable loss", "training does not begin",
          "a loss of your own returns neither a number a row nor their mean",
          "refuses and says what it got", "return a tensor of one loss a row", "error"),
    Fault("L02", "loss without a number", "the loss or its gradient is NaN or infinite though the net's outputs are moderate",
          "an operation of the loss has no finite value or slope there: logarithm or root of zero, division by zero, the mean of "
          "nothing", "skips the step for this net, as if the batch had not been drawn, and names operation and rows; what costs "
          "steps again and again is left out (D08)",
          "write the loss in a stable form: log-sum-exp, softplus, a small number under the root"),
    Fault("L03", "loss that is not reproducible",
          "a loss of your own is not finite now and then, or differs when it is computed again",
          "it draws numbers, counts its calls, or dropout brought it where it has no value",
          "skips the steps without a value, keeps the best weights and reports it",
          "make the loss a function of its inputs alone"),
    Fault("L04", "loss that is not its rows' mean",
          "a loss of your own gives another number for rows together than on average for each alone",
          "it compares rows with each other, or shapes (m, outputs) and (m,) were spread to (m, m) by mistake",
          "trains with it and reports it", "use `outputs[:, 0]`, of shape (m,), if rows are not meant to be compared",
          warns=True),
    Fault("O01", "learning rate too high from the start", "within the first 100 steps, or before the first good epoch, the loss "
          "rises half above that of the constant predictor (more where batches differ much) or is not finite",
          "the learning rate is too high for these rows",
          "rolls back to the last good checkpoint and divides the rate by ten, but no lower than the optimiser's usual rate at "
          "first; the second time it goes down to that; after eight times the net is given up",
          "lower `learning_rate`, or let `\"search\"` find it",
          warns=True),
    Fault("O02", "late divergence", "a loss that had fallen is suddenly far above the constant predictor's, or not finite",
          "a step into a steep valley, often at a rate that is nearly too high",
          "rolls back to the last good checkpoint, halves the rate and clips gradients from then on; later it divides the rate "
          "by ten; after eight times the net stops with its best weights", "lower the rate, or set `clip=\"auto\"`"),
    Fault("O03", "large gradients", "`clip=\"auto\"` had to clip more than a tenth of the steps",
          "the rate is near its upper limit", "clips, counts and reports", "lower the rate"),
    Fault("O04", "dead units", "more than half of the hidden units have the same activation for all rows, or gradients vanish, "
          "while hardly anything is learnt", "saturated activations, or initial weights that are far too large or small",
          "re-initialises the weights from the data, once; the next time it reports",
          "use `silu` or `selu`, or `initialization=\"data\"`"),
    Fault("O05", "oscillation", "for ten epochs the loss goes up and down and gets nowhere",
          "the rate is too high for the size of the batch", "halves the rate", "lower the rate, or use larger batches"),
    Fault("O06", "plateau", "the validation loss improves no more", "the rate is too high for the last steps, or all is learnt",
          "the schedule `plateau` divides the rate by ten; every schedule ends after 40 % of all epochs (in a comparison 25 %, "
          "for all but a fifth of the nets) without an improvement, with the best weights", "nothing", "none"),
    Fault("O07", "nothing is learnt", "in all epochs the training loss stays at that of the constant predictor",
          "features without information about the target, a rate that is far too low, or a loss that does not suit the target",
          "reports it", "call `sanity_check`: a net that cannot overfit a small batch of 32 rows is set up wrongly", warns=True),
    Fault("O08", "constant predictions", "all rows get the same prediction",
          "the best epoch was the start, as all that was learnt made validation worse, or the net has collapsed",
          "reports it", "check the target and the rate; more rows, if the signal is weak", warns=True),
    Fault("O09", "worse than the constant predictor", "the loss of the averaged nets on the training rows is above that of the "
          "constant predictor", "weights that only look good on few validation rows, or penalties and rates that leave nothing "
          "of what was learnt", "an estimator returns the constant predictor instead",
          "lower the rate and the penalties; more rows, if there are few", warns=True),
    Fault("O10", "learning rate too low", "after a training at less than a third of the optimiser's usual rate, a few steps at "
          "the usual one lower the loss clearly", "the rate is too low for so many epochs",
          "reports it; the few steps are taken back", "raise `learning_rate` or leave it out, or let `\"search\"` find it",
          warns=True),
    Fault("N01", "overflow of float16", "with `precision=\"float16\"` gradients are not finite that in float32 are",
          "float16 ends at 65,504, and losses are scaled up so that small gradients are not lost",
          "skips the step and halves the scale; after 2,000 steps without an overflow it doubles it again",
          "use `precision=\"bfloat16\"`, which has the range of float32"),
    Fault("N02", "too large for float16", "gradients overflow at any scale though they are finite in float32",
          "outputs or weights themselves leave the range of float16", "goes on in float32 from there",
          "use `precision=\"bfloat16\"` or float32; scale the target or lower the rate"),
    Fault("N03", "damaged optimiser", "the optimiser's state is not finite though the weights are",
          "a damaged checkpoint, or an overflow", "resets the optimiser state of that net and goes on", "nothing"),
    Fault("N04", "dirty validation row", "the validation loss is not finite though the weights are",
          "the loss has no finite value on some validation rows",
          "leaves these rows out of validation and names them; a NaN never counts as an improvement",
          "repair the rows that are named"),
    Fault("N05", "a score that hides NaN", "nothing: scores are taken from the net's raw outputs",
          "the argmax of NaN is the first class, and clamping makes NaN a number, so that a ruined net looks like a weak one",
          "checks losses before anything is rounded, chosen or clamped; NaN never counts as an improvement", "nothing", "none"),
    Fault("R01", "out of memory in training", "the machine has no room for a batch", "the batch or the net is too large",
          "computes the batch in twice as many parts and adds up their gradients, so that each step stays what it was",
          "use smaller batches or nets"),
    Fault("R02", "out of memory in validation", "the machine has no room for a block of rows", "the block is too large",
          "halves the block; training is not touched", "nothing"),
    Fault("R04", "damaged or missing checkpoint", "a checkpoint could not be written, or does not match its checksum",
          "the disk is full, or the machine went down while it was written",
          "goes on training, and continues from the checkpoint before", "make room on the disk"),
    Fault("R05", "interrupted training", "a `KeyboardInterrupt` ended the training early", "the user stopped it",
          "an estimator keeps the best weights so far and passes the interrupt on", "nothing, or continue from a checkpoint"),
    Fault("S01", "weights that do not reproduce their score",
          "the validation loss of the restored weights differs from the one recorded",
          "faulty memory, or a device that computes differently from time to time", "refuses to return the model",
          "run again; test the machine's memory", "error"),
    Fault("A01", "sigmoid activation", "`activation=\"sigmoid\"` was requested", "its gradients vanish in deep nets",
          "says so and trains", "use `silu` or `relu`"),
    Fault("A02", "batch normalization of few rows", "`batch_norm=True` with batches of fewer than eight rows",
          "means and variances of so few rows are mostly noise", "refuses batches of one row; says so and trains with others",
          "raise `batch_size`, or leave `batch_norm` out", warns=True),
)}

KINDS = {"D": "Data", "L": "Loss", "O": "Optimisation", "N": "Numbers", "R": "Resources", "S": "Results", "A": "Advice"}
"""What the first letter of a code stands for."""
WARNED = "recorded as an incident and a `TrainingWarning` of the estimators"
TRACES = {"incident": "recorded as an incident", "error": "ends with an error", "none": "leaves no trace"}
HEAD = """# Guards: faults in the training of nets

`GuardedMLPClassifier` and `GuardedMLPRegressor`, and the nets of a comparison, train under a guard. It looks at losses and
gradients every few steps, finds the cause of a fault by experiment (the same rows with other weights, the same weights with
other rows), fixes what can be fixed and records it. Whatever happens, a prediction that is not finite is never returned.

Each fault has a code. Incidents are in `incidents_`, a list of `Incident`: `code`, `where` (in words; `net` and
`epoch` as numbers), `evidence` (what was measured), `diagnosis`, `action`, `outcome` and `details` (rows by your own index,
steps, rates). The report of a comparison lists the incidents of all its fits.

A checkpoint of the weights is *good* once a further window of steps after it has gone well; a net is never rolled back to any
other. Every response has a budget, so that training always ends: a net that cannot be saved keeps its best weights, and if no net
learnt anything, `fit` raises `TrainingFailed`, which carries the incidents.

<!-- Written by tools/guards_page.py from tabbench/core/faults.py. -->
"""
PROVOCATIONS = "<!-- provocations -->"
"""Where the page goes on with what was measured."""


def incident(code: str, moment: Moment, evidence: str, *, action: str, outcome: IncidentOutcome, **details: Any) -> Incident:
    """An incident of a known class; `details` are plain values for programs."""
    return Incident(code, moment.text, evidence, FAULTS[code].why, action, outcome, details, moment.net, moment.epoch)


def as_markdown() -> str:
    """The catalogue as `docs/guards.md`, up to the mark where measured provocations begin."""
    parts = [HEAD]
    for letter, kind in KINDS.items():
        parts.append(f"## {kind}\n")
        parts += [_section(fault) for fault in FAULTS.values() if fault.code.startswith(letter)]
    return "\n".join([*parts, PROVOCATIONS])


def _section(fault: Fault) -> str:
    return (f"### {fault.code} {fault.title}\n\n- **Symptom:** {fault.seen} ({WARNED if fault.warns else TRACES[fault.trace]}).\n"
            f"- **Cause:** {fault.why}.\n- **Response of the guard:** {fault.guard}.\n- **Remedy:** {fault.cure}.\n")
