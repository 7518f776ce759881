"""The Pod Security Standard `restricted`, which every pod of an app has to meet, whether a cluster enforces it or not.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
"""

from collections.abc import Iterator
from typing import Any

_VOLUMES = ("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret")
_SELINUX_TYPES = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
_SYSCTLS = (
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
)
_PROFILES = ("RuntimeDefault", "Localhost")
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


def security_faults(template: dict[str, Any]) -> list[str]:
    """Every breach by a pod template, with the path of the field in its `spec` and the rule."""
    spec = template.get("spec") or {}
    pod = spec.get("securityContext") or {}
    faults = [*_pod_faults(spec, pod)]
    for group in _CONTAINERS:
        for number, container in enumerate(spec.get(group) or []):
            faults += [f"{group}[{number}].{fault}" for fault in _container_faults(container, pod)]
    return [f"Pod Security (restricted): {fault}" for fault in faults]


def _pod_faults(spec: dict[str, Any], pod: dict[str, Any]) -> Iterator[str]:
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(key):
            yield f"{key}: found true, expected false"
    for number, volume in enumerate(spec.get("volumes") or []):
        for kind in sorted(set(volume) - {"name"} - set(_VOLUMES)):
            yield f"volumes[{number}]: found {kind}, expected one of {', '.join(_VOLUMES)}"
    for sysctl in pod.get("sysctls") or []:
        if sysctl.get("name") not in _SYSCTLS:
            yield f"securityContext.sysctls: found {sysctl.get('name')}, expected only safe ones"
    yield from _context_faults(pod)


def _container_faults(container: dict[str, Any], pod: dict[str, Any]) -> Iterator[str]:
    context = container.get("securityContext") or {}
    if context.get("privileged"):
        yield "securityContext.privileged: found true, expected false"
    if context.get("allowPrivilegeEscalation") is not False:
        yield f"securityContext.allowPrivilegeEscalation: found {_shown(context, 'allowPrivilegeEscalation')}, expected false"
    if context.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
        yield "securityContext.runAsNonRoot: not true here or for the pod, expected true"
    profile = (context.get("seccompProfile") or pod.get("seccompProfile") or {}).get("type")
    if profile not in _PROFILES:
        found = f"found {profile or 'none'} here or for the pod"
        yield f"securityContext.seccompProfile.type: {found}, expected {' or '.join(_PROFILES)}"
    if context.get("procMount", "Default") != "Default":
        yield f"securityContext.procMount: found {context['procMount']}, expected Default"
    yield from _capability_faults(context.get("capabilities") or {})
    yield from _context_faults(context)
    for port in container.get("ports") or []:
        if port.get("hostPort"):
            yield f"ports: found hostPort {port['hostPort']}, expected none"


def _capability_faults(capabilities: dict[str, Any]) -> Iterator[str]:
    if "ALL" not in (capabilities.get("drop") or []):
        yield f"securityContext.capabilities.drop: found {capabilities.get('drop') or 'none'}, expected [ALL]"
    added = sorted(set(capabilities.get("add") or []) - {"NET_BIND_SERVICE"})
    if added:
        yield f"securityContext.capabilities.add: found {', '.join(added)}, expected at most NET_BIND_SERVICE"


def _context_faults(context: dict[str, Any]) -> Iterator[str]:
    """What a pod and a container can both get wrong."""
    if context.get("runAsUser") == 0:
        yield "securityContext.runAsUser: found 0, expected another user than root"
    if (context.get("windowsOptions") or {}).get("hostProcess"):
        yield "securityContext.windowsOptions.hostProcess: found true, expected false"
    if (context.get("appArmorProfile") or {}).get("type") == "Unconfined":
        yield "securityContext.appArmorProfile.type: found Unconfined, expected RuntimeDefault or Localhost"
    selinux = context.get("seLinuxOptions") or {}
    if selinux.get("user") or selinux.get("role") or selinux.get("type", "") not in _SELINUX_TYPES:
        yield "securityContext.seLinuxOptions: found a user, role or type of its own, expected a container's"


def _shown(context: dict[str, Any], key: str) -> str:
    return str(context.get(key, "none")).lower()
