"""Lets MkDocs build documents that are written for GitHub.

GitHub and Python-Markdown differ in three things: links to files of the repository
that are no documents, the indentation of what belongs to an item of a list, and the
names of headings in links.
"""

import re
from pathlib import Path

from mkdocs.exceptions import PluginError

FENCE = re.compile(r"^(\s*)(```+)")
ITEM = re.compile(r"^([-*]|\d+\.) +")
CODE_OR_LINK = re.compile(r"`[^`]*`|\]\(([^)\s]+)\)")


def slug(title, separator):
    """Name a heading as GitHub does."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def on_config(config):
    """Put the pages of each folder that the navigation names in its place, by name."""
    docs = Path(config.docs_dir)

    def pages(entry):
        if isinstance(entry, dict):
            return {title: pages(value) for title, value in entry.items()}
        if isinstance(entry, list):
            return [pages(e) for e in entry]
        if entry.endswith("/"):
            return [str(p.relative_to(docs)) for p in sorted(docs.glob(entry + "*.md"), key=index_first)]
        return entry

    config.nav = pages(config.nav)


def index_first(path):
    return (path.name != "README.md", path.name)


# Pages whose first table is to be seen whole: it gets the whole width, and small print.
WIDE = {"connectors.md", "leavers.md"}


def on_page_context(context, page, config, nav):
    context["wide"] = page.file.src_uri in WIDE
    return context


def on_page_markdown(markdown, page, config, files):
    docs = Path(config.docs_dir)
    root = docs.parent
    here = docs / Path(page.file.src_uri).parent

    def link(match):
        target = match.group(1)
        if target is None or "://" in target or target.startswith(("#", "mailto:")):
            return match.group(0)
        name, _, anchor = target.partition("#")
        path = (here / name).resolve()
        if not path.exists():
            raise PluginError(f"{page.file.src_uri}: {target} leads nowhere")
        if path.is_relative_to(docs):
            return f"]({name.rstrip('/')}/README.md)" if path.is_dir() else match.group(0)
        kind = "tree" if path.is_dir() else "blob"
        return f"]({config.repo_url}/{kind}/main/{path.relative_to(root)}{'#' + anchor if anchor else ''})"

    lines, fence, widen = [], "", 0
    for line in markdown.split("\n"):
        item = ITEM.match(line) if not fence else None
        if item:
            widen = 4 - len(item.group(0))
        elif line and not line.startswith("  ") and not fence:
            widen = 0
        elif widen > 0 and line.startswith("  "):
            line = " " * widen + line
        mark = FENCE.match(line)
        if mark and not fence:
            fence = mark.group(2)
        elif mark and line.strip() == fence:
            fence = ""
        elif not fence:
            line = CODE_OR_LINK.sub(link, line)
        lines.append(line)
    return "\n".join(lines)
