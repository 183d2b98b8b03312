"""A server in Docker, through testcontainers, where a Docker engine answers."""

import gc
import warnings
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from importlib.util import find_spec

__all__ = ["Image", "docker_answers", "remove_container"]


@dataclass(frozen=True, slots=True)
class Image:
    """A server's image and how it is run.

    Attributes:
        name: the image with its tag.
        port: the port that the server listens on inside.
        environment: variables for the server.
        command: arguments for the server.
    """

    name: str
    port: int
    environment: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()

    def run(self, *, keep: bool) -> tuple[str, str]:
        """Start a container.

        Args:
            keep: whether it outlives this program; if not, testcontainers' reaper removes it in any case.

        Returns:
            the container's id, and the `host:port` at which its port answers.
        """
        from testcontainers.core.config import testcontainers_config  # noqa: PLC0415 - an extra brings it
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
    from docker.errors import DockerException  # noqa: PLC0415 - an extra brings it
    from testcontainers.core.docker_client import DockerClient  # noqa: PLC0415 - as above

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            with closing(DockerClient(timeout=5).client) as engine:
                answers = bool(engine.ping())
        except DockerException:
            answers = False
        gc.collect()  # where no engine answers, docker-py leaves its socket to the garbage collector
    return answers


def remove_container(container: str) -> None:
    """Stop a container and remove it with its volumes; one that is gone already is fine."""
    from docker.errors import NotFound  # noqa: PLC0415 - an extra brings it
    from testcontainers.core.docker_client import DockerClient  # noqa: PLC0415 - as above

    with closing(DockerClient().client) as engine:
        try:
            engine.containers.get(container).remove(force=True, v=True)
        except NotFound:
            return
