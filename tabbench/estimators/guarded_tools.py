"""What a guarded net offers besides fitting and predicting: trials before a training, pictures of it, its module, files.

How it is fitted is in `guarded_base.py`.
"""

from __future__ import annotations

from copy import copy
from pathlib import Path
from typing import Any, Self

import pandas as pd
from sklearn.utils.validation import check_is_fitted

from tabbench.core.errors import MissingExtra
from tabbench.estimators.guarded_base import GuardedMLPBase
from tabbench.execution.run import why_it_does_not_load


class GuardedMLPTools(GuardedMLPBase):
    """Base of classifier and regressor."""

    def sanity_check(self, X: Any, y: Any, sample_weight: Any = None) -> pd.DataFrame:
        """Test whether a net can memorize one row, then 32, 256, 2,048 and all rows, without any regularization.

        A net that cannot memorize 32 rows is not set up correctly: check loss, labels and learning rate first.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Training rows. Columns may hold numbers, booleans, categories, strings or dates, and missing values.
        y : array-like of shape (n_samples,)
            Target: class labels or numbers.
        sample_weight : array-like of shape (n_samples,), default None
            Non-negative weights, as in `fit`.

        Returns
        -------
        stages : DataFrame
            Columns `stage`, `rows`, `steps`, `loss_at_start`, `loss_at_end` and `is_learnt`; one row per stage up to the first
            that fails.
        """
        from tabbench.nets.trials import learn_by_heart

        trial = self._trial()
        training, _ = trial._prepared(X, y, sample_weight, None)
        loss = trial._own_loss(training)
        return pd.DataFrame(learn_by_heart(trial._with_rate(training, loss), loss, trial._quiet_options(), trial._trial_plan()))

    def find_dirty_rows(self, X: Any, y: Any, sample_weight: Any = None) -> pd.DataFrame:
        """Find rows whose loss or gradient is not finite, whatever the weights of the net.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Training rows. Columns may hold numbers, booleans, categories, strings or dates, and missing values.
        y : array-like of shape (n_samples,)
            Target: class labels or numbers.
        sample_weight : array-like of shape (n_samples,), default None
            Non-negative weights, as in `fit`.

        Returns
        -------
        rows : DataFrame
            Index labels of the rows (positions if X is an array) and the `operation` of the loss that fails first.
        """
        from tabbench.nets.trials import find_unsound

        trial = self._trial()
        training, names = trial._prepared(X, y, sample_weight, None)
        rows, operation = find_unsound(training, trial._own_loss(training), trial._quiet_options(), trial._trial_plan())
        return pd.DataFrame({"operation": operation}, index=names.labels(rows))

    def learning_rate_range_test(self, X: Any, y: Any, sample_weight: Any = None) -> pd.DataFrame:
        """Train one net while its learning rate rises from 1e-7 to 10.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Training rows. Columns may hold numbers, booleans, categories, strings or dates, and missing values.
        y : array-like of shape (n_samples,)
            Target: class labels or numbers.
        sample_weight : array-like of shape (n_samples,), default None
            Non-negative weights, as in `fit`.

        Returns
        -------
        losses : DataFrame
            Columns `learning_rate` and `loss`, the smoothed training loss.

        Notes
        -----
        The test is Smith's (doi:10.1109/WACV.2017.58).
        """
        from tabbench.nets.trials import test_range

        trial = self._trial()
        training, _ = trial._prepared(X, y, sample_weight, None)
        rates, losses = test_range(training, trial._own_loss(training), trial._quiet_options(), trial._trial_plan())
        return pd.DataFrame({"learning_rate": rates, "loss": losses})

    def _trial(self) -> Self:
        """Return a shallow copy, which callbacks with locks allow, so that a trial leaves what was fitted unchanged."""
        trial = copy(self)
        trial.warm_start, trial.verbose = False, 0
        return trial

    # -- looking ------------------------------------------------------------------------------------------------------------

    def plot_training(self, ax: Any = None) -> Any:
        """Plot losses, learning rate and gradient norm by epoch, with incidents and the best epoch marked.

        Parameters
        ----------
        ax : sequence of matplotlib Axes, default None
            Three axes to draw on; by default those of a new pyplot figure.

        Returns
        -------
        figure : matplotlib Figure
            The figure of the axes.
        """
        from tabbench.nets.pictures import plot_training

        check_is_fitted(self)
        if not len(self.history_):
            raise ValueError("there is nothing to draw: training was stopped before its first epoch")
        return plot_training(self.history_, self.incidents_, self.best_epoch_, ax)

    def plot_weights(self, ax: Any = None) -> Any:
        """Plot a histogram of the weights of each layer, with dead units and update ratios.

        Parameters
        ----------
        ax : sequence of matplotlib Axes, default None
            One axis per layer to draw on; by default those of a new pyplot figure.

        Returns
        -------
        figure : matplotlib Figure
            The figure of the axes.
        """
        from tabbench.nets.pictures import plot_weights

        check_is_fitted(self)
        return plot_weights(self._model.weights_by_layer(), self._model.tuned["weights"], ax)

    # -- the nets elsewhere -----------------------------------------------------------------------------------------------------

    @property
    def module_(self) -> Any:
        """The averaged nets as one `torch.nn.Module` in evaluation mode, made anew each time.

        It turns what `encode` returns into probabilities of shape (m, n_classes), or numbers of shape (m,), in float32.
        """
        from tabbench.nets.fitted_module import module_of

        check_is_fitted(self)
        return module_of(self._model)

    def encode(self, X: Any) -> Any:
        """Encode rows as the nets see them.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows to encode, with the columns of the training rows.

        Returns
        -------
        encoded : torch.Tensor of shape (n_samples, n_inputs)
            Scaled numbers, bins and indicators as float32, then the codes of categories that the nets have embeddings for.
        """
        from tabbench.nets.fitted_module import encode

        return encode(self._model, self._matrix(X))

    def to_onnx(self, path: str | Path) -> Path:
        """Write `module_` as an ONNX file; its input `encoded` is what `encode` returns, its output is `prediction`.

        Parameters
        ----------
        path : str or path
            File to write.

        Returns
        -------
        path : Path
            The file.

        Raises
        ------
        MissingExtra
            The packages onnx and onnxscript are not installed.
        BadOption
            The nets have an architecture of the user's own, or the file cannot be written.
        """
        check_is_fitted(self)
        for package in ("onnx", "onnxscript"):
            why = why_it_does_not_load(package)
            if why is not None:
                raise MissingExtra(f"to_onnx needs {package}, which does not load ({why}); pip install onnx onnxscript")
        from tabbench.nets.fitted_module import write_onnx

        write_onnx(self._model, Path(path))
        return Path(path)

    def save(self, path: str | Path) -> Path:
        """Save the fitted estimator without pickle, as JSON and safetensors; `tabbench predict` reads the file, too.

        Parameters
        ----------
        path : str or path
            File to write, or folder if the name has no suffix. A model that is already there is replaced.

        Returns
        -------
        path : Path
            Where the model is.

        Raises
        ------
        BadOption
            Something that is not a tabbench model is in the way, or the place cannot be written.

        Notes
        -----
        Parameters that are functions or other objects, such as `loss`, `callbacks` and `module`, are not saved.
        """
        from tabbench.estimators.net_saving import save_net

        check_is_fitted(self)
        return save_net(path, self)

    @classmethod
    def load(cls, path: str | Path, **parameters: Any) -> Self:
        """Load an estimator that `save` wrote.

        Parameters
        ----------
        path : str or path
            File or folder of the model.
        **parameters : object
            Parameters in place of the saved ones: what no file holds, such as `loss` to train again, or `module`, without which
            nets of your own architecture cannot be loaded.

        Returns
        -------
        estimator : object
            The fitted estimator; it predicts the same, bit for bit.

        Raises
        ------
        BadData
            There is no such model at the path, it is damaged, or it belongs to another class.
        BadOption
            The nets have an architecture of the user's own, and `module` does not make it.
        """
        from tabbench.estimators.net_saving import load_net

        loaded: Self = load_net(path, cls, parameters)
        return loaded
