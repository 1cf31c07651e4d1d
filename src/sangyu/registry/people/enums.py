"""Code lists of the people room. Codes of national standards where there are any (standards §4)."""

from django.db import models
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Sex(models.TextChoices):
    """GB/T 2261.1."""

    UNKNOWN = "0", _("Unknown")
    MALE = "1", _("Male")
    FEMALE = "2", _("Female")
    NOT_STATED = "9", _("Not stated")


class IdKind(models.TextChoices):
    """Document of the identity number; the values of ``kernel.identity.IdKind``."""

    CITIZEN = "citizen", _("Citizen's ID card")
    HMT = "hmt", _("Residence permit (Hong Kong, Macao, Taiwan)")
    FOREIGN = "foreign", _("Foreigner's permanent residence card")


class Marriage(models.TextChoices):
    """GB/T 2261.2."""

    SINGLE = "10", _("Never married")
    MARRIED = "20", _("Married")
    FIRST = "21", _("Married for the first time")
    AGAIN = "22", _("Married again")
    RESTORED = "23", _("Remarried to the same person")
    WIDOWED = "30", _("Widowed")
    DIVORCED = "40", _("Divorced")
    NOT_STATED = "90", _("Not stated")


class Education(models.TextChoices):
    """GB/T 4658, main groups."""

    GRADUATE = "10", _("Graduate school")
    BACHELOR = "20", _("Bachelor")
    COLLEGE = "30", _("College")
    VOCATIONAL = "40", _("Vocational secondary")
    SENIOR = "60", _("Senior high school")
    JUNIOR = "70", _("Junior high school")
    PRIMARY = "80", _("Primary school")
    OTHER = "90", _("Other or none")


class Relation(models.TextChoices):
    """GB/T 4761, with the carers that a register needs besides."""

    SELF = "0", _("Self")
    SPOUSE = "1", _("Spouse")
    SON = "2", _("Son")
    DAUGHTER = "3", _("Daughter")
    GRANDCHILD = "4", _("Grandchild")
    PARENT = "5", _("Parent")
    GRANDPARENT = "6", _("Grandparent")
    SIBLING = "7", _("Brother or sister")
    OTHER = "8", _("Other relative")
    NEIGHBOUR = "91", _("Neighbour")
    CARER = "92", _("Carer")
    COMMUNITY = "93", _("Community worker")
    FRIEND = "94", _("Friend")


class Housing(models.TextChoices):
    """How the household holds its home."""

    OWNED = "owned", _("Own home")
    RENTED = "rented", _("Rented")
    PUBLIC = "public", _("Public housing")
    WITH_CHILDREN = "children", _("In a child's home")
    OTHER = "other", _("Other")


class FactKind(models.TextChoices):
    """What dated facts say about a person. One value of a kind holds at a time; kinds hold side by side."""

    LIVING = "living", _("Living arrangement")
    INCOME_CATEGORY = "income_category", _("Income category")
    THREE_NO = "three_no", _("Three-no person")
    BEREAVED_DEPENDANT = "bereaved_dependant", _("Childless surviving dependant")
    SPECIAL_GROUP = "special_group", _("Special-care group")
    LOST_ONLY_CHILD = "lost_only_child", _("Bereaved of the only child")
    NEEDY_WORKER = "needy_worker", _("Needy worker")
    POVERTY_REGISTER = "poverty_register", _("On the poverty register")
    DISABILITY = "disability", _("Disability")
    CARE_LEVEL = "care_level", _("Ability level")
    DEMENTIA = "dementia", _("Dementia")
    BEDRIDDEN = "bedridden", _("Bedridden")
    WANDERING = "wandering", _("Wandering risk")
    RESIDENCE = "residence", _("Place of residence")
    URBAN_RURAL = "urban_rural", _("Urban or rural")
    CARE_INSURANCE = "care_insurance", _("Long-term care insurance")
    HOME_ADAPTED = "home_adapted", _("Home adapted")
    MEMBER = "member", _("Member of the platform")
    DIFFICULT = "difficult", _("Special difficulty")
    REGION = "region", _("Responsible region")


class YesNo(models.TextChoices):
    YES = "yes", _("Yes")
    NO = "no", _("No")


