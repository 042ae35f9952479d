"""Response sheets (报警处置卡) for whatever no rule has one for: by kind of alarm, by what a kind ends in, by family. Pure, data.

They are platform defaults: general practice of the field in our words, nobody's clause. A site that has its own procedures says so in its
rules. What must not go in: who reads them, what an alarm is (``hazards/kinds.py``).
"""

from collections.abc import Iterable

from hazards.kind_sheets import DESK, ENTERPRISE, OF_KINDS, sheet
from hazards.kinds import kind_of
from hazards.rules import PRECEDENCE, AlarmRule, ResponseSheet, kind_of_alarm


def sheet_of(kind: str, rules: Iterable[AlarmRule]) -> ResponseSheet:
    """What the operator reads beside an alarm of ``kind``: the sheet of the rule that raises it, else the platform's own. Always one."""
    raising = [rule for rule in rules if rule.enabled and kind_of_alarm(rule) == kind]
    if raising:
        return min(raising, key=lambda rule: (PRECEDENCE.get(rule.source, len(PRECEDENCE)), rule.id)).response
    ending = next((each for end, each in OF_ENDINGS.items() if kind.endswith(end)), None)
    return OF_KINDS.get(kind) or ending or OF_FAMILIES.get(kind_of(kind).family, OF_ANYTHING)


OF_ENDINGS: dict[str, ResponseSheet] = {
    "_consumption": sheet(
        30, [ENTERPRISE, "属地执法人员", DESK],
        ("停产或责令停止期间仍有用电用水：擅自开工，或照明、安保、排水等未报备负荷",
         "electricity or water is used though nothing should run: unlawful work, or light, guards and pumps that nobody declared"),
        ("带隐患生产，停产措施落空", "work goes on with its hazard, the order comes to nothing"),
        ("对照画面、人数和封条状态；电话查问企业用途并记录；无法说明或有生产迹象的通知执法人员现场核查",
         "compare pictures, people and seals; ask the enterprise what it is for and note it; if not explained, send inspectors"),
    ),
    "_deviation": sheet(
        15, ["当班班长", ENTERPRISE],
        ("工况偏离正常基准：负荷变化、仪表漂移或设备劣化", "the process left its reference: load, drift of the instrument, wear"),
        ("小偏差发展为超限", "a small deviation grows into a limit exceeded"),
        ("比对趋势和同类测点；先排除仪表故障，再按工艺卡调整",
         "compare trends and like sensors; exclude the instrument first, then adjust"),
    ),
}  # fmt: skip

