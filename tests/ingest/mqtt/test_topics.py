"""Topic templates: what they subscribe to, what they read out of a topic, against paho's own matching."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from ingest.mqtt.topics import PLACEHOLDERS, TopicTemplate


@pytest.mark.parametrize(
    ("template", "topic_filter", "topic", "said"),
    [
        ("park/{zone}/{device}/{metric}", "park/+/+/+", "park/tank/G-201/flammable_gas",
         {"zone": "tank", "device": "G-201", "metric": "flammable_gas"}),
        ("sensors/{device}", "sensors/+", "sensors/温度-1", {"device": "温度-1"}),
        ("sensors/{device}", "sensors/+", "sensors/a/b", None),
        ("sensors/{device}", "sensors/+", "sensors/", None),
        ("sensors/s-{device}.json", "sensors/+", "sensors/s-7.json", {"device": "7"}),
        ("sensors/s-{device}.json", "sensors/+", "sensors/7.json", None),
        ("a/+/{metric}/#", "a/+/+/#", "a//level/x/y", {"metric": "level"}),
        ("a/+/{metric}/#", "a/+/+/#", "a/b/level", {"metric": "level"}),
        ("#", "#", "any/thing", {}),
        ("#", "#", "$SYS/broker", None),
        ("+/{device}", "+/+", "$SYS/broker", None),
        ("/{device}", "/+", "/d", {"device": "d"}),
        ("a.b/{device}", "a.b/+", "axb/d", None),
    ],
)  # fmt: skip
def test_a_template_reads_a_topic(template: str, topic_filter: str, topic: str, said: dict[str, str] | None) -> None:
    made = TopicTemplate(template)
    assert (made.filter, made.match(topic)) == (topic_filter, said)


@pytest.mark.parametrize(
    "text",
    ["", "a/#/b", "a#", "a+/b", "{device", "{device}{metric}", "{thing}", "a/{device}/{device}", "$share/g/a", "a\0", "x" * 1025, "{}"],
)
def test_what_is_no_template_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        TopicTemplate(text)


_level = st.sampled_from(["+", "a", "b.c", "", "$x", "温", "s-{device}", *(f"{{{p}}}" for p in PLACEHOLDERS)])
_templates = st.lists(_level, min_size=1, max_size=4).flatmap(
    lambda levels: st.sampled_from(["/".join(levels), "/".join([*levels, "#"])])
)  # fmt: skip


@given(template=_templates, topic=st.text("ab.c/$x温s-1", min_size=1, max_size=12))
def test_what_a_template_reads_its_filter_lets_through(template: str, topic: str) -> None:
    try:
        made = TopicTemplate(template)
    except ValueError:
        return  # a placeholder twice, or nothing at all
    if made.match(topic) is not None:
        assert topic_matches_sub(made.filter, topic)
    elif "{" not in template:
        assert not topic_matches_sub(made.filter, topic)


_word = st.text(min_size=1).filter(lambda t: "/" not in t)


@given(levels=st.permutations(list(PLACEHOLDERS)), values=st.lists(_word, min_size=3, max_size=3))
def test_what_is_put_into_a_template_is_read_out_of_it(levels: list[str], values: list[str]) -> None:
    template = TopicTemplate("p/" + "/".join(f"{{{name}}}" for name in levels))
    said = dict(zip(levels, values, strict=True))
    assert template.match("p/" + "/".join(values)) == said
