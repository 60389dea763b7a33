"""Files to configuration."""

from pathlib import Path

from penstock_cli.secret_sources import taken_for_granted
from penstock_cli.workspace import Workspace, compile_files
from penstock_operator.compile.snapshot import RedisSettings
from tests.cli.resources import POLICY, write


def _compiled(folder: Path) -> Workspace:
    return compile_files((str(folder),), taken_for_granted)


def test_the_files_become_a_configuration_and_credentials(tmp_path: Path) -> None:
    found = _compiled(write(tmp_path))
    assert found.findings == ()
    assert found.ruled_namespaces == ("shop",)
    assert [p.id for p in found.compiled.configs["shop"].policies] == ["shop/front"]
    assert found.objects == 4


def test_providers_may_live_on_this_machine(tmp_path: Path) -> None:
    found = _compiled(write(tmp_path, url="http://127.0.0.1:11434/v1"))
    assert found.errors == ()


def test_a_problem_says_where_it_is_written(tmp_path: Path) -> None:
    policy = POLICY.replace("tier: {name: fast}", "tier: {name: gone}", 1)
    found = _compiled(write(tmp_path, policy=policy))
    places = {str(f.place) for f in found.errors if f.path.startswith("spec.rules[0].tier")}
    assert places == {f"{tmp_path}/policy.yaml:10"}


def test_a_spec_that_does_not_parse_says_where_too(tmp_path: Path) -> None:
    policy = POLICY.replace("per: User", "per: Nobody")
    found = _compiled(write(tmp_path, policy=policy))
    (finding,) = found.errors
    assert (finding.subject, str(finding.place)) == (
        "RoutePolicy shop/front",
        f"{tmp_path}/policy.yaml:13",
    )


def test_a_duplicate_is_reported_and_the_last_one_counts(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "z.yaml").write_text(POLICY.replace("requestsPerMinute: 5", "requestsPerMinute: 9"))
    found = _compiled(tmp_path)
    (limit,) = found.compiled.configs["shop"].policies[0].limits
    assert limit.limits.requests_per_minute == 9
    assert any("twice" in finding.message for finding in found.findings)


def test_an_unknown_kind_of_our_group_is_reported(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "z.yaml").write_text(
        "apiVersion: penstock.dev/v1alpha1\nkind: RoutPolicy\nmetadata: {name: a}\n"
    )
    assert [f.subject for f in _compiled(tmp_path).errors] == ["RoutPolicy default/a"]


def test_kinds_of_others_are_ignored(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "z.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata: {name: a}\n")
    assert _compiled(tmp_path).findings == ()


def test_who_shares_a_redis_shares_the_scope_key(tmp_path: Path) -> None:
    path = (str(write(tmp_path)),)
    keys = {
        compile_files(path, taken_for_granted, RedisSettings(url, password=password))
        .compiled.credentials["shop"]
        .scope_key.get_secret_value()
        for url, password in [("redis://a", "x"), ("redis://a", "x"), ("redis://a", "y")]
    }
    assert len(keys) == 2
