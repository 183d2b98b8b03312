"""The check for a Docker engine leaves nothing behind, whether one answers or not."""

import subprocess
import sys

CHECK = "from indexer.sandbox.docker import docker_answers; print(docker_answers())"


def test_the_check_for_docker_leaves_no_socket_open() -> None:
    done = subprocess.run([sys.executable, "-X", "dev", "-c", CHECK], check=True, capture_output=True, text=True)
    assert done.stdout in {"True\n", "False\n"}
    assert "unclosed" not in done.stderr
