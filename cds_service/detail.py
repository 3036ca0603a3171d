"""The detail of a card: its blocks in the order in which they are read, and what gives way for length."""

from __future__ import annotations

from dataclasses import dataclass, field

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


@dataclass(slots=True)
class Blocks:
    """The parts of a card's detail, in the order in which they are read."""

    consider: list[str] = field(default_factory=list)
    why: list[str] = field(default_factory=list)
    also: list[str] = field(default_factory=list)
    further: list[str] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)
    closing: list[str] = field(default_factory=list)

    def render(self, footer: str, limit: int, language: Language, *, markdown: bool) -> str:
        """The detail; when it is too long, the last reasons give way to a note, never what was not checked.

        If that is not enough, each line is shortened, so that no long name of the EHR pushes out what follows.
        """
        why, more = list(self.why), _MORE.render(language)
        text = self._text(why, footer, language, markdown=markdown)
        while len(text) > limit and len(why) > 1:
            why = why[:-1]
            text = self._text([*why, more], footer, language, markdown=markdown)
        kept = [*why, more] if len(why) < len(self.why) else why
        for longest in _SHORTER:
            if len(text) <= limit:
                break
            text = self._text(kept, footer, language, markdown=markdown, longest=longest)
        return cut(text, limit)

    def _text(
        self, why: list[str], footer: str, language: Language, *, markdown: bool, longest: int = 10_000
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
                blocks.append("\n".join([head(title), *(f"- {cut(line, longest)}" for line in lines)]))
        if self.exceptions:
            blocks.append(head(_EXCEPTIONS) + " " + " ".join(self.exceptions))
        blocks += [*self.closing, footer]
        return "\n\n".join(blocks)
