"""Run a command that the kernel ends when the process that started it is gone, however it went.

`python -m penstock_cli.leash PARENT_PID COMMAND...` asks for the signal and then becomes COMMAND.
Linux only (prctl(2), PR_SET_PDEATHSIG); elsewhere COMMAND runs unleashed. Light on purpose: it runs
before every child.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def leashed(*command: str) -> tuple[str, ...]:
    """The command line that runs `command` on a leash held by this process."""
    return (sys.executable, "-m", "penstock_cli.leash", str(os.getpid()), *command)


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before we asked
            return
    os.execvp(command[0], command)  # noqa: S606  # no shell is wanted


if __name__ == "__main__":
    main()
