"""`dataclass`, for values that every request makes.

The library's keeps a frozen value frozen while the program runs, and pays for that where one is
made: each field is written by way of `object.__setattr__`, a seventh of all that an answer from the
cache costs. Here it is mypy that keeps it, for which this is the library's own.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    import dataclasses

    def dataclass(cls=None, /, *, frozen=False, eq=True, **options):
        """Where `frozen`, equal and hashable as the library's would be."""
        made = dataclasses.dataclass(eq=eq, unsafe_hash=frozen and eq, **options)
        return made if cls is None else made(cls)


__all__ = ["dataclass"]
