"""Markdown as a page shows it: no HTML, no images, no links but to the web."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup


class _Renderer(RendererHTML):
    """A wide table scrolls in a frame of its own, which the keyboard reaches."""

    def table_open(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:  # noqa: ARG002
        return '<div class="scroll" role="group" tabindex="0" aria-label="Table"><table>\n'

    def table_close(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:  # noqa: ARG002
        return "</table></div>\n"


# Raw HTML stays text; `javascript:` and `data:` links are refused by the library; an image would be a
# request to another host.
_markdown = MarkdownIt("js-default", {"html": False, "linkify": False}, renderer_cls=_Renderer).disable(
    "image"
)


def markdown_html(text: str) -> Markup:
    """HTML of a Markdown text, safe to put into a page whoever wrote the text."""
    return Markup(_markdown.render(text))  # noqa: S704 - the library escapes everything it does not make itself
