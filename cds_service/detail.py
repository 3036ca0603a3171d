"""The detail of a card: its blocks in the order in which they are read, and what gives way for length."""

from __future__ import annotations

import msgspec

from cds_service.localise.language import Language
from cds_service.localise.text import Message, cut

_MORE = Message("More on this rule: see the source link.")
_CONSIDER = Message("Consider")
_WHY = Message("Why")
_ALSO = Message("Also")
_FURTHER = Message("Further orders")
_NOT_CHECKED = Message("Not checked")
_EXCEPTIONS = Message("Exceptions")
_SHORTER = (300, 150, 75)
_BULLET = "\n- "


class Blocks(msgspec.Struct):
    """The parts of a card's detail, in the order in which they are read."""

    consider: list[str] = []
    why: list[str] = []
    also: list[str] = []
    further: list[str] = []
    not_checked: list[str] = []
    exceptions: list[str] = []
    closing: list[str] = []

    def render(self, footer: str, limit: int, language: Language, *, markdown: bool) -> str:
        """The detail; when it is too long, the last reasons give way to a note, never what was not checked.

        If that is not enough, each line is shortened, so that no long name of the EHR pushes out what follows.
        """
        text = self._text(self.why, footer, language, markdown=markdown)
        if len(text) <= limit:
            return text
        kept = self._shorter_why(len(text) - limit, _MORE.render(language))
        for longest in (None, *_SHORTER):
            text = self._text(kept, footer, language, markdown=markdown, longest=longest)
            if len(text) <= limit:
                return text
        return cut(text, limit)

    def _shorter_why(self, excess: int, more: str) -> list[str]:
        """The reasons with a note for as many of the last ones as make up the excess; the first one stays."""
        shown = len(self.why)
        while excess > 0 and shown > 1:
            if shown == len(self.why):
                excess += len(_BULLET) + len(more)
            shown -= 1
            excess -= len(_BULLET) + len(self.why[shown])
        return [*self.why[:shown], more] if shown < len(self.why) else self.why

    def _text(
        self, why: list[str], footer: str, language: Language, *, markdown: bool, longest: int | None = None
    ) -> str:
        def head(title: Message) -> str:
            words = title.render(language)
            return f"**{words}:**" if markdown else f"{words}:"

        blocks = []
        if self.consider:
            blocks.append(head(_CONSIDER) + " " + " ".join(self.consider))
        for title, lines in (
            (_WHY, why),
            (_ALSO, self.also),
            (_FURTHER, self.further),
            (_NOT_CHECKED, self.not_checked),
        ):
            if lines:
                shown = lines if longest is None else [cut(line, longest) for line in lines]
                blocks.append(_BULLET.join([head(title), *shown]))
        if self.exceptions:
            blocks.append(head(_EXCEPTIONS) + " " + " ".join(self.exceptions))
        blocks += [*self.closing, footer]
        return "\n\n".join(blocks)
