"""`penstock`, the entry point. Exit code 0: fine. 1: not fine. 2: the command line is wrong."""

import sys
from collections.abc import Sequence

from penstock_cli.commands import app
from penstock_cli.failure import Failure


def main(arguments: Sequence[str] | None = None) -> None:
    """Ends in `SystemExit`; `arguments` of `None` are the process's own."""
    try:
        app(arguments, prog_name="penstock")
    except Failure as failure:
        print(f"penstock: {failure}", file=sys.stderr)
        sys.exit(failure.exit_code)
    except OSError as error:  # no room, no right, no temporary folder: its text says what and where
        print(f"penstock: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
