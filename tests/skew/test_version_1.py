"""Version 1, as the code that is out there reads and writes it."""

import json
from typing import Any, Final

import yaml

from penstock_config.codec import config_file_name, digest, encode
from penstock_config.older import OLDER_VERSION, as_version_1, decode_version_1
from penstock_config.schema import SCHEMA_VERSION, SidecarConfig
from penstock_operator.compile.compiler import compile_snapshot
from tests.operator.compile.test_cases import CASES, NAMES, snapshot_of_case
from tests.skew.frozen import ARCHIVE, Frozen

ADDED: Final = {
    "Cache.count_hits_against_limits",
    "Cache.normalised",
    "Cache.refresh_ahead_percent",
    "Cache.semantic",
    "Cache.warm",
    "Match.complexity",
    "Match.modalities",
    "Match.tasks",
    "Model.expected_latency_ms",
    "Model.load_seconds",
    "Model.parallel",
    "Model.quality",
    "Model.vram_bytes",
    "Policy.compression",
    "Policy.images",
    "Policy.memory",
    "Provider.api_version",
    "Provider.drain_seconds",
    "Provider.entra",
    "Provider.gpu_memory_bytes",
    "Provider.managed",
    "Provider.preset",
    "Provider.private_ca",
    "Provider.proxy_login",
    "Provider.proxy_url",
    "Rule.overrides",
    "Tier.ensemble",
    "Tier.floors",
    "Tier.hedge",
    "Tier.on_no_fit",
    "Tier.timeouts",
}
"""What `penstock_config.older` takes out again."""
ADDED_TYPES: Final = (
    "Compression.",
    "Ensemble.",
    "EnsembleSize.",
    "Entra.",
    "Floor.",
    "Hedge.",
    "Images.",
    "Judge.",
    "Managed.",
    "Memory.",
    "NormalisedCache.",
    "Overrides.",
    "SemanticCache.",
    "TierTimeout.",
    "Warming.",
)
"""Of the fields above alone."""
WIDENED: Final = {"Tier.strategy"}
"""Fields with further values, which `older` takes out again; their default is the same."""
MAX_BYTES: Final = 400_000
NAME: Final = config_file_name(OLDER_VERSION)
REDIS: Final = "redis://redis:6379"


def fields(schema: dict[str, Any]) -> dict[str, Any]:
    """Every field of every type, as `<type>.<field>`, with its type, bounds and default."""
    types = {**schema["$defs"], schema["title"]: schema}
    left_out = {"description", *(name.partition(".")[2] for name in ADDED)}

    def plain(part: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in part.items() if key not in left_out}

    return {
        f"{type_}.{name}": json.loads(json.dumps(field), object_hook=plain)
        for type_, found in types.items()
        for name, field in found["properties"].items()
    }


def test_nothing_else_changed_since_version_1(frozen: Frozen) -> None:
    """A field, a bound or a default that changes here needs a new version, or an exception in
    `older`: CONTRIBUTING says how."""
    before, now = fields(frozen.schema()), fields(SidecarConfig.model_json_schema())
    added = {name for name in now if not name.startswith(ADDED_TYPES)} - before.keys()
    assert added == ADDED
    same = now.keys() & before.keys() - {"SidecarConfig.schema_version"} - WIDENED
    assert {name: now[name] for name in same} == {name: before[name] for name in same}
    assert before.keys() <= now.keys()
    for name in WIDENED:
        assert before[name]["const"] == now[name]["default"]
        assert before[name]["const"] in now[name]["enum"]
    assert SCHEMA_VERSION == OLDER_VERSION + 1 == 2


def test_the_version_before_reads_whatever_is_written_for_it(frozen: Frozen) -> None:
    written = [
        as_version_1(config).data.decode()
        for name in NAMES
        for config in compile_snapshot(snapshot_of_case(name)).configs.values()
    ]
    assert len(written) >= len(NAMES)
    assert frozen.read(written) == written, "to the byte, so that digests agree"


def test_the_version_before_does_not_take_the_present_one(frozen: Frozen) -> None:
    (found,) = frozen.read([encode(SidecarConfig(cluster="c", namespace="n")).decode()])
    assert found == "refused: schema_version is 2, this sidecar reads 1: upgrade the older side"


def test_what_the_operator_before_writes_is_read_in_full(frozen: Frozen) -> None:
    texts = [(CASES / f"{name}.in.yaml").read_text() for name in NAMES]
    published = frozen.compile([list(yaml.safe_load_all(text)) for text in texts], REDIS)
    written = [files[NAME].encode() for found in published for files in found.values()]
    assert len(written) >= len(NAMES)
    for data in written:
        again = as_version_1(decode_version_1(data))
        assert (digest(again.data), again.inexpressible) == (digest(data), ())


def test_the_fixture_stays_small() -> None:
    assert ARCHIVE.stat().st_size < MAX_BYTES
