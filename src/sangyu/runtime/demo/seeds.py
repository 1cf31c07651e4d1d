"""Which providers a demo city has, what they ask for their services, and what their workers are certified for."""

from dataclasses import dataclass

from sangyu.registry.organisations.enums import LegalForm, OperatingMode

#: Fen for one unit, as a provider in Liaoning would ask; a contract buys at five per cent less.
MARKET = {
    "canteen-meal": 1200, "meal-delivery": 1500, "meal-assistance": 2800, "meal-planning": 1800, "cleaning": 3500,
    "deep-cleaning": 26000, "personal-grooming": 2500, "bathing-home": 12000, "bathing-centre": 8000, "personal-care": 3800,
    "home-companion": 3200, "medical-escort": 16000, "medicine-errand": 2000, "walking-assistance": 3000,
    "stair-carrying": 8000, "day-care": 6000, "day-companion": 5000, "short-stay": 12000, "rehabilitation": 9800,
    "rehabilitation-nursing": 9800, "medical-visit": 6000, "home-consultation": 12000, "health-record": 3000,
    "tcm-prevention": 8000, "moxibustion": 6800, "chronic-care": 8800, "comfort-visit": 3000, "comfort-call": 500,
    "counselling": 15000, "ability-assessment": 20000, "appliance-repair": 5000, "drain-clearing": 6000,
    "gas-delivery": 1500, "grain-delivery": 800, "legal-advice": 10000,
}  # fmt: skip
_HOME = [
    "cleaning",
    "deep-cleaning",
    "personal-grooming",
    "bathing-home",
    "personal-care",
    "home-companion",
    "medical-escort",
    "medicine-errand",
    "walking-assistance",
    "stair-carrying",
    "meal-assistance",
    "meal-delivery",
    "comfort-visit",
    "comfort-call",
]
_MEDICAL = [
    "rehabilitation",
    "rehabilitation-nursing",
    "medical-visit",
    "home-consultation",
    "health-record",
    "tcm-prevention",
    "moxibustion",
    "chronic-care",
]
_MEALS = ["canteen-meal", "meal-delivery", "meal-planning", "meal-assistance"]
_HANDY = ["cleaning", "deep-cleaning", "appliance-repair", "drain-clearing", "gas-delivery", "grain-delivery"]
_CENTRE = ["day-care", "day-companion", "short-stay", "bathing-centre", "personal-care", "rehabilitation-nursing"]


@dataclass(frozen=True)
class Seed:
    """One provider: ``county`` is its position among the city's counties, None for the whole city."""

    name: str
    short: str
    form: LegalForm
    county: int | None
    items: tuple[str, ...]
    licences: tuple[str, ...]
    workers: int
    mode: str = OperatingMode.OWN
    operator: str = ""
    contract: bool = True


def _seed(name, short, form, county, items, licences, workers, **more) -> Seed:
    return Seed(name, short, form, county, tuple(dict.fromkeys(items)), tuple(licences), workers, **more)


SEEDS = (
    _seed(
        "{city}渤海居家养老服务有限公司",
        "渤海居家",
        LegalForm.ENTERPRISE,
        None,
        _HOME,
        ("business", "food", "housekeeping"),
        14,
    ),
    _seed(
        "{city}渤海居家养老服务有限公司{county}分公司",
        "渤海·{county}",
        LegalForm.ENTERPRISE,
        2,
        _HOME,
        ("business", "food"),
        8,
        operator="渤海居家",
    ),
    _seed(
        "{city}渤海居家养老服务有限公司{county}分公司",
        "渤海·{county}",
        LegalForm.ENTERPRISE,
        4,
        _HOME,
        ("business", "food"),
        8,
        operator="渤海居家",
    ),
    _seed(
        "{county}康颐养老服务中心",
        "康颐养老",
        LegalForm.PRIVATE_NON_ENTERPRISE,
        0,
        [*_CENTRE, *_HOME[:8]],
        ("registration", "care_filing", "medical"),
        10,
        mode=OperatingMode.PUBLIC_BUILT,
    ),
    _seed(
        "{county}和顺老年食堂",
        "和顺食堂",
        LegalForm.PRIVATE_NON_ENTERPRISE,
        1,
        _MEALS,
        ("registration", "food"),
        5,
        mode=OperatingMode.DELEGATED,
    ),
    _seed("{county}顺意家政服务部", "顺意家政", LegalForm.SOLE_TRADER, 0, _HANDY, ("business",), 5),
    _seed("{city}仁和中医诊所有限公司", "仁和诊所", LegalForm.ENTERPRISE, None, _MEDICAL, ("business", "medical"), 7),
    _seed(
        "{city}社会福利院",
        "社会福利院",
        LegalForm.PUBLIC_INSTITUTION,
        None,
        [*_CENTRE, "medical-visit"],
        ("registration", "care_filing", "medical"),
        8,
        mode=OperatingMode.EXTENSION,
    ),
    _seed(
        "{city}养老服务行业协会",
        "行业协会",
        LegalForm.SOCIAL_GROUP,
        None,
        ["ability-assessment", "counselling", "comfort-visit"],
        ("registration",),
        4,
    ),
    _seed(
        "{city}夕阳暖慈善基金会",
        "夕阳暖基金会",
        LegalForm.FOUNDATION,
        None,
        ["comfort-visit", "comfort-call", "legal-advice"],
        ("registration", "legal"),
        3,
        contract=False,
    ),
    _seed(
        "{community}居民委员会",
        "{community}",
        LegalForm.COMMUNITY_BODY,
        0,
        ["comfort-visit", "comfort-call", "canteen-meal"],
        ("registration", "food"),
        3,
        mode=OperatingMode.SHARED,
    ),
    _seed(
        "{county}惠邻互助养老专业合作社",
        "惠邻合作社",
        LegalForm.COOPERATIVE,
        5,
        ["cleaning", "personal-care", "meal-delivery", "comfort-visit"],
        ("business", "food"),
        5,
    ),
    _seed(
        "{county}夕阳红志愿服务队",
        "夕阳红志愿队",
        LegalForm.VOLUNTEER_TEAM,
        0,
        ["comfort-visit", "comfort-call", "personal-grooming"],
        (),
        4,
        contract=False,
    ),
    _seed(
        "{person}（个体护理员）",
        "{person}",
        LegalForm.INDIVIDUAL,
        3,
        ["personal-care", "walking-assistance"],
        (),
        1,
        contract=False,
    ),
    _seed(
        "{county}福满家政有限公司",
        "福满家政",
        LegalForm.ENTERPRISE,
        3,
        ["cleaning", "deep-cleaning", "home-companion"],
        ("business",),
        4,
    ),
)
#: Which provider has an expired food licence, and which is suspended.
EXPIRED, SUSPENDED = "和顺食堂", "福满家政"
CERTIFICATES = {
    "渤海居家": ("care", "care", "cook", "electrician"), "康颐养老": ("care", "care", "nursing"), "和顺食堂": ("cook", "cook", "care"),
    "顺意家政": ("electrician",), "仁和诊所": ("medical", "nursing", "rehabilitation", "tcm"),
    "社会福利院": ("care", "nursing"), "行业协会": ("assessor", "psychology", "social_work"), "夕阳暖基金会": ("legal", "social_work"),
}  # fmt: skip
POSTS = {
    "care": "carer", "nursing": "nurse", "medical": "physician", "rehabilitation": "therapist", "tcm": "physician",
    "electrician": "handyman", "cook": "delivery", "psychology": "social_worker", "social_work": "social_worker",
    "assessor": "social_worker", "legal": "social_worker",
}  # fmt: skip
