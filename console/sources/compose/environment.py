"""Which variables Compose gets to see, when it reads the file and when it acts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from console.model.source import SourceError
from console.sources.docker_engine.endpoint import Endpoint, find_endpoint

# Only what Compose needs to run. The caller's other variables would change what the file says, differently for everyone;
# those of the .env beside the file count, as Compose reads that one itself.
_KEPT = ("PATH", "HOME", "DOCKER_CONFIG", "TMPDIR", "XDG_CACHE_HOME")
_SET = {
    "LANG": "C.UTF-8",
    # A file must not make the console fetch other files from somewhere. A .env cannot set these back.
    "COMPOSE_EXPERIMENTAL_GIT_REMOTE": "false",
    "COMPOSE_EXPERIMENTAL_OCI_REMOTE": "false",
}
_SET_FOR_ACTS = {
    # With a .env that says otherwise `up` removes containers that nobody spoke of.
    "COMPOSE_REMOVE_ORPHANS": "false",
    "COMPOSE_ANSI": "never",
}
# ssh finds its keys by these.
_KEPT_FOR_SSH = ("SSH_AUTH_SOCK", "USER", "LOGNAME")


def for_reading(env: Mapping[str, str]) -> dict[str, str]:
    """No Engine is among them: the file says the same whichever runs it."""
    return {name: env[name] for name in _KEPT if name in env} | _SET


def for_acting(env: Mapping[str, str], endpoint: Endpoint) -> dict[str, str]:
    """The same, and the Engine. The file means what it meant when it was read."""
    kept = _KEPT_FOR_SSH if endpoint.kind == "ssh" else ()
    return for_reading(env) | _SET_FOR_ACTS | {name: env[name] for name in kept if name in env} | engine_variables(endpoint)


def engine_variables(endpoint: Endpoint) -> dict[str, str]:
    """What makes docker use this Engine and no other: a context that somebody changes meanwhile does not count."""
    if endpoint.kind == "unix":
        return {"DOCKER_HOST": f"unix://{endpoint.path}"}
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    address = f"{endpoint.user}@{host}" if endpoint.user else host
    told = {"DOCKER_HOST": f"{endpoint.kind}://{address}:{endpoint.port}" if endpoint.port else f"{endpoint.kind}://{address}"}
    if endpoint.tls is not None:
        told["DOCKER_CERT_PATH"] = str(endpoint.tls.folder)
        # Docker takes any value for yes, also 0.
        told["DOCKER_TLS_VERIFY" if endpoint.tls.verify else "DOCKER_TLS"] = "1"
    return told


def typed(env: Mapping[str, str], endpoint: Endpoint) -> dict[str, str]:
    """What a person with the variables `env` has to set to reach this Engine; nothing where docker chooses it by itself."""
    path = env.get("DOCKER_CERT_PATH")
    wanted = engine_variables(endpoint)
    try:
        theirs = find_endpoint(
            env.get("DOCKER_HOST", ""),
            env.get("DOCKER_CONTEXT", ""),
            # Docker itself does not look for a socket of the person's own.
            {name: value for name, value in env.items() if name != "XDG_RUNTIME_DIR"},
            tls_verify=bool(env.get("DOCKER_TLS_VERIFY")),
            cert_path=Path(path) if path else None,
        )
    except SourceError:
        return wanted
    return {} if engine_variables(theirs) == wanted else wanted
