"""What the operator is set up with reaches the workloads."""

from penstock_operator.ollama.workload.installation import Images, Installation, installation_of
from penstock_operator.settings import Settings


def test_every_setting_reaches_the_workloads() -> None:
    settings = Settings.from_environment(
        {
            "PENSTOCK_NAMESPACE": "llm",
            "PENSTOCK_LOG_LEVEL": "debug",
            "PENSTOCK_OLLAMA_IMAGE": "ollama:1",
            "PENSTOCK_OLLAMA_PULL_POLICY": "Always",
            "PENSTOCK_OLLAMA_PULL_SECRETS": "one,two",
            "PENSTOCK_OLLAMA_ENVIRONMENT": '{"HTTPS_PROXY": "http://proxy:3128"}',
            "PENSTOCK_OLLAMA_RUNTIME_CLASS": "nvidia",
            "PENSTOCK_OLLAMA_NETWORK_POLICIES": "false",
            "PENSTOCK_LOADER_IMAGE": "operator:2",
            "PENSTOCK_LOADER_PULL_POLICY": "Never",
        }
    )
    found = installation_of(settings, "1.0.0", old_budgets=True, probes_have_grace=False)
    assert found == Installation(
        Images("ollama:1", "operator:2", "Always", "Never", ("one", "two")),
        namespace="llm",
        environment={"HTTPS_PROXY": "http://proxy:3128"},
        runtime_class="nvidia",
        network_policies=False,
        old_budgets=True,
        probes_have_grace=False,
        log_level="debug",
    )


def test_the_loader_is_of_the_operator_s_release_unless_it_is_said() -> None:
    found = installation_of(Settings(), "1.2.3")
    assert found.images.loader == "penstock-operator:1.2.3"
    assert not found.images.ollama.endswith(":latest")
