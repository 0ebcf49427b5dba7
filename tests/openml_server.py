"""A server on this machine that answers like OpenML with recorded descriptions, a small ARFF file and its splits."""

import hashlib
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

RECORDED = Path(__file__).with_name("recorded") / "openml"
ROWS, FOLDS, REPEATS = 90, 3, 2
UNKNOWN = b"""<oml:error xmlns:oml="http://openml.org/openml">
\t<oml:code>111</oml:code>
\t<oml:message>Unknown dataset</oml:message>
</oml:error>
"""


def credit_arff(rows=ROWS):
    """A table with all that ARFF has: quoted names and levels, missing values, dates, comments."""
    random = np.random.default_rng(0)
    lines = ["% Made up for a test", "@RELATION little-credit", "", "@ATTRIBUTE number INTEGER", "@ATTRIBUTE age REAL",
             "@ATTRIBUTE 'checking status' {'no checking','<0','0<=X<200'}", "@ATTRIBUTE since DATE \"yyyy-MM-dd\"",
             "@ATTRIBUTE \"branch office\" STRING", "@ATTRIBUTE memo STRING", "@ATTRIBUTE class {good, bad}", "", "@DATA"]
    for number in range(rows):
        age = random.integers(18, 80)
        status = random.choice(["'no checking'", "'<0'", "0<=X<200", "?"])
        label = "good" if age / 20 + random.normal() > 2.4 else "bad"
        date = f"20{random.integers(10, 24)}-0{random.integers(1, 9)}-1{random.integers(0, 9)}"
        texts = f"'Bern, {number % 4}',\"it's \\\"{number}\\\"\""
        lines.append(f"{number},{age if number % 9 else '?'},{status},{date},{texts},{label}")
    return ("\n".join(lines) + "\n").encode()


def splits_arff(rows=ROWS, folds=FOLDS, repeats=REPEATS):
    """Repeated cross-validation as OpenML writes it."""
    lines = ["@relation Task_7_splits", "", "@attribute type {TRAIN,TEST}", "@attribute rowid numeric",
             "@attribute repeat numeric", "@attribute fold numeric", "", "@data"]
    for repeat in range(repeats):
        fold_of = np.random.default_rng(repeat).permutation(rows) % folds
        for fold in range(folds):
            lines += [f"{'TEST' if fold_of[row] == fold else 'TRAIN'},{row},{repeat},{fold}" for row in range(rows)]
    return ("\n".join(lines) + "\n").encode()


class Answers(dict):
    """What the server answers by path, and what it was asked."""

    def __init__(self):
        super().__init__()
        self.asked = []
        self.address = ""

    def record(self, data=None, splits=None):
        """Answer with the recorded data set 31 and task 7, in whose descriptions this server stands."""
        data = credit_arff() if data is None else data
        self["/data/v1/download/31/little-credit.arff"] = data
        self["/api_splits/get/7/Task_7_splits.arff"] = splits_arff() if splits is None else splits
        for name, path in (("data_31", "data/31"), ("task_7", "task/7")):
            text = (RECORDED / f"{name}.xml").read_text(encoding="utf-8")
            text = text.replace("SERVER", self.address).replace("MD5", hashlib.md5(data).hexdigest())
            self[f"/api/v1/xml/{path}"] = text.encode()


@contextmanager
def serving():
    """Serve what is in the dict that is given."""
    answers = Answers()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            answers.asked.append(self.path)
            answer = answers.get(self.path)
            self.send_response(412 if answer is None else 200)
            content = UNKNOWN if answer is None else answer
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    answers.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield answers
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
