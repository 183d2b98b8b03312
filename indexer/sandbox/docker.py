"""Servers in Docker, through testcontainers; used only if a Docker engine answers."""

import gc
import warnings
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from importlib.util import find_spec

__all__ = ["Image", "docker_answers", "remove_container"]


@dataclass(frozen=True, slots=True)
class Image:
    """A server's image, and how to run it.

    Attributes:
        name: the image and its tag.
        port: the port that the server listens on inside the container.
        environment: environment variables of the server.
        command: arguments of the server.
    """

    name: str
    port: int
    environment: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()

    def run(self, *, keep: bool) -> tuple[str, str]:
        """Start a container.

        Args:
            keep: whether it must outlive this program; otherwise testcontainers' reaper removes it.

        Returns:
            the container's id, and the `host:port` that its port is published at.
        """
        from testcontainers.core.config import testcontainers_config  # noqa: PLC0415 - an optional dependency
        from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - as above

        testcontainers_config.ryuk_disabled = testcontainers_config.ryuk_disabled or keep
        container = DockerContainer(self.name).with_exposed_ports(self.port).with_envs(**self.environment)
        if self.command:
            container.with_command(list(self.command))
        container.start()
        address = f"{container.get_container_host_ip()}:{container.get_exposed_port(self.port)}"
        return container.get_container_id(), address


def docker_answers() -> bool:
    """Whether testcontainers is installed and a Docker engine answers."""
    if find_spec("testcontainers") is None:
        return False
    from docker.errors import DockerException  # noqa: PLC0415 - an optional dependency
    from testcontainers.core.docker_client import DockerClient  # noqa: PLC0415 - as above

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            with closing(DockerClient(timeout=5).client) as engine:
                answers = bool(engine.ping())
        except DockerException:
            answers = False
        gc.collect()  # if no engine answers, docker-py leaves its socket to the garbage collector
    return answers


def remove_container(container: str) -> None:
    """Stop a container and remove it with its volumes, unless it is already gone."""
    from docker.errors import NotFound  # noqa: PLC0415 - an optional dependency
    from testcontainers.core.docker_client import DockerClient  # noqa: PLC0415 - as above

    with closing(DockerClient().client) as engine:
        try:
            engine.containers.get(container).remove(force=True, v=True)
        except NotFound:
            return
