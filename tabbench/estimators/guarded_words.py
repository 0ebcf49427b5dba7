"""The parts of their docstrings that the two guarded nets share. Knows no net."""

UP_TO_NOISE = """
    Parameters
    ----------
    preset : {"fast", "balanced", "thorough"}, default "balanced"
        Sets every parameter that is None, given the number of rows. "thorough", as any effort from 3 on, trains several recipes
        and weights them by what is best on held-out rows (one recipe without `folds` or up to 100 rows).
    effort : float or None, default None
        Number from 0.01 to 100 that replaces the preset: 0.1 is "fast", 1 is "balanced", 6 is "thorough".
    learning_rate : float, "search" or None, default None
        Learning rate of a weight matrix with one input; one with n inputs takes it divided by the square root of n. "search"
        trains at every power of ten from 1 to 1e-5 side by side and takes the best rate; of some that are about as good, the
        one nearest to the preset's.
    schedule : {"cosine", "warm-up", "one-cycle", "step", "plateau", "coslog4", "constant"} or None, default None
        Schedule of the learning rate. "cosine" begins with a warm-up.
    optimizer : {"adam", "sgd"} or None, default None
        Optimizer, with decoupled weight decay. "sgd" has Nesterov momentum of 0.9.
    bins : int or None, default None
        Maximum number of bins in the piecewise linear encoding of a number column, which the net sees beside the number itself;
        0 for the number alone.
    hidden_sizes : sequence of int or None, default None
        Widths of the hidden layers.
    activation : {"silu", "relu", "gelu", "leaky_relu", "selu", "mish", "tanh", "sigmoid"} or None, default None
        Activation function of the hidden layers.
    initialization : {"kaiming", "xavier", "truncated_normal", "orthogonal", "data"} or None, default None
        Initialization of the weights; "msra" and "he" are other names of "kaiming", "glorot" is one of "xavier". "data"
        scales each layer to unit standard deviation on training rows.
    batch_size : int or "auto", default "auto"
        Rows per optimizer step. "auto" takes the preset's; another size scales the preset's learning rate by the square root of
        the ratio ("adam") or by the ratio, at most twofold ("sgd").
    max_epochs : int or None, default None
        Maximum number of passes over the training rows.
    early_stopping : bool, default True
        Whether to keep the epoch with the lowest validation loss and to stop when it no longer falls. If False, or up to 100
        rows, the net learns from all rows.
    folds : int or None, default None
        Number of nets, each validated on its own part of the rows and averaged. With 1, one net is validated on
        `validation_fraction` of the rows.
    validation_fraction : float, default 0.2
        Share of the rows held out for validation if `folds` is 1, from 0.01 to 0.5.
    weight_decay : float or None, default None
        Decoupled weight decay, as a share of the learning rate.
    decay_schedule : {"constant", "flat-cosine", "late"} or None, default None
        Schedule of the weight decay.
    l1 : float, default 0.0
        L1 penalty on the weight matrices, added to the loss.
    l2 : float, default 0.0
        L2 penalty on the weight matrices, added to the loss.
    dropout : float or None, default None
        Share of hidden units that are dropped, from 0 to 0.95.
    batch_norm : bool, default False
        Whether to apply batch normalization to the pre-activations.
    mixup : float, default 0.0
        Parameter of the beta distribution by which pairs of rows are mixed; 0 for no mixup.
    noise : float, default 0.0
        Standard deviation of Gaussian noise added to the net's inputs."""
CLIP_AND_GROW = """
    clip : float, "auto" or None, default None
        Maximum norm of the gradient. "auto" adapts it to the norms seen so far, None does not clip.
    grow : bool, default False
        Whether to double the width of a net that underfits and train it again, up to three times. Has no effect with several
        recipes; wider nets write no checkpoints."""
FROM_GUARD_ON = """
    guard : bool, default True
        Whether to watch training, diagnose and mend faults, and record them in `incidents_`.
    callbacks : list or tuple of objects, default ()
        Objects with any of the methods `on_fit_start(state)`, `on_epoch_end(state)`, `on_incident(incident)` and
        `on_fit_end(state)`. They may set `state.learning_rate` or call `state.stop()`, which ends the current training only, if
        there are several recipes.
    precision : {"float32", "tf32", "bfloat16", "float16"}, default "float32"
        Precision of the matrix products in training. All but "float32" are faster on a GPU only.
    device : {"auto", "cpu", "cuda"}, default "auto"
        Where to train and predict. "auto" takes a GPU if torch finds one. May be a `torch.device`.
    validation_split : cross-validation splitter or iterable of (training, validation) positions, default None
        Rows to validate on, one net per split, for validation forward in time or by groups, which the splitter gets as `fit`
        does. None draws folds.
    stopping_metric : str, callable or None, default None
        What chooses the best epoch: the name of a tabbench metric, or a function of targets and predictions (probabilities for
        classes) that returns a number, lower is better. None is the loss.
    patience : int or None, default None
        Epochs without improvement of any net after which training stops; None is 40 % of all epochs.
    min_delta : float, default 0.0
        What the validation loss must fall by to count as an improvement.
    max_seconds : float or None, default None
        Time after which no further epoch begins.
    momentum : float or None, default None
        Nesterov momentum of "sgd"; None is 0.9.
    betas : pair of float or None, default None
        Decay of the moments of "adam"; None is (0.9, 0.95).
    embedding_size : int or None, default None
        Numbers that stand for a level of a category with many levels; None is 8.
    module : callable or None, default None
        A `torch.nn.Module` class, or a function, that is called with the numbers of inputs and outputs and returns a module of
        float tensors (m, inputs) -> (m, outputs). It replaces the layers that are built in; everything else works around it.
    warm_start : bool, default False
        Whether another call of `fit` goes on with the nets of the earlier one.
    verbose : {0, 1, "bar"}, default 0
        What to print while training: nothing, a line per epoch and incident, or a bar.
    random_state : int, RandomState instance or None, default None
        Seed of folds, initial weights and batches. Must be an int to write or continue a checkpoint.
    n_jobs : int or None, default None
        Number of threads; None means 1. Results do not depend on it beyond rounding.
"""
ATTRIBUTES = """
    incidents_ : list of Incident
        What the guard saw and did; docs/guards.md explains the codes.
    history_ : DataFrame
        One row per epoch and net: losses, learning rate, gradient norm and path.
    quarantined_rows_ : list
        Index labels of the rows that were left out of training; positions if X is an array.
    best_epoch_ : int
        Median over the nets of the epoch with the lowest validation loss, or of the last one that was kept.
    n_iter_ : int
        Number of epochs that were run.
    best_loss_ : float
        Mean over the nets of the lowest validation loss, or of `stopping_metric` with lower values better; NaN if there are no
        validation rows.
    n_rollbacks_ : int
        How often a net was reset to earlier weights that worked.
    guard_overhead_ : float
        Share of the training time that the guard took.
    learning_rate_ : float
        Learning rate that the fit ended with, before its schedule: the median over the nets.
    batch_size_ : int
        Rows per optimizer step.
    hidden_sizes_ : tuple of int or None
        Widths of the hidden layers; None with `module`.
    n_epochs_ : int
        Number of epochs that were planned.
    module_ : torch.nn.Module
        The averaged nets as one module of encoded rows.
    rates_tried_ : DataFrame or None
        Learning rates and losses of the search; None if there was none.
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns; defined only if X is a frame with string names.
"""
