"""A process that observes at each line of its input, which is the time, and prints what it saw."""

import json
import sys
from datetime import UTC, datetime

from penstock_agent.nvml.library import Library
from penstock_agent.observer import Observer
from penstock_operator.ollama.gpus import NodeGpus, encode_gpus


def main() -> None:
    times = [0.0]
    observer = Observer(Library(), lambda: times[-1])
    for line in sys.stdin:
        times.append(float(line))
        seen = observer.observe()
        found = NodeGpus(
            node="n",
            observed_at=datetime.now(UTC),
            driver=seen.driver,
            gpus=seen.gpus,
            message=seen.message,
        )
        answer = {"found": encode_gpus(found), "must_restart": seen.must_restart}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
