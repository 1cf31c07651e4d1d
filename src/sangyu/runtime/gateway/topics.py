"""MQTT devices: which topics belong to which, and how NATS writes them (devices.md §5).

NATS turns ``/`` into ``.``, a leading or empty level into ``/``, and a dot within a level into ``//``.
"""

from sangyu.engines.codecs import CODECS

#: What devices may send, as subjects: the stream of what came by MQTT.
SUBJECTS = (
    "care.v1.*.*.up.*",
    "care.v1.*.*.status",
    "/.sys.*.*.thing.event.*.post",
    "/.sys.*.*.thing.service.>",
    "/.sys.*.*.thing.model.up_raw",
    "$oc.devices.*.sys.>",
    "$thing.up.>",
    "ha.*.>",
)
#: First letters of a topic → its protocol.
HOME = "home-assistant"
PREFIXES = (
    ("care/v1/", "own"),
    ("/sys/", "alink"),
    ("$oc/devices/", "huawei"),
    ("$thing/up/", "tencent"),
    ("ha/", HOME),
)
PROTOCOLS = frozenset(name for _prefix, name in PREFIXES)
#: Up and down of one device; ``{0}`` its place (organisation, product key; ``+`` where the register has none) and ``{1}`` its name.
_UP = {
    "own": ("care/v1/{0}/{1}/up/+", "care/v1/{0}/{1}/status"),
    "alink": ("/sys/{0}/{1}/thing/event/+/post", "/sys/{0}/{1}/thing/service/#", "/sys/{0}/{1}/thing/model/up_raw"),
    "huawei": ("$oc/devices/{1}/sys/properties/report", "$oc/devices/{1}/sys/gateway/sub_devices/properties/report", "$oc/devices/{1}/sys/commands/response/+"),
    "tencent": ("$thing/up/property/{0}/{1}", "$thing/up/event/{0}/{1}", "$thing/up/action/{0}/{1}"),
    HOME: ("ha/{1}/#",),
}  # fmt: skip
_DOWN = {
    "own": ("care/v1/{0}/{1}/down/#",),
    "alink": ("/sys/{0}/{1}/thing/#",),
    "huawei": ("$oc/devices/{1}/sys/#",),
    "tencent": ("$thing/down/+/{0}/{1}",),
    HOME: ("ha/{1}/#",),
}


def subject(topic: str) -> str:
    """A topic or filter as a NATS subject."""
    levels = topic.split("/")
    made = []
    for level in levels:
        if level == "#":
            made.append(">")
        elif level == "+":
            made.append("*")
        elif level == "":
            made.append("/")
        else:
            made.append(level.replace(".", "//"))
    return ".".join(made)


def topic(subject_: str) -> str:
    """The topic behind a subject that came by MQTT."""
    levels = ["" if level == "/" else level.replace("//", ".") for level in subject_.split(".")]
    return "/".join(levels)


def protocol_of(topic_: str) -> str:
    """Which dialect speaks on that topic; "" if none."""
    return next((name for prefix, name in PREFIXES if topic_.startswith(prefix)), "")


def home(topic_: str) -> tuple[str, str]:
    """The bridge to which a topic below ``ha/`` belongs, and what the bridge calls it."""
    _ha, bridge, rest = [*topic_.split("/", 2), "", ""][:3]
    return bridge, rest


def announces(topic_: str) -> bool:
    """Whether a bridge says there what its entities are."""
    _bridge, rest = home(topic_)
    return rest.startswith("homeassistant/") and rest.endswith("/config")


def _place(identity: str) -> tuple[str, str]:
    place, _slash, name = identity.rpartition("/")
    return place or "+", name


def sends(protocol: str, identity: str) -> list[str]:
    """Subjects on which this device may publish."""
    return [subject(t.format(*_place(identity))) for t in _UP[protocol]]


def hears(protocol: str, identity: str) -> list[str]:
    """Subjects to which this device may subscribe."""
    return [subject(t.format(*_place(identity))) for t in _DOWN[protocol]]


assert CODECS.keys() >= PROTOCOLS
