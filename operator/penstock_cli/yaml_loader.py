"""How YAML is read: as the API server's tools read it, strictly, and fast.

libyaml, which PyYAML's wheels hold, finds the events (ten times quicker than Python); nodes are
composed in Python, where nesting without end is a RecursionError and not a crash.
"""

import yaml
from yaml._yaml import CParser
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

TIMESTAMP = "tag:yaml.org,2002:timestamp"


class Loader(Composer, CParser, SafeConstructor, Resolver):
    """Plain values alone; a key written twice is an error, since the first would be lost.

    A timestamp stays text, as it does for kubectl.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012  # PyYAML's own attribute
        first: [(tag, pattern) for tag, pattern in resolvers if tag != TIMESTAMP]
        for first, resolvers in Resolver.yaml_implicit_resolvers.items()
    }

    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)
        Composer.__init__(self)
        SafeConstructor.__init__(self)
        Resolver.__init__(self)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:  # noqa: FBT001, FBT002  # PyYAML's signature
        seen: set[object] = set()
        for key, _ in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if name is not None and name in seen and name != "<<":
                what = f"the key {name!r} is here a second time"
                raise yaml.MarkedYAMLError(problem=what, problem_mark=key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)
