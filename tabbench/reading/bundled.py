"""The tables that come with scikit-learn, as CSV. Knows no card."""

from __future__ import annotations

BUNDLED = {
    "sklearn:load_breast_cancer": {},
    "sklearn:load_diabetes": {"scaled": False},  # the scaled values depend on how a machine rounds
    "sklearn:load_digits": {},
    "sklearn:load_iris": {},
    "sklearn:load_wine": {},
}
"""Loaders that need no network, and what each is called with."""


def bundled_csv(loader: str) -> bytes:
    """The table of a loader, with the classes by name in the column `target`.

    Parameters
    ----------
    loader : str
        A key of `BUNDLED`.

    Returns
    -------
    bytes
        CSV in UTF-8; the same on every machine, so that a hash can be compared.

    >>> bundled_csv("sklearn:load_iris").splitlines()[1]
    b'5.1,3.5,1.4,0.2,setosa'
    """
    import sklearn.datasets

    bunch = getattr(sklearn.datasets, loader.removeprefix("sklearn:"))(as_frame=True, **BUNDLED[loader])
    frame = bunch.frame
    if "target_names" in bunch:
        names = [str(name) for name in bunch.target_names]
        frame = frame.assign(target=[names[code] for code in frame["target"]])
    content: str = frame.to_csv(index=False, lineterminator="\n")
    return content.encode()
