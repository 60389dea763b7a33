"""How a provider is told who asks."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from penstock_operator.api.base import ApiModel
from penstock_operator.api.lists import KeyedBy
from penstock_operator.api.reference import SecretKeyReference
from penstock_operator.api.rules import Rule, exactly_one

DirectoryId = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9.-]+$")]


class Entra(ApiModel):
    """A token of Microsoft Entra ID in place of a key."""

    tenant_id: DirectoryId = Field(alias="tenantID", description="Directory (tenant).")
    client_id: DirectoryId = Field(alias="clientID", description="Application (client).")
    client_secret_ref: SecretKeyReference | None = Field(
        None, description="The application's secret. Default: the pod's workload identity."
    )


class Credentials(ApiModel):
    """Keys, and how they are sent."""

    invariants: ClassVar[tuple[Rule, ...]] = (
        exactly_one("secretRefs", "entra"),
        Rule(
            "!has(self.entra) || !has(self.scheme)",
            "entra sends its token as Bearer: remove scheme and name",
            lambda key: key.entra is None or key.scheme is None,
        ),
        Rule(
            "(has(self.scheme) && self.scheme in ['Header', 'Query']) == has(self.name)",
            "set name with scheme Header or Query, and only then",
            lambda key: (key.scheme in ("Header", "Query")) == (key.name is not None),
        ),
    )

    secret_refs: Annotated[tuple[SecretKeyReference, ...], KeyedBy(("name", "key"))] = Field(
        (),
        min_length=1,
        max_length=16,
        description="Keys in Secrets of this namespace. Several are used in turn.",
    )
    scheme: Literal["Bearer", "Header", "Query"] | None = Field(
        None,
        description="Bearer: `Authorization: Bearer <key>`. Header, Query: the key alone, in the"
        " header or query parameter `name`. Default: as the provider's type wants it: header"
        " `x-api-key` for anthropic, `x-goog-api-key` for gemini, `api-key` for azure-openai, else"
        " Bearer.",
    )
    name: str | None = Field(
        None,
        min_length=1,
        max_length=128,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="Header or query parameter, such as `api-key`.",
    )
    entra: Entra | None = Field(
        None, description="A token in place of keys; with `type: azure-openai` only."
    )
