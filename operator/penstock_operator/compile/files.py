"""What a namespace's sidecars read, as bytes: encoded once, then sized, compared and written."""

from dataclasses import dataclass, field
from typing import Self

from penstock_config.codec import digest, encode
from penstock_config.credentials import Credentials
from penstock_config.older import as_version_1, credentials_as_version_1
from penstock_config.schema import SidecarConfig


@dataclass(frozen=True, slots=True)
class File:
    """One file for the namespace's sidecars."""

    data: bytes = field(repr=False)
    digest: str

    @classmethod
    def of(cls, data: bytes) -> Self:
        return cls(data, digest(data))


@dataclass(frozen=True, slots=True)
class ConfigFiles:
    """One configuration in the present version, and in the one before."""

    newest: File
    older: File

    @classmethod
    def of(cls, config: SidecarConfig) -> Self:
        return cls(File.of(encode(config)), File.of(as_version_1(config).data))

    @property
    def size(self) -> int:
        """In bytes, of both."""
        return len(self.newest.data) + len(self.older.data)


@dataclass(frozen=True, slots=True)
class CredentialsFiles:
    """The same of the secret half."""

    newest: File
    older: File

    @classmethod
    def of(cls, credentials: Credentials) -> Self:
        older = credentials_as_version_1(credentials)
        return cls(File.of(encode(credentials)), File.of(older))
