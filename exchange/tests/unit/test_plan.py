from pathlib import Path

import pytest

from cato_exchange import Answer, Busy, NotFound, Plan, PlanError, Reject

DEMO = Path(__file__).parents[2] / "plans" / "demo.yaml"


def test_first_matching_rule_applies():
    plan = Plan.parse(
        """
        rules:
          - {number: "100", behaviour: busy}
          - {match: '1\\d\\d', behaviour: answer, ring_s: 2}
        default: {behaviour: reject, code: 603}
        """
    )

    assert plan.rule_for("100").does == Busy()
    assert plan.rule_for("101").does == Answer(ring_s=2)
    assert plan.rule_for("1011").does == Reject(code=603)


def test_number_without_a_rule_is_not_found():
    assert Plan().rule_for("100").does == NotFound()


def test_attempt_before_answer_on_attempt_gets_the_other_behaviour():
    rule = Plan.parse("rules: [{number: '1', behaviour: answer, answer_on_attempt: 3}]").rule_for("1")

    assert [rule.on_attempt(n) for n in (1, 2, 3, 4)] == [Busy(), Busy(), Answer(), Answer()]


def test_digits_are_accepted_as_a_yaml_integer():
    plan = Plan.parse("rules: [{number: '1', behaviour: answer, digits: [{digits: 12}]}]")

    answer = plan.rule_for("1").does
    assert isinstance(answer, Answer)
    assert answer.digits[0].digits == "12"


@pytest.mark.parametrize(
    "text",
    [
        "rules: [{number: '1'}]",
        "rules: [{number: '1', behaviour: anwser}]",
        "rules: [{number: '1', behaviour: busy, ring: 1}]",
        "rules: [{behaviour: busy}]",
        "rules: [{number: '1', match: '2', behaviour: busy}]",
        "rules: [{match: '(', behaviour: busy}]",
        "rules: [{number: '1', behaviour: answer, never_bye: true, hang_up_after_s: 1}]",
        "rules: [{number: '1', behaviour: answer, no_rtp: true, talk: true}]",
        "rules: [{number: '1', behaviour: early_media, answer_after_s: 1, reject_after_s: 1}]",
        "rules: [{number: '1', behaviour: reject, code: 200}]",
        "default: {number: '1', behaviour: busy}",
        "rules: [",
        "calls: 3",
        "just words",
    ],
)
def test_invalid_plan_raises_plan_error(text: str):
    with pytest.raises(PlanError):
        Plan.parse(text)


def test_error_of_a_missing_plan_has_its_path():
    with pytest.raises(PlanError, match=r"nowhere\.yaml"):
        Plan.load(Path("nowhere.yaml"))


def test_demo_plan_has_a_number_of_each_kind():
    plan = Plan.load(DEMO)

    labels = [plan.rule_for(f"{kind}07").label for kind in (710, 711, 712, 713, 714, 720, 721, 722, 723)]
    assert len(set(labels)) == 9
    assert "" not in labels
    assert plan.rule_for("79991234567").label == ""
