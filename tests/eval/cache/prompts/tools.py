"""Prompts of agents: what their tools gave back, as JSON, logs, tables and pages."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from tests.eval.cache.prompts.prompt import Message, Prompt

SYSTEM: Final = "You look after a shop's platform. Use the tools, and answer in one paragraph."
START: Final = datetime(2026, 3, 9, 4, 0, tzinfo=UTC)
SERVICES: Final = ("cart", "catalogue", "checkout", "mail", "prices", "search", "stock", "users")
TOWNS: Final = ("Bergen", "Ghent", "Graz", "Leeds", "Lyon", "Malmo", "Porto", "Turin")


def prompts() -> list[Prompt]:
    """Three of each kind of tool, and an agent that asks one of them again and again."""
    seeds = [Random(f"tools {number}") for number in range(3)]
    return [
        prompt
        for number, random in enumerate(seeds, 1)
        for prompt in (
            _pods(number, random),
            _orders(number, random),
            _log(number, random),
            _status_page(number, random),
            _table(number, random),
            _polling(number, random),
        )
    ]


def _pods(number: int, random: Random) -> Prompt:
    """`kubectl get pods -o json`: of forty fields of each pod two matter."""
    pods = [_pod(name, random) for name in SERVICES]
    ill = random.choice(pods)
    restarts = 1130 + number
    ill["status"]["containerStatuses"] = [
        {
            "name": ill["metadata"]["labels"]["app"],
            "ready": False,
            "restartCount": restarts,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {},
        }
    ]
    document = {"apiVersion": "v1", "kind": "List", "items": pods}
    facts = (ill["metadata"]["name"], f"{restarts}", "CrashLoopBackOff")
    question = "Which pod restarts all the time, how often has it, and for what reason?"
    return _prompt(f"pods {number}", question, [json.dumps(document, indent=4)], facts)


def _pod(name: str, random: Random) -> dict[str, Any]:
    template, suffix = f"{random.getrandbits(36):09x}", f"{random.getrandbits(20):05x}"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{name}-{template}-{suffix}",
            "namespace": "shop",
            "labels": {"app": name, "pod-template-hash": template},
            "annotations": {},
            "ownerReferences": [
                {"kind": "ReplicaSet", "name": f"{name}-{template}", "controller": True}
            ],
        },
        "spec": {
            "containers": [
                {
                    "name": name,
                    "image": f"registry.shop.example/{name}:1.{random.randrange(40)}.0",
                    "env": [],
                    "resources": {"limits": None, "requests": None},
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File",
                }
            ],
            "dnsPolicy": "ClusterFirst",
            "enableServiceLinks": True,
            "restartPolicy": "Always",
            "schedulerName": "default-scheduler",
            "nodeSelector": None,
            "tolerations": None,
        },
        "status": {
            "phase": "Running",
            "containerStatuses": [
                {
                    "name": name,
                    "ready": True,
                    "restartCount": random.randrange(3),
                    "state": {"running": {"startedAt": START.isoformat()}},
                    "lastState": {},
                }
            ],
            "message": None,
            "reason": None,
        },
    }


def _orders(number: int, random: Random) -> Prompt:
    """An interface's page of orders, laid out for people and full of nulls."""
    orders: list[dict[str, object]] = [
        {
            "id": f"ord_{random.getrandbits(40):010x}",
            "town": town,
            "total": {"amount": random.randrange(1000, 90000), "currency": "EUR"},
            "status": "delivered",
            "coupon": None,
            "gift_message": None,
            "refunds": [],
            "metadata": {},
            "links": {"self": None, "invoice": None, "label": None},
        }
        for town in random.sample(TOWNS, len(TOWNS))
    ]
    odd = orders[random.randrange(len(orders))]
    odd["status"] = "returned_to_sender"
    facts = (str(odd["id"]), "returned_to_sender", str(odd["town"]))
    page = {"object": "list", "data": orders, "has_more": False, "next": None}
    question = "Which order came back to us, and from which town?"
    return _prompt(f"orders {number}", question, [json.dumps(page, indent=2)], facts)


