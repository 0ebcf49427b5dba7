"""The command line in the process of the tests: an interpreter takes longer to start than most commands take to answer."""

from __future__ import annotations

from contextlib import chdir
from functools import cache

from typer import testing
from typer.testing import CliRunner, Result

from tabbench.cli import app

testing._get_command = cache(testing._get_command)  # the runner would read the signatures of all commands for each call


def tabbench(*arguments, folder=".", input=None) -> Result:
    """What a command that is typed in a folder says and ends with; a fault is raised and fails the test."""
    with chdir(folder):
        return CliRunner().invoke(app, [str(each) for each in arguments], input=input, catch_exceptions=False)
