"""Bodies of answers about why: a rule with who says it. What must not go in: what is decided by it."""


from pydantic import BaseModel, Field

from api.models import Text


class SourceOfRule(BaseModel):
    """A place in a document; ``standing``: draft, in_force, expired or unknown."""

    document: str
    clause: str
    title: Text | None
    standing: str
    standing_name: Text


class Ruling(BaseModel):
    """A rule and who says it. ``basis``: clause, interpretation, platform_default or demo."""

    rule: str
    basis: str
    basis_name: Text
    text: Text = Field(description="the sense of the rule in our words")
    sources: list[SourceOfRule]
