"""Secrets that the files lack."""

from pathlib import Path

import pytest

from penstock_cli.secret_sources import SecretKey, from_environment, taken_for_granted
from penstock_cli.workspace import Workspace, compile_files
from tests.cli.resources import SECRET, write


def _compiled(folder: Path, environment: dict[str, str], secret: str = "") -> Workspace:
    return compile_files((str(write(folder, secret=secret)),), from_environment(environment))


def _keys(workspace: Workspace) -> list[str]:
    keys = workspace.compiled.credentials["shop"].provider_keys
    return [key.get_secret_value() for several in keys.values() for key in several]


@pytest.mark.parametrize(
    ("name", "key", "variable"),
    [
        ("mill-key", "api-key", "PENSTOCK_SECRET_MILL_KEY_API_KEY"),
        ("a.b", "x_Y", "PENSTOCK_SECRET_A_B_X_Y"),
    ],
)
def test_a_variable_is_named_after_secret_and_key(name: str, key: str, variable: str) -> None:
    assert SecretKey("mill", "shop", name, key).variable == variable


def test_the_environment_gives_what_the_files_lack(tmp_path: Path) -> None:
    found = _compiled(tmp_path, {"PENSTOCK_SECRET_MILL_KEY_API_KEY": "from outside"})
    assert _keys(found) == ["from outside"]
    assert found.errors == ()


def test_a_secret_of_the_files_goes_before_the_environment(tmp_path: Path) -> None:
    found = _compiled(tmp_path, {"PENSTOCK_SECRET_MILL_KEY_API_KEY": "from outside"}, SECRET)
    assert _keys(found) == ["sesame"]


@pytest.mark.parametrize("environment", [{}, {"PENSTOCK_SECRET_MILL_KEY_API_KEY": ""}])
def test_a_secret_that_nobody_has_is_a_problem(tmp_path: Path, environment: dict[str, str]) -> None:
    found = _compiled(tmp_path, environment)
    assert "SecretNotFound" in {finding.reason for finding in found.errors}


def test_a_secret_without_the_key_is_judged_as_it_is(tmp_path: Path) -> None:
    secret = SECRET.replace("api-key: sesame", "other: sesame")
    found = compile_files((str(write(tmp_path, secret=secret)),), taken_for_granted)
    assert "SecretKeyMissing" in {finding.reason for finding in found.errors}


ALL_KINDS = """\
apiVersion: penstock.dev/v1alpha1
kind: LLMProvider
metadata: {name: azure, namespace: shop}
spec:
  type: azure-openai
  baseURL: https://x.openai.azure.com
  credentials: {entra: {tenantID: t, clientID: c, clientSecretRef: {name: entra, key: secret}}}
  tls: {caSecretRef: {name: ca, key: pem}}
  proxyURL: http://proxy.example.com:3128
  proxySecretRef: {name: proxy, key: login}
  models: [{name: m, price: {inputPerMillion: "1", outputPerMillion: "1"}}]
"""


def test_every_kind_of_secret_is_taken_for_granted_as_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "azure.yaml"
    path.write_text(ALL_KINDS)
    found = compile_files((str(path),), taken_for_granted)
    assert found.errors == ()
    lacking = compile_files((str(path),), from_environment({}))
    assert [finding.reason for finding in lacking.errors] == ["SecretNotFound"] * 3