class Living(models.TextChoices):
    """R-024. Empty-nest: with an old spouse, no child in the home."""

    ALONE = "alone", _("Alone")
    EMPTY_NEST = "empty_nest", _("Empty nest")
    WITH_FAMILY = "with_family", _("With family")
    WITH_CARER = "with_carer", _("With a carer")
    LEFT_BEHIND = "left_behind", _("Left behind")
    OTHER = "other", _("Other")


class IncomeCategory(models.TextChoices):
    """R-019: 特困供养 (in an institution, at home), 低保, 低保边缘, none of them."""

    DESTITUTE_CENTRAL = "destitute_central", _("Destitute, supported in an institution")
    DESTITUTE_HOME = "destitute_home", _("Destitute, supported at home")
    MINIMUM_LIVING = "minimum_living", _("Minimum living allowance")
    NEAR_MINIMUM = "near_minimum", _("Near the minimum")
    ORDINARY = "ordinary", _("None of these")


class SpecialGroup(models.TextChoices):
    """优抚: those whom the veterans' offices support, and their dependants."""

    DISABLED_SOLDIER = "disabled_soldier", _("Disabled soldier")
    FALLEN_DEPENDANT = "fallen_dependant", _("Dependant of the fallen")
    RETURNED_VETERAN = "returned_veteran", _("Returned veteran")
    WAR_VETERAN = "war_veteran", _("War veteran")
    OTHER = "other", _("Other special-care person")


class CareLevel(models.TextChoices):
    """GB/T 42195-2022 result: 0 intact … 4 total loss."""

    INTACT = "0", _("Intact")
    MILD = "1", _("Mild loss")
    MODERATE = "2", _("Moderate loss")
    SEVERE = "3", _("Severe loss")
    TOTAL = "4", _("Total loss")


class Ability(models.TextChoices):
    """The two parts of the difficulty database (R-023), each two ability levels."""

    DISABLED = "disabled", pgettext_lazy("ability", "Disabled")
    PARTLY = "partly", _("Partly disabled")

    @property
    def levels(self) -> tuple[str, ...]:
        return ("3", "4") if self is Ability.DISABLED else ("1", "2")


class Dementia(models.TextChoices):
    SUSPECTED = "suspected", _("Suspected")
    MILD = "mild", _("Mild")
    MODERATE = "moderate", _("Moderate")
    SEVERE = "severe", _("Severe")


class Residence(models.TextChoices):
    """Where the person lives now; an institution stops home services."""

    HOME = "home", _("At home")
    INSTITUTION = "institution", _("In an institution")
    HOSPITAL = "hospital", _("In hospital")
    AWAY = "away", _("Away")


class UrbanRural(models.TextChoices):
    URBAN = "urban", _("Urban")
    RURAL = "rural", _("Rural")


class DisabilityCategory(models.TextChoices):
    """GB/T 26341."""

    SIGHT = "1", _("Sight")
    HEARING = "2", _("Hearing")
    SPEECH = "3", _("Speech")
    LIMB = "4", _("Limb")
    INTELLECT = "5", _("Intellect")
    MENTAL = "6", _("Mental")
    MULTIPLE = "7", _("Multiple disabilities")


DISABILITY_GRADES = ("1", "2", "3", "4")

_YES_NO = (
    FactKind.THREE_NO,
    FactKind.BEREAVED_DEPENDANT,
    FactKind.LOST_ONLY_CHILD,
    FactKind.NEEDY_WORKER,
    FactKind.POVERTY_REGISTER,
    FactKind.BEDRIDDEN,
    FactKind.WANDERING,
    FactKind.CARE_INSURANCE,
    FactKind.HOME_ADAPTED,
    FactKind.MEMBER,
    FactKind.DIFFICULT,
)


def _disability() -> dict[str, str]:
    """ "4-2" = limb, grade 2; grade 1 is the most severe."""
    grade_of = _("{category}, grade {grade}")
    return {
        f"{category.value}-{grade}": format_lazy(grade_of, category=category.label, grade=grade)
        for category in DisabilityCategory
        for grade in DISABILITY_GRADES
    }


