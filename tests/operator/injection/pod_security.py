"""The PodSecurity level `restricted` (Kubernetes 1.29), its checks one by one.

https://kubernetes.io/docs/concepts/security/pod-security-standards/ with the baseline's included.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

Pod = dict[str, Any]
Fault = Iterator[str]
VOLUMES: Final = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
SYSCTLS: Final = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
}
SELINUX_TYPES: Final = {"", "container_t", "container_init_t", "container_kvm_t"}
SECCOMP: Final = {"RuntimeDefault", "Localhost"}


def violations(pod: Pod) -> list[str]:
    """Every check that the pod fails, with the container that fails it."""
    return [f"{check.__name__}: {fault}" for check in CHECKS for fault in check(pod)]


def host_namespaces(pod: Pod) -> Fault:
    yield from (name for name in ("hostNetwork", "hostPID", "hostIPC") if pod["spec"].get(name))


def privileged(pod: Pod) -> Fault:
    yield from _where(pod, lambda context: context.get("privileged"))


def privilege_escalation(pod: Pod) -> Fault:
    yield from _where(pod, lambda context: context.get("allowPrivilegeEscalation") is not False)


def capabilities(pod: Pod) -> Fault:
    def wrong(context: dict[str, Any]) -> bool:
        found = context.get("capabilities") or {}
        added = set(found.get("add") or ()) - {"NET_BIND_SERVICE"}
        return "ALL" not in (found.get("drop") or ()) or bool(added)

    yield from _where(pod, wrong)


def running_as_non_root(pod: Pod) -> Fault:
    default = _context(pod["spec"]).get("runAsNonRoot")
    yield from _where(pod, lambda context: context.get("runAsNonRoot", default) is not True)


def running_as_root_user(pod: Pod) -> Fault:
    yield from ["pod"] if _context(pod["spec"]).get("runAsUser") == 0 else []
    yield from _where(pod, lambda context: context.get("runAsUser") == 0)


def seccomp(pod: Pod) -> Fault:
    default = _context(pod["spec"]).get("seccompProfile")
    yield from _where(
        pod,
        lambda context: (context.get("seccompProfile") or default or {}).get("type") not in SECCOMP,
    )


def volume_types(pod: Pod) -> Fault:
    for volume in pod["spec"].get("volumes") or ():
        if not set(volume) - {"name"} <= VOLUMES:
            yield str(volume["name"])


def host_ports(pod: Pod) -> Fault:
    for each in _containers(pod):
        if any(port.get("hostPort") for port in each.get("ports") or ()):
            yield str(each["name"])


def proc_mount(pod: Pod) -> Fault:
    yield from _where(pod, lambda context: context.get("procMount", "Default") != "Default")


def selinux(pod: Pod) -> Fault:
    def wrong(context: dict[str, Any]) -> bool:
        found = context.get("seLinuxOptions") or {}
        return found.get("type", "") not in SELINUX_TYPES or bool({"user", "role"} & set(found))

    yield from _where(pod, wrong)
    yield from ["pod"] if wrong(_context(pod["spec"])) else []


def windows_host_process(pod: Pod) -> Fault:
    yield from _where(pod, lambda context: (context.get("windowsOptions") or {}).get("hostProcess"))


def sysctls(pod: Pod) -> Fault:
    for each in _context(pod["spec"]).get("sysctls") or ():
        if each["name"] not in SYSCTLS:
            yield str(each["name"])


CHECKS: Final[tuple[Callable[[Pod], Fault], ...]] = (
    host_namespaces,
    privileged,
    privilege_escalation,
    capabilities,
    running_as_non_root,
    running_as_root_user,
    seccomp,
    volume_types,
    host_ports,
    proc_mount,
    selinux,
    windows_host_process,
    sysctls,
)


def _where(pod: Pod, wrong: Callable[[dict[str, Any]], object]) -> Fault:
    yield from (str(each["name"]) for each in _containers(pod) if wrong(_context(each)))


def _containers(pod: Pod) -> list[dict[str, Any]]:
    spec = pod["spec"]
    return [*(spec.get("initContainers") or ()), *spec["containers"]]


def _context(document: dict[str, Any]) -> dict[str, Any]:
    return document.get("securityContext") or {}
