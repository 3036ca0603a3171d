"""What can be wrong with one object, for any member: used by the checks of cards and of actions."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.conform.http import is_url
from cds_service.conform.nodes import UUID, Find, Node, is_text, shape, word


def told(node: Node, member: str) -> str:
    """The shape of a member, or that it is missing."""
    return f".{member}: {shape(node.value[member]) if member in node.value else 'missing'}"


def texts(*members: str) -> Find:
    """Each of these members is text that is not empty."""

    def find(node: Node) -> Iterator[str]:
        for member in members:
            if not is_text(node.value.get(member)):
                yield told(node, member)

    return find


def array_of_objects(member: str) -> Find:
    """The member is an array of objects (whether it is empty is another rule)."""

    def find(node: Node) -> Iterator[str]:
        value = node.value[member]
        if not isinstance(value, list):
            yield told(node, member)
            return
        for index, part in enumerate(value):
            if not isinstance(part, dict):
                yield f".{member}[{index}]: {shape(part)}"

    return find


def url(member: str) -> Find:
    """The member is an absolute http(s) URL."""

    def find(node: Node) -> Iterator[str]:
        value = node.value.get(member)
        if not isinstance(value, str) or not is_url(value):
            yield f".{member}: not an absolute http(s) URL"

    return find


def uuid(node: Node) -> Iterator[str]:
    """The member `uuid` is a UUID."""
    value = node.value["uuid"]
    if not isinstance(value, str) or not UUID.fullmatch(value):
        yield f".uuid: {shape(value)}, not a UUID"


def string(member: str) -> Find:
    """The member is text, perhaps empty."""

    def find(node: Node) -> Iterator[str]:
        if not isinstance(node.value[member], str):
            yield told(node, member)

    return find


def boolean(member: str) -> Find:
    """The member is true or false."""

    def find(node: Node) -> Iterator[str]:
        if not isinstance(node.value[member], bool):
            yield told(node, member)

    return find


def coded(member: str, allowed: tuple[str, ...]) -> Find:
    """The member is one of the allowed words."""

    def find(node: Node) -> Iterator[str]:
        if node.value.get(member) not in allowed:
            yield f".{member}: {word(node.value[member]) if member in node.value else 'missing'}"

    return find
