# ruff: noqa: INP001  # a script in a ConfigMap's place, not a package
"""What `helm test` runs inside of the cluster: whether the release does its work.

Needs Python's standard library alone. Everything is asked of the API server as a dry run.
"""

import base64
import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

ACCOUNT = Path(os.environ.get("ACCOUNT", "/var/run/secrets/kubernetes.io/serviceaccount"))
SERVER = os.environ.get("SERVER", "https://kubernetes.default.svc")
NAMESPACE, RELEASE = os.environ["NAMESPACE"], os.environ["RELEASE"]
INJECTOR = os.environ.get("INJECTOR", f"https://{RELEASE}-injector.{NAMESPACE}.svc")
PATIENCE_SECONDS = float(os.environ.get("PATIENCE_SECONDS", "60"))
CALL_SECONDS = 10
WEBHOOK = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/penstock-operator"
BUDGETS = f"/apis/penstock.dev/v1alpha1/namespaces/{NAMESPACE}/budgets?dryRun=All"
NOBODYS_ZONE = {
    "apiVersion": "penstock.dev/v1alpha1",
    "kind": "Budget",
    "metadata": {"name": "penstock-test"},
    "spec": {"limits": {"daily": "1"}, "timeZone": "Nowhere/Land"},
}
"""What only the injector refuses: the schema takes it."""
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"generateName": "penstock-test-", "labels": {"penstock.dev/inject": "true"}},
    "spec": {"containers": [{"name": "app", "image": "app"}]},
}


def call(url: str, tls: ssl.SSLContext, body: object = None, token: str = "") -> Any:
    """The parsed answer, a refusal's too."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers)  # noqa: S310  # https alone
    try:
        with urllib.request.urlopen(request, timeout=CALL_SECONDS, context=tls) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        return json.load(refusal)


def api(path: str, body: object = None) -> Any:
    tls = ssl.create_default_context(cafile=ACCOUNT / "ca.crt")
    tls.verify_flags &= ~ssl.VERIFY_X509_STRICT  # old clusters' CAs lack an extension
    return call(f"{SERVER}{path}", tls, body, (ACCOUNT / "token").read_text().strip())


def an_operator_leads() -> str:
    """A Lease that is renewed. Clocks of machines are never compared."""
    before = api(LEASE).get("spec", {})
    time.sleep(3)
    after = api(LEASE).get("spec", {})
    if not after.get("holderIdentity"):
        return "no replica of the operator holds the Lease"
    return "" if before.get("renewTime") != after.get("renewTime") else "the Lease is not renewed"


def wrong_resources_are_refused() -> str:
    """The API server reaches the injector, and trusts its certificate."""
    message = api(BUDGETS, NOBODYS_ZONE).get("message", "it was accepted")
    fine = "admission webhook" in message and "timeZone" in message
    return "" if fine else f"a Budget with a time zone that nobody has: {message}"


def pods_get_a_sidecar() -> str:
    """The injector answers whoever has the CA that the API server has been given."""
    found = api(f"{WEBHOOK}/{RELEASE}").get("webhooks") or [{}]
    bundle = found[0].get("clientConfig", {}).get("caBundle")
    if not bundle:
        return "the webhook configuration has no CA yet"
    tls = ssl.create_default_context(cadata=base64.b64decode(bundle).decode())
    kind = {"group": "", "version": "v1", "kind": "Pod"}
    asked = {"uid": "1", "operation": "CREATE", "kind": kind, "namespace": "default", "object": POD}
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}
    answer = call(f"{INJECTOR}/mutate", tls, {**review, "request": {**asked, "dryRun": True}})
    patch = base64.b64decode(answer.get("response", {}).get("patch", ""))
    return "" if b"penstock" in patch else f"a pod got no sidecar: {answer}"


def told(check: Callable[[], str]) -> str:
    try:
        return check()
    except (OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"


def main() -> int:
    checks = [an_operator_leads]
    if os.environ.get("INJECTS") == "true":
        checks += [wrong_resources_are_refused, pods_get_a_sidecar]
    failed, deadline = 0, time.monotonic() + PATIENCE_SECONDS
    for check in checks:
        while (fault := told(check)) and time.monotonic() < deadline:
            time.sleep(1)
        failed += bool(fault)
        name = check.__name__.replace("_", " ")
        print(f"FAILED  {name}: {fault}" if fault else f"ok      {name}", flush=True)  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