def _log(number: int, random: Random) -> Prompt:
    """Heartbeats and accesses around the two lines that matter."""
    times = [START + timedelta(seconds=5 * step) for step in range(90)]
    lines = [f"{t:%Y-%m-%dT%H:%M:%SZ} INFO  heartbeat ok queue=0 workers=4/4" for t in times]
    for place in random.sample(range(90), 25):
        path = random.choice(SERVICES)
        lines[place] = (
            f"{times[place]:%Y-%m-%dT%H:%M:%SZ} INFO  GET /{path} 200 {random.randrange(9, 90)}ms"
        )
    cause = f"disk /var/lib/stock is full ({96 + number} percent)"
    effect = f"order ord_{random.getrandbits(24):06x} was not written"
    for place, (level, text) in zip((41, 44), (("WARN ", cause), ("ERROR", effect)), strict=True):
        lines[place] = f"{times[place]:%Y-%m-%dT%H:%M:%SZ} {level} {text}"
    question = "Why was an order lost this night, and which one?"
    return _prompt(f"log {number}", question, ["\n".join(lines)], (cause, effect))


def _status_page(number: int, random: Random) -> Prompt:
    """A page as a browser tool brings it: markup, styles and scripts around a small table."""
    down = random.choice(SERVICES)
    fact = f"degraded since {3 + number}:20 UTC"
    rows = "\n".join(
        f'      <tr class="row" data-id="{name}"><td class="name">{name}</td>'
        f'<td class="state">{fact if name == down else "operational"}</td></tr>'
        for name in SERVICES
    )
    page = PAGE.format(rows=rows)
    question = "Which of our services has trouble, and since when?"
    return _prompt(f"page {number}", question, [page], (down, fact))


PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Status</title>
    <link rel="stylesheet" href="/assets/app.3f9c1b.css">
    <style>
      body {{ font-family: sans-serif; margin: 0; }}
      .row td {{ padding: 4px 8px; border-bottom: 1px solid #ddd; }}
      .state {{ color: #2a7; font-weight: 600; }}
    </style>
    <script>
      window.dataLayer = window.dataLayer || [];
      function track() {{ dataLayer.push(arguments); }}
      track("config", "UA-000000-1", {{ anonymize: true }});
    </script>
  </head>
  <body>
    <nav class="top">
      <ul>
        <li><a href="/">Home</a></li><li><a href="/history">History</a></li>
        <li><a href="/subscribe">Subscribe</a></li><li><a href="/login">Log in</a></li>
      </ul>
    </nav>
    <main>
    <h1>Status of all services</h1>
    <table class="services">
{rows}
    </table>
    </main>
    <footer>
      <p>Powered by a status page. <a href="/privacy">Privacy</a> <a href="/terms">Terms</a></p>
      <script src="/assets/app.77aa01.js" defer></script>
    </footer>
  </body>
</html>
"""


def _table(number: int, random: Random) -> Prompt:
    """What a database's client prints, padded to the widest."""
    widths = (12, 18, 24, 12, 40)
    rows = [("id", "town", "supplier", "stock", "remark")]
    for index in range(28):
        town = random.choice(TOWNS)
        rows.append(
            (str(4000 + index), town, f"{town} Wholesale", str(random.randrange(40, 900)), "")
        )
    place = random.randrange(1, len(rows))
    rows[place] = (*rows[place][:3], "0", f"blocked until week {20 + number}")
    lines = [
        " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    lines.insert(1, "-+-".join("-" * width for width in widths))
    facts = (rows[place][0], f"blocked until week {20 + number}")
    question = "Which article has no stock at all, and until when will it have none?"
    return _prompt(f"table {number}", question, ["\n".join(lines)], facts)


def _polling(number: int, random: Random) -> Prompt:
    """The same answer four times, and then another one."""
    job = f"job_{random.getrandbits(32):08x}"
    waiting = {
        "job": job,
        "state": "running",
        "steps": [{"name": name, "state": "queued", "log": None} for name in SERVICES],
        "detail": "The export is still being written; ask again in a minute.",
    }
    done = {"job": job, "state": "failed", "detail": f"Table prices_{number} has no column net."}
    outputs = [json.dumps(waiting, indent=2)] * 4 + [json.dumps(done, indent=2)]
    facts = (job, "failed", f"Table prices_{number} has no column net.")
    return _prompt(f"polling {number}", "Did the export work, and if not, why?", outputs, facts)


def _prompt(name: str, question: str, outputs: Sequence[str], facts: Sequence[str]) -> Prompt:
    messages: list[Message] = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": question},
    ]
    for number, output in enumerate(outputs, 1):
        call = {
            "id": f"call_{number}",
            "type": "function",
            "function": {"name": "look_up", "arguments": "{}"},
        }
        messages += [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"call_{number}", "content": output},
        ]
    return Prompt("tool output", name, messages, facts)
