"""A headless Chromium that opens one page: what it drew, what it said, what it asked for."""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--virtual-time-budget=3000", "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip
LIMIT = 120


@dataclass(frozen=True)
class Shown:
    """A page as the browser left it: its elements, lines of its console, what it asked hosts for, and its picture."""

    dom: str
    console: list[str]
    asked: list[str]
    picture: Path


def browser() -> str:
    """The program; a test without one is skipped by name."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"There is no headless browser ({', '.join(NAMES)}): only a parser has read the report.")
    return found


def show(page: Path, folder: Path) -> Shown:
    """Open a file, once for its elements and once for a picture, each with a fresh profile."""
    dom, errors = _run(page, folder, "dom", "--dump-dom")
    picture = folder / "page.png"
    _run(page, folder, "picture", f"--screenshot={picture}", "--window-size=1200,3000")
    return Shown(dom, re.findall(r"CONSOLE[^\n]*", errors), _asked(folder / "dom.json"), picture)


def _run(page: Path, folder: Path, name: str, *options: str) -> tuple[str, str]:
    own = (f"--user-data-dir={folder / name}", f"--log-net-log={folder / name}.json", "--enable-logging=stderr")
    done = subprocess.run(
        [browser(), *OPTIONS, *own, *options, page.as_uri()], capture_output=True, text=True, timeout=LIMIT, check=True
    )
    return done.stdout, done.stderr


def _asked(log: Path) -> list[str]:
    """What the page asked for, by the browser's own log of its network; what the browser asks for has no origin."""
    events = (event.get("params", {}) for event in json.loads(log.read_text())["events"])
    pages = (one for one in events if one.get("initiator", "not an origin") != "not an origin")
    return [one["url"] for one in pages if not one["url"].startswith(("file:", "data:"))]
