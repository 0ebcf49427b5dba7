"""Has pyright, or basedpyright, check the README's Python by its basic mode; ends with its exit code.

    python -m pip install basedpyright
    python tools/typed_examples.py
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

CLONE = Path(__file__).parents[1]


def main() -> int:
    """Write the blocks one after the other as a script, as a reader would type them, and check it."""
    blocks = re.findall(r"```python\n(.*?)```", (CLONE / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    with tempfile.TemporaryDirectory() as place:
        Path(place, "readme.py").write_text("\n".join(blocks), encoding="utf-8")
        settings = {"typeCheckingMode": "basic", "extraPaths": [str(CLONE)], "include": ["readme.py"]}
        Path(place, "pyrightconfig.json").write_text(json.dumps(settings))
        checker = "pyright" if find_spec("pyright") else "basedpyright"
        return subprocess.run([sys.executable, "-m", checker, "--project", place, "--pythonpath", sys.executable],
                              check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