#: kind → {value: label}: the only values that the database accepts.
FACT_VALUES: dict[str, dict[str, str]] = {
    **{kind: dict(YesNo.choices) for kind in _YES_NO},
    FactKind.LIVING: dict(Living.choices),
    FactKind.INCOME_CATEGORY: dict(IncomeCategory.choices),
    FactKind.SPECIAL_GROUP: dict(SpecialGroup.choices),
    FactKind.DISABILITY: _disability(),
    FactKind.CARE_LEVEL: dict(CareLevel.choices),
    FactKind.DEMENTIA: dict(Dementia.choices),
    FactKind.RESIDENCE: dict(Residence.choices),
    FactKind.URBAN_RURAL: dict(UrbanRural.choices),
}


def fact_label(kind: str, value: str) -> str:
    """The words for a fact's value: ("living", "alone") → 独居."""
    return str(FACT_VALUES.get(kind, {}).get(value, value))


class Purpose(models.TextChoices):
    """What a consent is for."""

    FAMILY_VIEW = "family_view", _("A relative sees the file and the visits")
    HEALTH_DATA = "health_data", _("Health data")
    LOCATION = "location", _("Position data")
    CAMERA = "camera", _("Camera at home")
    SHARE_PROVIDER = "share_provider", _("Hand on to service providers")
    PHOTO = "photo", _("Photographs as proof of service")
    RESEARCH = "research", _("Statistics and research")
    LISTEN_IN = "listen_in", _("Silent listening-in through a device")


class HealthKind(models.TextChoices):
    """What a health note is about, in the order in which whoever helps asks."""

    CONDITION = "condition", _("Chronic conditions")
    ALLERGY = "allergy", _("Allergies")
    MEDICINE = "medicine", pgettext_lazy("health", "Medicines")


class Part(models.TextChoices):
    """What a relative may see with a consent (R-027); each is a kind of share. Name, contacts and address come with any."""

    VISITS = "visits", _("Visits and agreements")
    VOUCHERS = "vouchers", _("Vouchers and what they paid")
    HEALTH = "health", _("Health and assessments")


class Proof(models.TextChoices):
    """How a consent was given."""

    PAPER = "paper", _("Signed form")
    ORAL = "oral", _("Spoken, with a witness")
    ACCOUNT = "account", _("By the person's own account")


class GivenBy(models.TextChoices):
    SELF = "self", _("The person")
    GUARDIAN = "guardian", _("The guardian")


class NoteTopic(models.TextChoices):
    """R-028."""

    GUARDIANSHIP = "guardianship", _("Guardianship")
    MAINTENANCE = "maintenance", _("Maintenance by relatives")
    PROPERTY = "property", _("Property")
    MARRIAGE = "marriage", _("Marriage")
    OTHER = "other", _("Other legal concern")


class Tag(models.TextChoices):
    """Priority tags (R-017), derived from facts and age; in the order in which pages show them."""

    THREE_NO = "three_no", _("Three-no")
    DESTITUTE = "destitute", _("Destitute")
    MINIMUM_LIVING = "minimum_living", _("Min. allowance")
    NEAR_MINIMUM = "near_minimum", _("Near minimum")
    LOST_ONLY_CHILD = "lost_only_child", _("Lost only child")
    BEREAVED_DEPENDANT = "bereaved_dependant", _("Surviving dependant")
    DEPENDENT = "dependent", _("Cannot care for self")
    DEMENTIA = "dementia", _("Dementia")
    WANDERING = "wandering", _("Wandering risk")
    BEDRIDDEN = "bedridden", _("Bedridden")
    DISABLED = "disabled", pgettext_lazy("tag", "Disabled")
    ALONE = "alone", _("Lives alone")
    EMPTY_NEST = "empty_nest", _("Empty nest")
    LEFT_BEHIND = "left_behind", _("Left behind")
    VERY_OLD = "very_old", _("Aged 80+")
    SPECIAL_CARE = "special_care", _("Special care")
    POVERTY_REGISTER = "poverty_register", _("Poverty register")
    NEEDY_WORKER = "needy_worker", _("Needy worker")
    DIFFICULT = "difficult", _("Special difficulty")
