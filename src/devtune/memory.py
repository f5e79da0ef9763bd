"""How much memory a stage took, as the kernel counted it."""

import resource
from contextlib import suppress
from pathlib import Path


def forget_peak_memory() -> None:
    """Let the kernel count this process's peak anew; else earlier stages count too."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_memory_mib() -> int:
    """Return the larger of this process's resident peak and its largest child's so far, in MiB."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    own = int(next(line.split()[1] for line in status.split("\n") if line.startswith("VmHWM")))
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) // 1024
