"""Asking for Docker leaves nothing behind, whether an engine answers or not."""

import subprocess
import sys

ASK = "from indexer.sandbox.docker import docker_answers; print(docker_answers())"


def test_asking_for_docker_leaves_no_socket_open() -> None:
    done = subprocess.run([sys.executable, "-X", "dev", "-c", ASK], check=True, capture_output=True, text=True)
    assert done.stdout in {"True\n", "False\n"}
    assert "unclosed" not in done.stderr
