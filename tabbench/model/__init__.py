"""Save and load a fitted approach without pickle, and predict with it.

Knows parts, arrays and files; never which library made them.
"""

from tabbench.model.predicting import FittedModel, prediction_frame, restore_model
from tabbench.model.saving import SavedModel, load_model, save_model

__all__ = ["FittedModel", "SavedModel", "load_model", "prediction_frame", "restore_model", "save_model"]
