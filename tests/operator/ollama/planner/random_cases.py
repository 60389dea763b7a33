"""Small clusters and wishes that compete for them, by a seed."""

from random import Random

from penstock_operator.ollama.planner.types import GpuWish, Need, Node, Sharing, Slot, Taint, Wish

KINDS: tuple[Sharing, ...] = ("Exclusive", "Exclusive", "Exclusive", "TimeSliced", "MIG")
SIZES = {"small": 8000, "middle": 16000, "large": 24000}


def nodes_by(random: Random, most: int = 4) -> list[Node]:
    return [_node(random, f"n{i}") for i in range(random.randint(1, most))]


def wishes_by(random: Random, most: int = 6) -> list[Wish]:
    return [_wish(random, f"team/p{i}") for i in range(random.randint(1, most))]


def _node(random: Random, name: str) -> Node:
    product = random.choice(list(SIZES))
    size, zone = SIZES[product], random.choice(["a", "b"])
    taints = (Taint("reserved"),) if random.random() < 0.1 else ()
    kind = random.random()
    if kind < 0.65:
        slots = [
            Slot("nvidia.com/gpu", i, size, product, foreign_mib=random.choice([0, 0, 0, 3000]))
            for i in range(random.choice([1, 1, 2, 2, 3]))
        ]
    elif kind < 0.85:
        gpus, each = random.choice([(1, 2), (1, 3), (2, 2)])
        slots = [Slot("nvidia.com/gpu.shared", i, size, product, "TimeSliced") for i in range(gpus)]
        slots *= each
    else:
        slots = [Slot("nvidia.com/mig-1g.5gb", 0, 5000, product, "MIG")] * 2
        slots += [Slot("nvidia.com/mig-2g.10gb", 0, 10000, product, "MIG")]
    return Node(name, tuple(slots), zone, {}, taints, usable=random.random() < 0.95)


def _wish(random: Random, provider: str) -> Wish:
    sharing = random.choice(KINDS)
    count = random.choice([1, 1, 1, 2]) if sharing == "Exclusive" else 1
    models = random.choice([1, 1, 1, 2, 2, 3])
    needs = tuple(
        Need(f"m{i}", random.randrange(500, 17000, 500), 0, random.choice([0, 300]))
        for i in range(models)
    )
    products = random.choice([(), (), (), ("small", "large"), ("large",)])
    return Wish(
        provider,
        needs,
        replicas=random.choice([1, 1, 2, 2, 3]) if models < 3 else 1,
        gpu=GpuWish(count, products, headroom_mib=random.choice([0, 1024]), sharing=sharing),
        loading=random.choice(["Always", "Always", "OnDemand"]),
        priority=random.choice([0, 0, 1]),
    )
