"""What this machine lets a process use, and what a process has used of its memory."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import subprocess
import sys
from functools import cache
from pathlib import Path

import psutil


def machine_memory_bytes() -> int:
    """The memory this process may use: the machine's, or its control group's if that is less."""
    total = int(psutil.virtual_memory().total)
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        path = Path(name)
        if path.exists() and (text := path.read_text().strip()).isdigit():
            total = min(total, int(text))
    return total


def resident_mb() -> float:
    """Megabytes (10^6 bytes) that this process has in memory."""
    return float(psutil.Process().memory_info().rss) / 1e6


def trim_memory() -> None:
    """Return what was freed to the system: glibc keeps it, and what comes next would not seem to need any."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)


def descendants(pid: int) -> list[int]:
    """The children of a process, theirs, and so on.

    Raises
    ------
    OSError | psutil.NoSuchProcess
        One of them has just ended.
    """
    if not _tells_children():
        return [each.pid for each in psutil.Process(pid).children(recursive=True)]
    children = [int(word) for thread in Path(f"/proc/{pid}/task").iterdir() for word in (thread / "children").read_text().split()]
    return children + [each for child in children for each in descendants(child)]


@cache
def _tells_children() -> bool:
    """Whether the system tells a process's children, as most Linux kernels do: else all processes have to be looked through."""
    return Path(f"/proc/self/task/{os.getpid()}/children").exists()


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def cpu_model() -> str:
    """The processor's name as its maker writes it, such as "AMD EPYC 7763 64-Core Processor"; else its architecture."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    if platform.system() == "Darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        return found.stdout.strip() or platform.machine()
    return platform.processor() or platform.machine()


class PeakMemory:
    """The largest resident size of this process since construction, in MB.

    On Linux the kernel's high-water mark is reset; elsewhere the process's own maximum is all there is.
    """

    STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")

    def __init__(self) -> None:
        with contextlib.suppress(OSError):  # a hardened kernel forbids it; then the mark is that of the whole process
            if self.RESET.exists():
                self.RESET.write_text("5")
        self._start_mb = resident_mb()

    def costs(self, charged_mb: float) -> dict[str, float]:
        """By how much the process has grown at most, with the memory of what it found there, built for others before."""
        peak = self.peak_mb()
        return {} if peak is None else {"grown_mb": round(max(peak - self._start_mb, 0.0) + charged_mb, 1)}

    def peak_mb(self) -> float | None:
        """Megabytes (10^6 bytes) at the highest point."""
        if self.STATUS.exists():
            for line in self.STATUS.read_text().splitlines():
                if line.startswith("VmHWM:"):
                    return round(int(line.split()[1]) * 1024 / 1e6, 1)
        if sys.platform == "win32":
            return round(float(psutil.Process().memory_info().peak_wset) / 1e6, 1)
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)
