"""The words of a policy file: keys and choices, in English and in Chinese. Either may be written."""

#: Section → key → 中文. The order is the order in which a policy page shows them.
KEYS: dict[str, dict[str, str]] = {
    "policy": {
        "code": "编码", "name": "名称", "region": "地区", "document": "文件", "valid_from": "施行日期", "valid_to": "截止日期",
        "subject": "对象", "period": "周期", "pay_day": "发放日", "read": "核定时点", "birthday": "生日规则",
        "starts": "起始", "stops": "终止", "who": "条件", "amount": "标准", "quantity": "数量", "copayment": "自付",
        "stacking": "叠加", "repeat": "重复", "form": "形式", "fund": "资金来源", "payee": "收款人", "application": "申请方式",
        "evidence": "材料", "windows": "时限", "review": "审核", "notice_days": "公示天数", "rest": "余额", "instalments": "分期", "deduct_most": "扣回上限",
        "notes": "说明", "sources": "出处",
    },
    "document": {"number": "文号", "title": "标题", "clause": "条款"},
    "period": {"every": "每", "month": "月份", "covers": "归属", "joiners": "中途加入", "festival": "节日", "lunar": "农历", "solar": "公历"},
    "edge": {"at": "日期", "from": "自", "until": "至"},
    "amount": {"formula": "公式", "table": "分档", "minimum": "下限", "maximum": "上限", "prorate": "折算", "round": "取整", "unit": "单位"},
    "row": {"when": "当", "amount": "标准", "quantity": "数量", "share": "比例"},
    "round": {"to": "到", "way": "方式"},
    "stacking": {"group": "组", "rule": "规则", "excludes": "排除", "excluded_by": "被排除"},
    "windows": {"application": "申请", "confirmation": "确认"},
    "window": {"from": "自", "to": "至"},
    "rest": {"rule": "规则", "at": "时点", "months": "月数", "cap": "上限"},
    "instalment": {"name": "节点", "share": "比例"},
}  # fmt: skip

#: List → value → 中文.
CHOICES: dict[str, dict[str, str]] = {
    "subject": {"person": "老年人", "resident": "入住老人", "facility": "养老服务设施", "worker": "从业人员", "organisation": "机构"},
    "every": {"month": "月", "quarter": "季度", "year": "年", "once": "一次性", "festival": "节日"},
    "covers": {"this": "本期", "previous": "上期"},
    "joiners": {"next": "下期", "monthly": "逐月"},
    "festival": {
        "spring_festival": "春节", "lantern": "元宵节", "dragon_boat": "端午节", "double_seventh": "七夕",
        "mid_autumn": "中秋节", "double_ninth": "重阳节", "laba": "腊八节",
    },
    "read": {"first_day": "首日", "last_day": "末日", "previous_month_end": "上月末", "pay_day": "发放日", "each_day": "逐日"},
    "birthday": {"day": "生日当日", "month": "生日当月", "next_month": "生日次月", "january": "生日当年一月"},
    "from": {"day": "当日", "month": "当月", "next_month": "次月"},
    "until": {"day": "当日", "month": "当月", "month_before": "上月"},
    "prorate": {"none": "不折算", "days": "按日", "half_month": "按半月", "months": "按月"},
    "to": {"fen": "分", "jiao": "角", "yuan": "元"},
    "way": {"half_up": "四舍五入", "up": "进一", "down": "舍去"},
    "stacking": {"add": "叠加", "highest": "就高", "top_up": "补足"},
    "repeat": {"never": "不重复", "difference": "补差", "settle": "多退少补"},
    "form": {"cash": "现金", "voucher": "服务券", "service": "服务", "insurance": "保险"},
    "fund": {
        "central_budget": "中央财政", "province_budget": "省级财政", "city_budget": "市级财政", "county_budget": "县级财政",
        "welfare_lottery": "福彩公益金", "care_insurance": "长期护理保险", "donation": "捐赠", "mixed": "多级财政",
    },
    "payee": {
        "self": "本人", "guardian": "监护人", "facility": "养老服务设施", "provider": "服务机构",
        "insurer": "保险公司", "organisation": "机构", "worker": "从业人员",
    },
    "application": {"required": "依申请", "automatic": "免申即享"},
    "review": {"community": "社区", "street": "街道", "county": "区县", "city": "市", "panel": "评审组"},
    "rest": {"lapse": "作废", "carry": "结转"},
    "at": {"month_end": "月末", "quarter_end": "季末", "year_end": "年末", "never": "不到期"},
}  # fmt: skip


def key_of(section: str, word: str) -> str | None:
    """The key that ``word`` names in a section."""
    keys = KEYS[section]
    return word if word in keys else next((k for k, label in keys.items() if label == word), None)


def choice_of(choices: str, word: str) -> str | None:
    known = CHOICES[choices]
    return word if word in known else next((k for k, label in known.items() if label == word), None)
