"""Why a command cannot do its work.

Failure                  its text is for the person at the terminal
+ WrongUsage             the command line does not fit: exit code 2
| - NothingToRead        a path does not exist, or holds no YAML at all
+ RedisMissing           no server is installed
+ RedisFailed            the server did not start
+ PortTaken              somebody else listens there, or we may not
+ SidecarFailed          the sidecar did not start, or ended
"""

from typing import ClassVar


class Failure(Exception):
    exit_code: ClassVar[int] = 1


class WrongUsage(Failure):
    exit_code = 2


class NothingToRead(WrongUsage):
    pass


class RedisMissing(Failure):
    pass


class RedisFailed(Failure):
    pass


class PortTaken(Failure):
    pass


class SidecarFailed(Failure):
    pass
