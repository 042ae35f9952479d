"""The pack that comes with the program: honest about who says what, and complete."""

from hazards.ledger.policy import Authority
from tests.packs import POLICY


def test_only_what_a_document_says_is_called_a_clause() -> None:
    named = {document.id for document in POLICY.documents}
    for rule in POLICY.rules.values():
        assert bool(rule.sources) or rule.authority is Authority.PLATFORM_DEFAULT, rule.id
        assert not rule.sources or rule.authority is not Authority.PLATFORM_DEFAULT, rule.id
        assert {source.document for source in rule.sources} <= named and rule.zh and rule.en
    assert [g.limit.rule for g in POLICY.grades] == ["general_same_day", "serious_limit", "major_limit"]
    authorities = [POLICY.rule(g.limit.rule).authority for g in POLICY.grades]
    assert authorities == [Authority.INTERPRETATION, Authority.INTERPRETATION, Authority.CLAUSE]
