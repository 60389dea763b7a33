"""Resources that tests write to files: one provider, one tier, one policy."""

from pathlib import Path

PROVIDER = """\
apiVersion: penstock.dev/v1alpha1
kind: LLMProvider
metadata: {name: mill, namespace: shop}
spec:
  type: openai
  baseURL: %s
  credentials:
    secretRefs: [{name: mill-key, key: api-key}]
  models:
    - name: grind
      price: {inputPerMillion: "1", outputPerMillion: "2"}
"""
SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: mill-key, namespace: shop}
stringData: {api-key: sesame}
"""
TIER = """\
apiVersion: penstock.dev/v1alpha1
kind: ModelTier
metadata: {name: fast, namespace: shop}
spec:
  models:
    - {provider: {name: mill}, model: grind}
"""
POLICY = """\
apiVersion: penstock.dev/v1alpha1
kind: RoutePolicy
metadata: {name: front, namespace: shop}
spec:
  selector:
    matchLabels: {app: web}
  rules:
    - name: essays
      match: {models: ["essay-*"]}
      tier: {name: fast}
  defaultTier: {name: fast}
  limits:
    - {name: fair, per: User, requestsPerMinute: 5}
"""
BUDGET = """\
apiVersion: penstock.dev/v1alpha1
kind: Budget
metadata: {name: money, namespace: shop}
spec:
  limits: {daily: "1.5"}
"""
HOST = "https://mill.example.com/v1"


def write(folder: Path, *, url: str = HOST, secret: str = SECRET, policy: str = POLICY) -> Path:
    """A folder with all of them, each in a file of its own."""
    texts = {"provider": PROVIDER % url, "secret": secret, "tier": TIER, "budget": BUDGET}
    for name, text in {**texts, "policy": policy}.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder
