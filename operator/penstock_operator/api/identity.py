"""Who a request is from, and to what its cost is put down."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from penstock_operator.api.base import ApiModel
from penstock_operator.api.lists import BY_NAME, DISTINCT
from penstock_operator.api.reference import HeaderName
from penstock_operator.api.rules import Rule, distinct, sibling


class UserSource(ApiModel):
    """Where the caller's user is found."""

    invariants: ClassVar[tuple[Rule, ...]] = (sibling("header", "type", "Header"),)

    type: Literal["Header", "BodyUser", "MetadataUserId"] = Field(
        description="Header: a request header. BodyUser: `user` of the body. MetadataUserId:"
        " `metadata.user_id` of the body."
    )
    header: HeaderName | None = Field(None, description="With `type: Header` only.")


class Identity(ApiModel):
    """Who the caller's user is. The app and the pod are known without asking."""

    invariants: ClassVar[tuple[Rule, ...]] = (distinct("userFrom"),)

    user_from: tuple[UserSource, ...] = Field(
        (
            UserSource(type="Header", header=HeaderName(name="x-penstock-user")),
            UserSource(type="BodyUser"),
        ),
        min_length=1,
        max_length=8,
        description="The first that is there decides. Default: the header `x-penstock-user`, then"
        " `user` of the body.",
    )
    required: bool = Field(
        default=False,
        description="Whether a request without a user is refused (400); else all such share the"
        " user `anonymous`. Default: false.",
    )
    max_subjects: int = Field(
        10_000,
        ge=1,
        le=1_000_000,
        description="Most users that are told apart; further ones share a bucket. Default: 10000.",
    )


class MetadataKey(ApiModel):
    """A key of the body's `metadata`."""

    key: str = Field(min_length=1, max_length=64, description="Its name.")


class TagSource(ApiModel):
    """A tag, and where its value is found."""

    invariants: ClassVar[tuple[Rule, ...]] = (
        sibling("header", "type", "Header"),
        sibling("metadata", "type", "Metadata"),
    )

    name: str = Field(
        min_length=1,
        max_length=32,
        pattern=r"^[a-z]([a-z0-9_]*[a-z0-9])?$",
        description="Such as `agent`, `tool` or `feature`.",
    )
    type: Literal["Header", "Metadata"] = Field(
        description="Header: a request header. Metadata: a key of `metadata` in the body."
    )
    header: HeaderName | None = Field(None, description="With `type: Header` only.")
    metadata: MetadataKey | None = Field(None, description="With `type: Metadata` only.")


class Attribution(ApiModel):
    """To what the cost of a request is put down."""

    tags_from: Annotated[tuple[TagSource, ...], BY_NAME] = Field(
        min_length=1, max_length=5, description="The tags."
    )
    allowed: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=64)], ...], DISTINCT] = (
        Field(
            (),
            max_length=50,
            description="Values told apart; all others are `other`. Default: the first 50.",
        )
    )
