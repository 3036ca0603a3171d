"""Charts as SVG inside a page: drawn by Vega-Lite in this process, one at a time, away from the event loop.

What the library emits is rebuilt from an allow-list of elements and attributes: under our policy an inline
`style` would be refused by the browser, and its many ARIA roles would be read out one by one.
"""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from markupsafe import Markup

T = TypeVar("T")
FONT = "system-ui, Liberation Sans, Arial, sans-serif"
_SVG = "http://www.w3.org/2000/svg"
_ELEMENTS = frozenset({"svg", "g", "path", "line", "rect", "text", "tspan"})
_ATTRIBUTES = frozenset(
    {
        *("viewBox", "transform", "d", "x", "y", "x1", "x2", "y1", "y2", "dx", "dy", "width", "height"),
        *("fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "opacity"),
        *("stroke-linecap", "stroke-linejoin", "stroke-miterlimit"),
        *("text-anchor", "font-family", "font-size", "font-weight", "font-style"),
    }
)
# One at a time: drawing is processor work, and a page of charts must not slow down the cards.
_drawing = ThreadPoolExecutor(1, thread_name_prefix="charts")


async def draw(work: Callable[[], T]) -> T:
    """Do drawing work on the one thread that is meant for it."""
    return await asyncio.get_running_loop().run_in_executor(_drawing, work)


def svg(spec: dict[str, Any], *, id: str, title: str, description: str = "") -> Markup:  # noqa: A002
    """A Vega-Lite chart as one `<svg role="img">` with title and description. Blocks: call it within `draw`.

    Args:
        spec: the chart, for example from `altair.Chart.to_dict`.
        id: unique on the page; the ids of title and description are made from it.
        title: accessible name.
        description: what a reader who cannot see the chart needs to know of it.
    """
    # Loaded on first use: it starts a JavaScript engine, which a process without pages never needs.
    import vl_convert  # noqa: PLC0415

    drawn = ET.fromstring(vl_convert.vegalite_to_svg(spec))  # noqa: S314 - reads only what our own library has just written
    root = _rebuilt(drawn)
    label = [f"{id}-title"]
    root.set("role", "img")
    heading = ET.Element("title", {"id": f"{id}-title"})
    heading.text = title
    root.insert(0, heading)
    if description:
        label.append(f"{id}-desc")
        told = ET.Element("desc", {"id": f"{id}-desc"})
        told.text = description
        root.insert(1, told)
    root.set("aria-labelledby", " ".join(label))
    root.set("class", "chart")
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - every text went through the serialiser


def _rebuilt(element: ET.Element) -> ET.Element:
    """The element and its descendants with allowed names only. HTML knows `svg` without a namespace."""
    kept = {name: value for name, value in element.attrib.items() if name in _ATTRIBUTES}
    copy = ET.Element(element.tag.removeprefix(f"{{{_SVG}}}"), kept)
    copy.text, copy.tail = element.text, element.tail
    for child in element:
        name = child.tag.removeprefix(f"{{{_SVG}}}") if isinstance(child.tag, str) else ""
        if name in _ELEMENTS and child.get("display") != "none":
            copy.append(_rebuilt(child))
    return copy
