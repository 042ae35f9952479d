"""The default pack: the Guangyuan development zone of document 001, as data. Every rule names who says it.

The texts give the sense of a rule in our words. Only document 001 gives days for rectification; what we read into it, and what we
chose because nobody says it, is marked so. What must not go in: code that decides.
"""

from hazards.ledger.lifecycle import Event
from hazards.ledger.policy import Authority, Document, GradeRule, MeasureKind, Policy, ProposalRule, Rule, Source, Standing

_CLAUSE, _READING, _DEFAULT = Authority.CLAUSE, Authority.INTERPRETATION, Authority.PLATFORM_DEFAULT

_DOCUMENTS = (
    Document("001", "广元经济技术开发区文件（2022年6月征求意见稿，其第14、15条以2022年12月为期）",
             "Guangyuan development zone, draft for comment of June 2022 (its clauses 14 and 15 name December 2022 as their term)",
             Standing.DRAFT),
    Document("003", "山西省文件", "Shanxi province"),
    Document("004", "江西省2020年文件", "Jiangxi province, 2020"),
)  # fmt: skip


def _clause(document: str, *clauses: str) -> tuple[Source, ...]:
    return tuple(Source(document, clause) for clause in clauses)


_RULES = (
    # --- grades and clocks ---
    Rule("grades", _CLAUSE,
         "隐患台账分一般、较大、重大三级",
         "the ledger has three grades", _clause("001", "14")),
    Rule("general_at_once", _CLAUSE,
         "一般隐患立即整改",
         "a general hazard is rectified at once", _clause("001", "15")),
    Rule("general_same_day", _READING,
         "“立即整改”按确认当日完成计",
         "“at once” is read as: by the end of the day of confirmation", _clause("001", "15")),
    Rule("serious_limit", _READING,
         "较大隐患限期整改，期限按最多15日计（该句也可解读为只约束重大隐患）",
         "a serious hazard is rectified within at most 15 days (the sentence may bind major ones only)", _clause("001", "15")),
    Rule("major_limit", _CLAUSE,
         "重大隐患挂牌整改，原则上15日内完成",
         "a major hazard is listed and rectified within, in principle, 15 days", _clause("001", "15")),
    Rule("days_counted", _READING,
         "按现场时区的自然日计，起算当日不计入，至最后一日24时止",
         "natural days in the site's time zone, the first day not counted, to the end of the last", _clause("001", "15")),
    Rule("clock_start", _READING,
         "期限自隐患及等级确认之时起算",
         "the limit runs from the confirmation of the hazard and its grade", _clause("001", "15")),
    Rule("provisional_clock", _DEFAULT,
         "确认前按拟定等级暂计期限，不挂牌、不公示、不移送",
         "before confirmation a provisional limit by the proposed grade; no listing, publication or referral"),
    Rule("clock_end", _DEFAULT,
         "期限计至验收通过，申请验收不停计",
         "the clock runs until acceptance; a claim does not stop it"),
    # --- who and what ---
    Rule("proposal", _DEFAULT,
         "任何岗位发现隐患都可登记，登记的等级为拟定",
         "whoever finds a hazard may put it down; the grade is a proposal"),
    Rule("self_report", _CLAUSE,
         "企业自查自改自报",
         "the enterprise inspects, corrects and reports itself", _clause("003", "21")),
    Rule("severity_1_observed", _DEFAULT,
         "1级且已相互印证的事件，自动登记隐患，拟定为重大，由人员确认",
         "an incident of severity 1 that independent sources agree on proposes a hazard, grade major; a person confirms it"),
    Rule("grade_by_severity", _DEFAULT,
         "由事件登记而未写明等级的，按事件级别拟定：1级重大、2级较大、其余一般",
         "proposed from an incident without a grade: severity 1 major, 2 serious, else general"),
    Rule("confirmed_by_person", _DEFAULT,
         "规则只能拟定，隐患及等级由主管人员确认",
         "a rule only proposes; a person of an authority confirms hazard and grade"),
    Rule("criterion_for_major", _DEFAULT,
         "确认为重大隐患须写明所依据的判定标准条目",
         "confirming a major hazard names the item of the criteria that it meets"),
    Rule("dismissal", _DEFAULT,
         "拟定后经核实不属隐患的，由主管人员写明理由后排除",
         "what turns out to be no hazard is dismissed by an authority, with a reason"),
    Rule("five_commitments", _CLAUSE,
         "整改责任、措施、资金、时限、预案“五落实”",
         "five commitments: responsibility, measures, funds, time, contingency plan", (*_clause("001", "16"), *_clause("003", "21"))),
    Rule("plan_before_rectification", _READING,
         "重大隐患的永久性整改须先备好“五落实”方案；应急管控不受此限",
         "permanent rectification of a major hazard waits for the plan; immediate measures do not", _clause("001", "16")),
    Rule("confirmed_before_rectification", _DEFAULT,
         "隐患确认后方可进入整改",
         "rectification begins after confirmation"),
    Rule("responsible_party", _DEFAULT,
         "有企业的区域由该企业整改；无企业的区域由主管部门或指挥部整改",
         "the zone's enterprise rectifies; without one, the department or the park command"),
    Rule("measures_first_minute", _READING,
         "撤人、隔离、停工等应急管控自发现之时即可采取",
         "evacuating, isolating and stopping are allowed from the first minute", (*_clause("001", "16"), *_clause("003", "22"))),
    Rule("coercive_measures", _CLAUSE,
         "停产停业整顿、停电、停供火工品、查封扣押等由主管部门决定",
         "stopping production, electricity or explosives, and sealing, by the authorities", _clause("003", "22")),
    # --- claim, evidence, acceptance, closing ---
    Rule("claim", _DEFAULT,
         "整改完成后由责任方申请验收，附说明和整改前后的材料",
         "the responsible party claims rectification with a note and evidence of before and after"),
    Rule("evidence_gate", _DEFAULT,
         "申请、验收、销号前核对本区域设备自申请以来的报警；同类报警仍在的不予通过（带病销号）",
         "before claim, acceptance and closing the zone's devices are asked; refused while alarms of the kind stand or came since"),
    Rule("evidence_instead", _DEFAULT,
         "设备无法观察的隐患，须附有时间和地点的照片或文件",
         "where no device can tell, timed and located photos or documents are needed"),
    Rule("acceptance", _CLAUSE,
         "隐患整改须经验收",
         "rectification is accepted by inspection", _clause("003", "21")),
    Rule("second_person", _DEFAULT,
         "验收人不得是申请人本人",
         "whoever accepts is another than who claimed"),
    Rule("accepted_in_enterprise", _DEFAULT,
         "一般隐患由本企业另一人验收，主管部门抽查",
         "a general hazard is accepted by a second person of the enterprise and sampled by the authorities"),
    Rule("accepted_by_authority", _DEFAULT,
         "较大、重大隐患由指挥部、行业主管部门或应急局验收",
         "serious and major hazards are accepted by command, department or bureau"),
    Rule("refusal", _DEFAULT,
         "验收不合格的写明理由，退回整改",
         "what is not accepted goes back to rectification, with the reason"),
    Rule("close_by_list", _CLAUSE,
         "整改完成、验收合格后销号，过程留痕",
         "closed off the list after rectification and acceptance, the process on record", _clause("004", "19", "29")),
    Rule("record", _DEFAULT,
         "台账只增不删，备注不改变状态",
         "the record only grows; a comment changes no state"),
)  # fmt: skip

