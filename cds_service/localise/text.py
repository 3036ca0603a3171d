"""Text that is not yet text: an English template with its values, rendered only when somebody reads it.

Evaluating a rule makes many reasons and few of them are ever shown, so a reason costs no more than an
object; the language is chosen where it is rendered. A `str` among the values came from the EHR or is a
code: it is printed as it is and never translated.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from cds_service.localise.language import ENGLISH, Language


class Text:
    """Something that can be read in a language. `str(text)` is the English of trace and records."""

    __slots__ = ()

    @abstractmethod
    def render(self, language: Language) -> str:
        """The text in this language."""

    def __str__(self) -> str:
        return self.render(ENGLISH)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        """Whether the two read the same in English; a plain string is read as it is."""
        return str(self) == str(other) if isinstance(other, Text | str) else NotImplemented

    def __hash__(self) -> int:
        return hash(str(self))


ELLIPSIS = "…"


def cut(text: str, limit: int) -> str:
    """At most `limit` characters; an ellipsis counts as one."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + ELLIPSIS


Value = Text | str | int | Decimal | None
"""What may stand in a template. A number is printed with the marks of the language, nothing else changes."""


def told(value: Value, language: Language) -> str:
    """One value as the language prints it."""
    if value.__class__ is str:
        return value
    if isinstance(value, Text):
        return value.render(language)
    return language.number(str(value))


class Message(Text):
    """An English template with `{named}` places, and what stands in them. The template is the catalogue's key."""

    __slots__ = ("template", "values")

    def __init__(self, template: str, /, **values: Value) -> None:
        self.template = template
        self.values = values

    def render(self, language: Language) -> str:
        template = language.messages.get(self.template, self.template)
        if not self.values:
            return template
        shown = {
            name: value if value.__class__ is str else told(value, language)
            for name, value in self.values.items()
        }
        return template.format_map(shown)


class Verbatim(Text):
    """Words of the EHR, or a code: the same in every language."""

    __slots__ = ("words",)

    def __init__(self, words: str) -> None:
        self.words = words

    def render(self, language: Language) -> str:  # noqa: ARG002
        return self.words


class Joined(Text):
    """Several texts with something between them; what reads the same is said once.

    With `most`, only the first ones that fit in so many characters are said.
    """

    __slots__ = ("between", "most", "parts")

    def __init__(self, between: str, parts: Iterable[Text | str | None], most: int | None = None) -> None:
        self.between = between
        self.parts: Sequence[Text | str] = [part for part in parts if part is not None]
        self.most = most

    def __bool__(self) -> bool:
        return bool(self.parts)

    def render(self, language: Language) -> str:
        told_parts = dict.fromkeys([told(part, language) for part in self.parts])
        if self.most is None:
            return self.between.join(told_parts)
        text = ""
        for part in told_parts:
            longer = f"{text}{self.between}{part}" if text else part
            text = longer if len(longer) <= self.most else text
        return text


class Deferred(Text):
    """A text that is put together when somebody reads it: of most reasons nobody does.

    What it is made from must not be the facts: they keep it, and what keeps itself outlives the call.
    """

    __slots__ = ("_given", "_make")

    def __init__(self, make: Callable[..., Text], /, *given: object) -> None:
        self._make = make
        self._given = given

    def render(self, language: Language) -> str:
        return self._make(*self._given).render(language)


class Shortened(Text):
    """A text cut to `most` characters once it is rendered; an ellipsis counts as one."""

    __slots__ = ("most", "text")

    def __init__(self, text: Text, most: int) -> None:
        self.text = text
        self.most = most

    def render(self, language: Language) -> str:
        return cut(self.text.render(language), self.most)
