"""Criteria that answer what a test wants, to try the logic above them."""

from dataclasses import dataclass

from cds_service.rules.answer import Answer, Finding


@dataclass(frozen=True)
class Says:
    """Answers the same for everybody; its reason is also its source."""

    answer: Answer
    because: str = "because"
    optional: bool = False
    text: str = "says"

    def evaluate(self, _facts):
        return Finding(self.text, self.answer, self.because, (self.because,), self.optional)


YES = Says(Answer.MET, "yes")
NO = Says(Answer.NOT_MET, "no")
MAYBE = Says(Answer.UNKNOWN, "maybe")
OPTIONAL = Says(Answer.UNKNOWN, "optional", optional=True)
