"""What the two guarded nets have in common in their docstrings."""

PARAMETERS = """
    Parameters
    ----------
    preset : "fast", "balanced" or "thorough": what every parameter that is None is set to, given the number of rows; thorough,
        as any effort from 3 on, weighs several recipes on rows that none of them learnt from (one recipe without `folds` or up
        to 100 rows).
    effort : None, or a number from 0.01 to 100 that is used instead of the preset: 0.1 is fast, 1 balanced, 6 thorough.
    learning_rate : of a matrix of one input (one of n inputs takes it over the square root of n, as do all presets); "search"
        tries all decades from 1 to 1e-5 side by side and takes the highest that trains well.
    schedule : of the rate: "cosine" (with a warm-up), "warm-up", "one-cycle", "step", "plateau", "coslog4" or "constant".
    optimizer : "adam" or "sgd" (Nesterov's momentum 0.9); either with decoupled weight decay.
    bins : most bins of a number column's piecewise linear encoding, which beside the number itself is what the net sees of it;
        0 for the number alone.
    hidden_sizes : widths of the hidden layers.
    activation : "silu", "relu", "selu", "mish", "tanh" or "sigmoid".
    initialization : "kaiming", "xavier", "truncated-normal" or "data" (layers get a spread of one on training rows).
    batch_size : rows of a step; "auto" takes the preset's. Another size scales the preset's rate by the square root (adam) or in
        proportion (sgd).
    max_epochs : passes over the rows.
    early_stopping : whether the epoch with the best validation loss is kept, and training stops when there is no better one;
        without it, and up to 100 rows, all rows are learnt from.
    folds : nets, each validated on its own part of the rows and averaged; 1 has one net and `validation_fraction`.
    validation_fraction : share of the rows that validates where there is one net.
    weight_decay, decay_schedule : decoupled, as a share of the rate; "constant", "flat-cosine" or "late".
    l1, l2 : penalties in the loss, on the matrices.
    dropout : share of hidden units.  batch_norm : whether pre-activations are normalised over the batch.
    mixup : parameter of the beta distribution by which pairs of rows are mixed; 0 for none.
    noise : spread of Gaussian noise on the net's inputs.
    clip : largest norm of the gradient, or "auto" for one that follows the norms seen.
    grow : whether a net that underfits is doubled in width and trained again, up to three times; not with several recipes,
        which have nets of several widths, and without checkpoints for the wider ones.
    loss : LOSSES, a function (outputs (m, outputs), target (m,)) -> (m,) of torch tensors, or a dict of such to weights. A
        regressor's outputs and target are standardised, a classifier's outputs are logits and its target codes from 0.
    guard : whether training is watched, faults are diagnosed and mended, and written down in `incidents_`.
    callbacks : objects with any of `on_fit_start(state)`, `on_epoch_end(state)`, `on_incident(incident)` and `on_fit_end(state)`;
        they may change `state.learning_rate` or call `state.stop()`, which ends one training, of several recipes that of one.
    precision : of matrix products in training: "float32", "tf32", "bfloat16" or "float16"; all but the first pay on a GPU only.
    device : "auto" (a GPU where torch finds one), "cpu" or "cuda".
    random_state : seed of folds, weights and batches.
    n_jobs : threads; results do not depend on it beyond rounding.
"""
ATTRIBUTES = """
    incidents_ : what the guard saw and did, see `docs/guards.md`.
    history_ : frame of one row an epoch and net: losses, rate, gradient norm, path.
    quarantined_rows_ : labels of the rows that were left out (positions, for arrays).
    best_epoch_, n_iter_ : median over the nets of the best epoch; epochs that were run.
    best_loss_ : mean validation loss of the nets' best epochs.
    n_rollbacks_ : how often a net went back to proven weights.
    guard_overhead_ : the guard's share of the time.
    learning_rate_, rates_tried_ : the rate, and for "search" a frame of those tried.
    n_features_in_, feature_names_in_ : as in scikit-learn.
"""
