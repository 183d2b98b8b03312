# ruff: noqa: INP001  # a script beside the pages that it checks, no package
"""Checks the built site: every link, image and anchor of a page leads somewhere inside it.

    python docs/.site/check_links.py build/site

The strict build checks the links between Markdown files; this checks what it does not: images, the navigation, and
links that the theme, the Korean pages and the Python API's docstrings bring along.
"""

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

__all__ = ["broken_links"]

_LINKS = {"a": "href", "img": "src", "link": "href", "script": "src"}


class _Page(HTMLParser):
    """What one page refers to, and what can be referred to in it."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element's link and its id."""
        given = dict(attrs)
        self.anchors |= {value for value in (given.get("id"), given.get("name")) if value}
        link = given.get(_LINKS.get(tag, ""))
        if link:
            self.links.append(link)


def broken_links(site: Path) -> Iterator[str]:
    """What leads nowhere, one sentence each; other hosts are not asked.

    Args:
        site: the folder of the built site.
    """
    root = site.resolve()
    pages = {file: _Page(file) for file in sorted(root.rglob("*.html")) if file.name != "404.html"}
    for file, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                yield f"{file.relative_to(root)} links to {link}, which is not in the site."
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                yield f"{file.relative_to(root)} links to {link}, but the page has no such anchor."


if __name__ == "__main__":
    found = list(broken_links(Path(sys.argv[1])))
    sys.exit("\n".join(found) if found else 0)
