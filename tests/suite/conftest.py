import numpy as np
import pytest


def write_table(path, rows=90, seed=0, classes=2):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3))
    y = np.digitize(x[:, 0] + rng.normal(size=rows) / 2, [0.0] if classes == 2 else [-0.5, 0.5])
    lines = ["a,b,c,y", *(",".join([*(f"{value:.4f}" for value in row), "uvw"[code]]) for row, code in zip(x, y, strict=True))]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="session")
def suite_file(tmp_path_factory):
    """A suite of three tables, one of which cannot be read as asked."""
    folder = tmp_path_factory.mktemp("tables")
    write_table(folder / "first.csv")
    write_table(folder / "second.csv", seed=1, classes=3)
    write_table(folder / "third.csv", seed=2)
    path = folder / "mine.toml"
    path.write_text("""
name = "mine"
title = "Three tables"
tables = ["first.csv", "second.csv", {source = "third.csv", target = "price"}]

[options]
approaches = ["linear", "lightgbm"]
effort = 0.01
sizes = [30, "full"]
folds = 3
repeats = 1
""")
    return path
