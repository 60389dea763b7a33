"""`penstock validate`."""

from pathlib import Path

from tests.cli.conftest import Penstock
from tests.cli.resources import POLICY, SECRET, write


def test_what_is_right_ends_with_0(penstock: Penstock, tmp_path: Path) -> None:
    ended = penstock("validate", "-f", write(tmp_path))
    assert (ended.code, ended.out) == (0, "4 objects: 0 errors, 0 warnings\n")


def test_an_error_ends_with_1_and_says_all_about_itself(penstock: Penstock, tmp_path: Path) -> None:
    write(tmp_path, policy=POLICY.replace("name: fast", "name: gone"))
    ended = penstock("validate", "-f", tmp_path, "--json")
    assert ended.code == 1
    assert ended.document["valid"] is False
    found = ended.document["problems"][0]
    assert found.keys() == {
        *("severity", "reason", "message", "object", "path"),
        *("file", "line", "column"),
    }
    assert (found["object"], found["reason"]) == ("RoutePolicy shop/front", "RefNotFound")
    shown = penstock("validate", "-f", tmp_path)
    assert shown.code == 1
    for text in (found["object"], found["path"], found["message"], f"policy.yaml:{found['line']}"):
        assert text in shown.out


def test_warnings_end_with_0_unless_strict(penstock: Penstock, tmp_path: Path) -> None:
    write(
        tmp_path,
        policy=POLICY
        + "  attribution: {tagsFrom: [{name: a, type: Header, header: {name: x-a}}]}\n",
    )
    assert penstock("validate", "-f", tmp_path).code == 0
    ended = penstock("validate", "-f", tmp_path, "--strict")
    assert ended.code == 1
    assert "NotYetEnforced" in ended.out


def test_a_boost_that_is_over_is_a_warning(penstock: Penstock, tmp_path: Path) -> None:
    write(tmp_path)
    with (tmp_path / "budget.yaml").open("a") as file:
        file.write('  boost: {amountUSD: "5", until: "2020-01-01T00:00:00Z", reason: launch}\n')
    ended = penstock("validate", "-f", tmp_path, "--json")
    assert "BoostEnded" in {found["reason"] for found in ended.document["problems"]}


def test_a_secret_that_is_not_among_the_files_is_a_warning(
    penstock: Penstock, tmp_path: Path
) -> None:
    ended = penstock("validate", "-f", write(tmp_path, secret=""), "--json")
    (found,) = ended.document["problems"]
    assert ended.code == 0
    assert (found["severity"], found["reason"]) == ("warning", "SecretNotSeen")
    assert (Path(found["file"]).name, found["line"]) == ("provider.yaml", 7)


def test_of_two_policies_for_the_same_pods_one_is_said_to_rule_none(
    penstock: Penstock, tmp_path: Path
) -> None:
    (tmp_path / "second.yaml").write_text(POLICY.replace("name: front", "name: rear", 1))
    ended = penstock("validate", "-f", write(tmp_path), "--json")
    (found,) = ended.document["problems"]
    assert (found["reason"], found["object"]) == ("Outranked", "RoutePolicy shop/rear")
    assert Path(found["file"]).name == "second.yaml"


def test_a_refused_object_counts_once(penstock: Penstock, tmp_path: Path) -> None:
    write(tmp_path, policy=POLICY.replace("requestsPerMinute: 5", 'requestsPerMinute: "5"'))
    assert "4 objects: 1 error," in penstock("validate", "-f", tmp_path).out


def test_a_syntax_error_names_file_line_and_column(penstock: Penstock, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("spec: {name: [}\n")
    ended = penstock("validate", "-f", file)
    assert ended.code == 1
    assert f"{file}:1:15" in ended.out


def test_a_message_with_brackets_is_printed_as_it_is(penstock: Penstock, tmp_path: Path) -> None:
    write(tmp_path, policy=POLICY.replace("tier: {name: fast}", "tier: {name: gone}", 1))
    assert "spec.rules[0].tier" in penstock("validate", "-f", tmp_path).out


def test_a_path_that_leads_nowhere_ends_with_2(penstock: Penstock, tmp_path: Path) -> None:
    ended = penstock("validate", "-f", tmp_path / "absent")
    assert ended.code == 2
    assert ended.err.startswith("penstock: ")
    assert "no such file" in ended.err


def test_no_value_of_a_secret_is_printed(penstock: Penstock, tmp_path: Path) -> None:
    secret = SECRET.replace("api-key: sesame", "other: sesame")
    ended = penstock("validate", "-f", write(tmp_path, secret=secret))
    assert ended.code == 1
    assert "sesame" not in ended.out + ended.err


def test_the_configuration_is_printed_without_a_secret(penstock: Penstock, tmp_path: Path) -> None:
    ended = penstock("config", "-f", write(tmp_path))
    assert ended.code == 0
    assert ended.document["namespace"] == "shop"
    assert "sesame" not in ended.out


def test_whether_an_embedder_runs_is_not_the_files_business(
    penstock: Penstock, tmp_path: Path
) -> None:
    write(tmp_path, policy=POLICY + "  cache: {semantic: {}}\n")
    assert penstock("validate", "-f", tmp_path, "--strict").code == 0