_AUTHORITIES = frozenset({"administrator", "park_command", "department", "bureau"})
_ON_SITE = _AUTHORITIES | {"enterprise", "operator"}

POLICY = Policy(
    id="guangyuan", version="guangyuan-1", zh="广元经开区规则包", en="Guangyuan development zone",
    documents=_DOCUMENTS,
    rules={rule.id: rule for rule in _RULES},
    grades=(
        GradeRule("general", "一般", "general", 0, "general_same_day", needs_plan=False, needs_criterion=False,
                  accepted_by=_AUTHORITIES | {"enterprise"}, accepted_by_rule="accepted_in_enterprise"),
        GradeRule("serious", "较大", "serious", 15, "serious_limit", needs_plan=False, needs_criterion=False,
                  accepted_by=_AUTHORITIES, accepted_by_rule="accepted_by_authority"),
        GradeRule("major", "重大", "major", 15, "major_limit", needs_plan=True, needs_criterion=True,
                  accepted_by=_AUTHORITIES, accepted_by_rule="accepted_by_authority"),
    ),
    measures=(
        MeasureKind("evacuate", "撤离人员", "evacuate", _ON_SITE, "measures_first_minute"),
        MeasureKind("isolate", "隔离警戒", "isolate", _ON_SITE, "measures_first_minute"),
        MeasureKind("stop_work", "停止作业", "stop work", _ON_SITE, "measures_first_minute"),
        MeasureKind("stop_production", "停产停业整顿", "stop production for rectification", _AUTHORITIES, "coercive_measures"),
        MeasureKind("cut_electricity", "停止供电", "cut electricity", _AUTHORITIES, "coercive_measures"),
        MeasureKind("stop_explosives", "停供火工品", "stop the supply of explosives", _AUTHORITIES, "coercive_measures"),
        MeasureKind("seal", "查封扣押", "seal or seize", _AUTHORITIES, "coercive_measures"),
    ),
    proposals=(ProposalRule(1, "observed", "major", "severity_1_observed"),),
    grade_of_severity={1: "major", 2: "serious", 3: "general", 4: "general"},
    events={
        Event.PROPOSED: "proposal", Event.GRADE_RAISED: "severity_1_observed",
        Event.CONFIRMED: "confirmed_by_person", Event.DISMISSED: "dismissal",
        Event.MEASURE_TAKEN: "measures_first_minute", Event.MEASURE_ENDED: "measures_first_minute", Event.PLAN_FILED: "five_commitments",
        Event.RECTIFICATION_STARTED: "confirmed_before_rectification", Event.CLAIMED: "claim", Event.ACCEPTED: "acceptance",
        Event.REFUSED: "refusal", Event.GATE_REFUSED: "evidence_gate", Event.CLOSED: "close_by_list", Event.COMMENTED: "record",
    },
    responsible=frozenset({"administrator", "enterprise"}),
    responsible_without_enterprise=frozenset({"administrator", "park_command", "department"}),
)  # fmt: skip
