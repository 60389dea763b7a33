"""Looks for a secret wherever an application could: what someone does who got into its container.

Standard input is a JSON list of the texts to look for (so that no environment and no command line
holds them); prints a JSON list of the places where one was found: files, environments and command
lines of every process in sight, and whatever the sidecar's ports tell.
"""

import base64
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

KERNELS_OWN = ("/proc", "/sys")
LARGEST_BYTES = 64 * 1024 * 1024
PORTS = (4141, 4142, 4143)
PATHS = (
    "/",
    "/metrics",
    "/healthz",
    "/readyz",
    "/config",
    "/credentials",
    "/env",
    "/debug",
    "/debug/config",
    "/debug/state",
    "/debug/vars",
    "/debug/pprof",
    "/v1/models",
)


def forms(secret: str) -> Iterator[bytes]:
    """As it is, and as a Secret holds it. What base64 makes of its middle depends on where in a
    longer text it begins: three ways."""
    yield secret.encode()
    for before in range(3):
        encoded = base64.b64encode(b"x" * before + secret.encode())
        yield encoded[4 if before else 0 : -4]


def files() -> Iterator[tuple[str, bytes]]:
    for folder, folders, names in os.walk("/"):
        folders[:] = [f for f in folders if os.path.join(folder, f) not in KERNELS_OWN]
        for name in names:
            path = Path(folder, name)
            try:
                if path.is_file() and path.stat().st_size <= LARGEST_BYTES:
                    yield str(path), path.read_bytes()
            except OSError:
                continue


def processes() -> Iterator[tuple[str, bytes]]:
    """Also files of other processes, through `/proc/<pid>/root`, where one may look."""
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("environ", "cmdline"):
            try:
                yield str(process / name), (process / name).read_bytes()
            except OSError:
                continue
        for folder in ("credentials", "config"):
            mounted = process / "root" / "etc" / "penstock" / folder
            try:
                for path in mounted.glob("*"):
                    yield str(path), path.read_bytes()
            except OSError:
                continue


def answers() -> Iterator[tuple[str, bytes]]:
    for port in PORTS:
        for path in PATHS:
            url = f"http://localhost:{port}{path}"
            try:
                with urllib.request.urlopen(url, timeout=5) as response:
                    yield url, response.read() + str(response.headers).encode()
            except urllib.error.HTTPError as error:
                yield url, error.read() + str(error.headers).encode()
            except OSError:
                continue


def main() -> None:
    wanted = [form for secret in json.load(sys.stdin) for form in forms(secret)]
    looked, found = 0, []
    for source in (files(), processes(), answers()):
        for place, data in source:
            looked += 1
            if any(form in data for form in wanted):
                found.append(place)
    json.dump({"looked": looked, "found": found}, sys.stdout)


if __name__ == "__main__":
    main()
