"""Response sheets of single kinds of alarm, see ``hazards/response_sheets.py``. Pure, data.

General practice of the field in our words: platform defaults. What must not go in: families, how a sheet is found.
"""

from hazards.rules import ResponseSheet, Words

MINUTE = 60_000_000
DESK, ENTERPRISE, PARK = "control_room", "enterprise", "park_command"
"""Posts of the policy pack; whom else to call is written as it is said on site."""


ON_SITE: dict[str, str] = {
    "当班班长": "shift foreman", "矿调度室": "mine control room", "作业监护人": "guardian of the work", "安全员": "safety officer",
    "属地执法人员": "local enforcement officers", "仪表维护": "instrument maintenance", "电气值班": "electrician on duty",
}  # fmt: skip
"""Whom sheets of the platform and of the packs call that hold no post, in English."""


def sheet(within: int, call: list[str], cause: tuple[str, str], consequence: tuple[str, str], action: tuple[str, str]) -> ResponseSheet:
    """A sheet; ``within`` in minutes, texts in Chinese and English."""
    return ResponseSheet(Words(*cause), Words(*consequence), Words(*action), within * MINUTE, call)


OF_KINDS: dict[str, ResponseSheet] = {
    "flame": sheet(
        2, [DESK, ENTERPRISE, "119"],
        ("可燃物起火、动火作业失控、电气短路或设备过热",
         "burning material, hot work out of control, a short circuit or overheated equipment"),
        ("火势蔓延，可引发爆炸和人员伤亡", "the fire spreads and may lead to an explosion and casualties"),
        ("看画面和同区域传感器核实；属实立即通知企业疏散、断电断料、启用固定消防，同时拨打119；有动火作业票的与监护人核对",
         "verify by the picture and the zone's sensors; if real, have the enterprise evacuate, cut power and feed and start fixed "
         "fire protection, and call 119; with a hot work permit ask the guardian"),
    ),
    "smoke": sheet(
        3, [DESK, ENTERPRISE, "119"],
        ("阴燃、电气线路过热、初起火灾，或粉尘、蒸汽误判",
         "smouldering, overheated wiring, an incipient fire, or dust and steam taken for it"),
        ("转为明火，烟气使人中毒窒息、封锁疏散通道", "it becomes a fire; smoke poisons people and closes the ways out"),
        ("调看画面和温度曲线；电话要求企业两人到场查明烟源；确认起火按明火处置，疏散下风向人员",
         "look at pictures and temperatures; have two people of the enterprise find its source; a fire is handled as a flame, "
         "people downwind leave"),
    ),
    "manual_call_point": sheet(
        2, [DESK, ENTERPRISE, "119"],
        ("现场人员发现险情后按下手动报警按钮，少数为误碰", "somebody on site saw danger and pressed the button; rarely by mistake"),
        ("险情已被人看到，延误会扩大伤亡", "the danger was seen: delay costs lives"),
        ("按真实火情处置：通知企业疏散、派人到报警点，调看就近画面；确认误报前不得复位",
         "take it as real: have the enterprise evacuate and send people there, look at the nearest picture; no reset before it is "
         "known to be false"),
    ),
    "temperature_high_high": sheet(
        5, ["当班班长", ENTERPRISE, DESK],
        ("冷却中断、反应失控、设备摩擦过热或外部火灾", "cooling lost, a runaway reaction, friction, or a fire outside"),
        ("超温超压、物料分解或起火爆炸", "overpressure, decomposition, fire or explosion"),
        ("核对同区域温度、压力和画面；立即停止进料和加热，投用紧急冷却；继续上升则撤人并启动紧急停车",
         "compare the zone's temperatures, pressures and pictures; stop feed and heating, use emergency cooling; if it still "
         "rises, evacuate and shut down"),
    ),
    "flammable_gas_high": sheet(
        5, ["当班班长", ENTERPRISE, DESK],
        ("法兰、阀门、机泵密封泄漏，或装卸、检修时放散",
         "a leak at a flange, valve or pump seal, or a release while loading or repairing"),
        ("积聚到爆炸下限，遇点火源爆燃", "it gathers up to the lower explosive limit and a spark sets it off"),
        ("停止区域内一切动火和车辆进出；两人佩戴便携检测仪从上风向查找漏点；开启防爆通风，关闭上游阀门",
         "stop all hot work and traffic in the zone; two people with portable detectors look for the leak from upwind; "
         "explosion-proof ventilation on, upstream valve shut"),
    ),
    "flammable_gas_high_high": sheet(
        2, ["当班班长", ENTERPRISE, DESK, "119"],
        ("较大泄漏，浓度已达爆炸下限的一半左右", "a large leak, at about half the lower explosive limit"),
        ("随时可能形成爆炸性气云", "an explosive cloud may form at any moment"),
        ("立即撤出区域内人员到上风向集合点；紧急切断进料、切断非防爆电源（在远处操作）；警戒并拨打119，禁止无防护进入",
         "everybody out to the assembly point upwind; emergency shut-off of feed and, from afar, of power that is not "
         "explosion-proof; cordon, call 119, nobody in without protection"),
    ),
    "methane_high": sheet(
        1, ["当班班长", "矿调度室", ENTERPRISE, DESK],
        ("通风不足或局部通风机停运、瓦斯异常涌出、抽采系统故障",
         "too little ventilation or a stopped fan, an outburst, a failure of drainage"),
        ("瓦斯爆炸、窒息，群死群伤", "a methane explosion, suffocation, mass casualties"),
        ("立即停止作业、切断该区域非本质安全电源、撤出人员；核实风量和风机；浓度降到限值以下并经瓦斯检查员确认前不得恢复。已申报标"
         "校的与标校人员核对",
         "stop work, cut power that is not intrinsically safe, get people out; check air flow and fans; no return before it is "
         "below the limit and the gas inspector confirms. In a declared calibration ask those who calibrate"),
    ),
    "methane_high_high": sheet(
        1, ["矿调度室", ENTERPRISE, DESK, PARK],
        ("瓦斯严重积聚，断电限已触发", "methane has gathered, the limit for cutting power is reached"),
        ("达到爆炸浓度，遇火源即爆", "it reaches explosive concentration: any spark sets it off"),
        ("确认断电闭锁已动作并撤出全部人员；报告矿长和监管部门；由救护队侦察处理，严禁送电和擅自启动风机一风吹",
         "make sure that the power interlock has tripped and everybody is out; tell the mine manager and the authority; the "
         "rescue team reconnoitres; no power, and no fan started that blows all of it out at once"),
    ),
    "toxic_gas_high": sheet(
        2, ["当班班长", ENTERPRISE, DESK],
        ("设备或管道泄漏、吸收塔失效、投料反应异常", "a leak, a scrubber that fails, a charge that reacts wrongly"),
        ("人员中毒，扩散到厂外", "people are poisoned, it drifts off the site"),
        ("通知下风向人员向侧上风向撤离；穿戴空气呼吸器两人一组进入关阀；启动喷淋吸收；有人中毒先报120，严禁盲目施救",
         "people downwind leave crosswind; two with breathing apparatus shut the valve; start the scrubbing spray; for the "
         "poisoned call 120, no rescue without protection"),
    ),
    "toxic_gas_high_high": sheet(
        1, [ENTERPRISE, DESK, PARK, "119", "120"],
        ("有毒气体大量泄漏", "a large release of toxic gas"),
        ("短时致人死亡，威胁周边居民", "lethal within minutes, a threat to those who live around"),
        ("立即全厂报警撤离并警戒，拨打119和120；紧急切断泄漏源；报告园区，由其决定周边疏散",
         "alarm and evacuate the whole works, cordon, call 119 and 120; shut off the source; tell the park, which decides on "
         "evacuation around"),
    ),
    "oxygen_low": sheet(
        2, ["作业监护人", "当班班长", DESK],
        ("氮气等惰性气体泄漏，或密闭空间通风不良", "a leak of nitrogen or another inert gas, or a closed space without air"),
        ("人员在无预兆下窒息昏迷", "people faint and suffocate without warning"),
        ("立即停止受限空间作业、撤人、强制通风；查惰性气体阀门；救援人员必须佩戴空气呼吸器",
         "stop work in the confined space, get people out, force air in; check valves of inert gas; rescuers wear breathing "
         "apparatus"),
    ),
    "oxygen_high": sheet(
        5, ["当班班长", ENTERPRISE, DESK],
        ("氧气管道、气瓶泄漏或富氧吹扫", "a leak of an oxygen line or cylinder, or purging with oxygen"),
        ("衣物和油脂极易燃烧，火势猛烈", "clothes and grease burn violently"),
        ("停止动火和产生火花的作业，关闭氧源，通风降至正常后复测",
         "stop hot work and whatever sparks, shut the oxygen, ventilate and measure again"),
    ),
    "pressure_high_high": sheet(
        3, ["当班班长", ENTERPRISE, DESK],
        ("出口堵塞、反应超温、安全阀或调节阀失灵", "a blocked outlet, a reaction too hot, a relief or control valve that fails"),
        ("设备超压破裂、介质喷出", "the vessel bursts, its contents escape"),
        ("停止进料和加热，确认安全阀动作，向安全系统泄压；人员撤到安全距离，不得靠近正面",
         "stop feed and heating, see that the relief valve works, vent to the safe system; people keep away"),
    ),
    "level_high_high": sheet(
        3, ["当班班长", ENTERPRISE, DESK],
        ("进料未停、液位计或联锁失灵、错误倒罐", "feed goes on, a gauge or interlock fails, the wrong tank"),
        ("满罐冒顶，物料泄漏形成火灾或中毒", "the tank overflows, with fire or poisoning to follow"),
        ("立即关闭进料阀、停泵；现场核对液位；准备倒罐并检查围堰排水阀是否关闭",
         "shut the feed valve, stop the pump; check the level on site; prepare to transfer and see that the bund's drain is shut"),
    ),
    "seal_broken": sheet(
        15, [ENTERPRISE, "属地执法人员", DESK],
        ("封停设备或场所被人启封，或封条脱落、电池失效", "somebody opened sealed equipment, or the seal fell off or has no power"),
        ("停产停用区域擅自恢复生产", "production goes on where it was stopped"),
        ("调看画面，核对同区域用电用水和人员；电话查问企业并留存记录；不能说明的通知执法人员到场",
         "look at the picture, compare electricity, water and people of the zone; ask the enterprise and keep a record; if not "
         "explained, send inspectors"),
    ),
    "overcrowding": sheet(
        10, ["当班班长", ENTERPRISE, DESK],
        ("交接班、检修或参观使人员聚集，超过核定人数", "shift change, repair or a visit brings more people than allowed"),
        ("事故时伤亡扩大", "an accident costs more lives"),
        ("通知企业立即撤出多余人员；属检修的核对作业票和人数上限",
         "have the enterprise take the surplus out; for repairs compare the permit and its number of people"),
    ),
    "people_while_stopped": sheet(
        15, [ENTERPRISE, "属地执法人员", DESK],
        ("停产停业期间有人进入作业，或值守、整改人员未申报",
         "people work although production was stopped, or guards and repairers were not declared"),
        ("擅自恢复生产，隐患未除发生事故", "production goes on with its hazard not rectified"),
        ("看画面辨明是值守、整改还是生产；核对报备人员；擅自生产的通知执法人员并留证",
         "see whether they guard, rectify or produce; compare who was declared; for unlawful production send inspectors and keep "
         "evidence"),
    ),
    "absent_from_post": sheet(
        5, ["当班班长", ENTERPRISE],
        ("值班或监护人员离岗、睡岗，或被遮挡", "the watch has left, sleeps, or is hidden from the camera"),
        ("异常无人处置，错过最佳时机", "nobody acts when something happens"),
        ("呼叫该岗位；五分钟内无人应答通知带班领导到岗并记录",
         "call the post; without an answer in five minutes tell the leader on duty, and note it"),
    ),
    "exit_blocked": sheet(
        30, [ENTERPRISE, "安全员"],
        ("货物、车辆占用疏散通道或消防车通道", "goods or vehicles stand in an escape route or the fire lane"),
        ("火灾时人员无法逃生、消防车无法靠近", "people can't get out, fire engines not in"),
        ("通知企业立即清理并回传照片；屡次占用的列为隐患",
         "have the enterprise clear it and send a picture; if it recurs, make it a hazard"),
    ),
    "sensor_stale": sheet(
        30, ["仪表维护", ENTERPRISE],
        ("传感器断电、网络中断或网关故障", "the sensor lost power, its network or its gateway"),
        ("该点失去监测，超限无人知晓", "nobody would know of a value beyond its limit"),
        ("查看同网关其他测点判断范围；通知企业派人恢复并在此期间人工巡检；检修的登记停用",
         "see by other sensors of the gateway how far it goes; have it restored and the point patrolled meanwhile; when repaired, "
         "declare it out of service"),
    ),
    "camera_offline": sheet(
        30, ["仪表维护", ENTERPRISE],
        ("摄像机断电、断网或账号失效", "the camera lost power, network or its account"),
        ("区域失去视频监控", "the zone is not seen"),
        ("确认是否区域断电；红、橙区域立即安排现场值守，通知企业限时恢复",
         "see whether the zone has no power; in red and orange zones post somebody there; have it restored in time"),
    ),
    "tamper": sheet(
        15, [ENTERPRISE, DESK],
        ("镜头被遮挡、转动或污损，可能是有意规避监控", "the lens is covered, turned or dirty, perhaps on purpose"),
        ("掩盖违规作业，事故时无画面", "forbidden work is hidden, an accident is not seen"),
        ("回看遮挡前画面辨认人员；通知企业立即恢复；有意遮挡的记录并上报",
         "look at who was there before; have it restored at once; if on purpose, record and report it"),
    ),
    "power_lost": sheet(
        10, ["当班班长", "电气值班", ENTERPRISE],
        ("供电线路跳闸、检修停电或被强制断电", "a trip, a repair, or an ordered cut of supply"),
        ("通风、冷却、报警系统停运，可引发次生事故", "ventilation, cooling and alarms stop; accidents may follow"),
        ("确认应急电源投用、关键冷却和通风运行；无备用电源的按停车方案处置并撤人",
         "see that emergency power, vital cooling and ventilation run; without them shut down and get people out"),
    ),
    "blind_zone": sheet(
        60, [ENTERPRISE, "安全员"],
        ("红、橙区域没有可用摄像机", "a red or orange zone has no working camera"),
        ("重大风险处于监控盲区，不符合视频接入要求", "a grave risk is not watched as it must be"),
        ("安排人工巡查并记录，督促企业限期恢复或补装", "patrol and note it; have the enterprise restore or add a camera in time"),
    ),
}  # fmt: skip
