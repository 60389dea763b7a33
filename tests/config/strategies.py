"""Random credentials, every string of which holds the same easily found word."""

from hypothesis import strategies as st
from pydantic import SecretStr

from penstock_config.credentials import Credentials, RedisAccess

CANARY = "sk-canary"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map(CANARY.__add__)
SECRETS = TEXTS.map(SecretStr)
IDS = st.from_regex(r"[a-z]{1,4}/[a-z]{1,4}", fullmatch=True)
REDIS = st.builds(
    RedisAccess,
    url=st.just("redis://redis:6379"),
    username=st.none() | st.just("limits"),
    password=st.none() | SECRETS,
    ca_pem=st.none() | st.just("PEM"),
)
CREDENTIALS = st.builds(
    Credentials,
    provider_keys=st.dictionaries(IDS, st.lists(SECRETS, min_size=1, max_size=3).map(tuple)),
    client_secrets=st.dictionaries(IDS, SECRETS),
    authorities=st.dictionaries(IDS, st.just("PEM")),
    redis=st.none() | REDIS,
    scope_key=SECRETS,
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(CANARY) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXTS | st.just("scope_key"), inner)
    ),
    max_leaves=8,
)
