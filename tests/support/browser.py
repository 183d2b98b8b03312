"""Opens a page in a headless Chromium: its elements, its picture, its console and its requests."""

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
class RenderedPage:
    """A rendered page: its elements, the lines of its console, the URLs that it requested, and its picture."""

    dom: str
    console: list[str]
    requests: list[str]
    picture: Path


def browser() -> str:
    """The browser's program; without one, the test is skipped."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"There is no headless browser ({', '.join(NAMES)}): only a parser has checked the report.")
    return found


def render(page: Path, folder: Path) -> RenderedPage:
    """Open a file twice, for its elements and for a picture, each time with a new profile."""
    dom, errors = _run(page, folder, "dom", "--dump-dom")
    picture = folder / "page.png"
    _run(page, folder, "picture", f"--screenshot={picture}", "--window-size=1200,3000")
    return RenderedPage(dom, re.findall(r"CONSOLE[^\n]*", errors), _requests(folder / "dom.json"), picture)


def _run(page: Path, folder: Path, name: str, *options: str) -> tuple[str, str]:
    own = (f"--user-data-dir={folder / name}", f"--log-net-log={folder / name}.json", "--enable-logging=stderr")
    done = subprocess.run(
        [browser(), *OPTIONS, *own, *options, page.as_uri()], capture_output=True, text=True, timeout=LIMIT, check=True
    )
    return done.stdout, done.stderr


def _requests(log: Path) -> list[str]:
    """The URLs that the page requested, from the network log; the browser's own requests have no origin."""
    events = (event.get("params", {}) for event in json.loads(log.read_text())["events"])
    pages = (one for one in events if one.get("initiator", "not an origin") != "not an origin")
    return [one["url"] for one in pages if not one["url"].startswith(("file:", "data:"))]
