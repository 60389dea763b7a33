"""How many namespaces a provider feeds, and how policies are spread."""

from bench.population import Size


def test_each_tenth_namespace_is_fed_by_the_other_provider() -> None:
    size = Size(namespaces=40, policies=200, pods=480)
    assert len(size.names) == 40
    assert len(size.fed_by_shared) == 36
    assert size.fed_by_shared < set(size.names)
