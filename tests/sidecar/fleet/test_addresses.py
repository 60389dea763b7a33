"""What is written of replicas sends no request where none of them can be."""

import pytest

from penstock_sidecar.fleet.addresses import usable

SERVICE = "http://ollama.team.svc:11434"


@pytest.mark.parametrize("address", ["http://10.0.0.7:11434", "http://[fd00::7]:11434"])
def test_a_pods_address_is_believed(address: str) -> None:
    assert usable(address, SERVICE)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:11434",
        "http://[::1]:11434",
        "http://169.254.169.254:80",
        "http://[fe80::1]:11434",
        "http://0.0.0.0:11434",
        "http://224.0.0.1:11434",
        "http://evil.example:11434",
        "http://user:word@10.0.0.7:11434",
        "http://10.0.0.7:11434/steal",
        "http://10.0.0.7:11434?q=1",
        "http://10.0.0.7",
        "https://10.0.0.7:11434",
        "file:///etc/passwd",
        "10.0.0.7:11434",
        "http://10.0.0.7:99999",
        "",
    ],
)
def test_anything_else_is_not(address: str) -> None:
    assert not usable(address, SERVICE)


@pytest.mark.parametrize("service", ["http://localhost:11434", "http://127.0.0.1:11434"])
def test_on_a_laptop_replicas_may_be_there_too(service: str) -> None:
    assert usable("http://127.0.0.1:11500", service)
    assert not usable("http://169.254.169.254:80", service)