OF_FAMILIES: dict[str, ResponseSheet] = {
    "fire": sheet(
        2, [DESK, ENTERPRISE, "119"],
        ("火情征兆", "signs of a fire"),
        ("火灾蔓延、爆炸、人员伤亡", "a fire that spreads, explosion, casualties"),
        ("看画面核实；属实疏散、断电断料、拨打119", "verify by the picture; if real evacuate, cut power and feed, call 119"),
    ),
    "heat": sheet(
        10, ["当班班长", ENTERPRISE],
        ("冷却不足、负荷过高、设备摩擦或环境火源", "too little cooling, too much load, friction, or a fire nearby"),
        ("设备损坏，继续升温可起火", "damage; if it goes on, fire"),
        ("看趋势和画面；减负荷、查冷却；十分钟内不降按高高限处置",
         "look at trend and picture; less load, check cooling; if not falling in ten minutes, as for high-high"),
    ),
    "cold": sheet(
        20, ["当班班长", ENTERPRISE],
        ("伴热停用、低温介质泄漏或天气骤冷", "trace heating off, a leak of something cold, or frost"),
        ("管线冻堵、材料脆裂、泄漏", "frozen lines, brittle steel, leaks"),
        ("投用伴热，检查低温泄漏和排凝点", "heat the lines, look for cold leaks and drains"),
    ),
    "gas": sheet(
        5, ["当班班长", ENTERPRISE, DESK],
        ("气体泄漏或通风不足", "a leak, or too little ventilation"),
        ("爆炸、中毒或窒息", "explosion, poisoning, suffocation"),
        ("停止动火，人员撤向上风向；佩戴检测仪和防护查漏，切断气源、通风",
         "stop hot work, people go upwind; look for the leak with detector and protection, shut it off, ventilate"),
    ),
    "process": sheet(
        15, ["当班班长", ENTERPRISE],
        ("工艺参数偏离：操作、仪表或设备原因", "a process value is off: by operation, instrument or equipment"),
        ("继续发展可致泄漏、超压或设备损坏", "leaks, overpressure or damage if it goes on"),
        ("比对相关参数辨明真伪；按工艺卡调整；不可控时停车",
         "compare related values; adjust as the process sheet says; if out of control, shut down"),
    ),
    "access": sheet(
        10, [ENTERPRISE, DESK],
        ("未经许可的人员进入或异常停留", "people enter or stay where they may not"),
        ("人员处于危险区域，或有人为破坏", "people are in danger, or do damage"),
        ("看画面辨认身份和人数；喊话劝离并通知企业；有作业票的与监护人核对",
         "see who and how many; address them and tell the enterprise; with a permit ask the guardian"),
    ),
    "post": sheet(
        5, ["当班班长", ENTERPRISE],
        ("岗位无人值守", "a post is not manned"),
        ("异常无人处置", "nobody acts when something happens"),
        ("呼叫岗位，无应答通知带班领导", "call the post; without an answer tell the leader on duty"),
    ),
    "passage": sheet(
        30, [ENTERPRISE, "安全员"],
        ("通道被占用，或防火门未关闭", "a passage is blocked, or a fire door stands open"),
        ("疏散受阻，烟火蔓延", "people can't get out, smoke spreads"),
        ("通知企业立即清理、关闭并回传照片", "have the enterprise clear or shut it and send a picture"),
    ),
    "equipment": sheet(
        30, ["仪表维护", ENTERPRISE],
        ("设备断电、断网、故障或被遮挡", "no power, no network, a fault, or covered"),
        ("监测失效", "nothing is watched there"),
        ("判断影响范围，安排人工巡查，限时恢复；检修的登记停用",
         "see how far it goes, patrol meanwhile, have it restored; when repaired, declare it out of service"),
    ),
    "coverage": sheet(
        60, [ENTERPRISE, "安全员"],
        ("重大或较大风险区域没有可用视频", "a red or orange zone without video"),
        ("风险无人看到", "nobody sees the risk"),
        ("人工巡查并限期恢复视频", "patrol, and have video restored in time"),
    ),
    "work": sheet(
        10, ["作业监护人", ENTERPRISE, "安全员"],
        ("正在进行特殊作业，可能没有作业票或监护", "special work is going on, perhaps without a permit or a guardian"),
        ("火灾、坠落、窒息等作业事故", "fire, falls, suffocation"),
        ("核对作业票的时间、地点和监护人；无票或与票不符的立即叫停并记录",
         "compare the permit's time, place and guardian; without one, or if it differs, stop the work and note it"),
    ),
    "flood": sheet(
        5, [DESK],
        ("短时间内报警过多：停电、网络故障、大范围事故或参数设置不当",
         "too many alarms at once: power, network, a large accident or wrong settings"),
        ("重要报警被淹没", "what matters is drowned"),
        ("先处置甲烷、火情等一级报警；按区域找共同原因；请求增援",
         "methane, fire and other severity 1 first; find the common cause zone by zone; ask for help"),
    ),
}  # fmt: skip

OF_ANYTHING = sheet(
    15, [DESK, ENTERPRISE],
    ("设备或平台报来的未登记类型报警", "a kind of alarm that is not registered here"),
    ("后果未知，按可能危及人员处理", "not known: take it that people may be in danger"),
    ("看画面和同区域测点核实；联系企业查明原因；告知管理员登记该类型",
     "verify by pictures and sensors of the zone; have the enterprise find the cause; tell the administrator to register the "
     "kind"),
)  # fmt: skip
