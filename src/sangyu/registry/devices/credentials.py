"""How a device proves itself: a password for MQTT or a key for SIA DC-09, derived and never stored (ADR 0024, docs/rooms/gateway.md)."""

from sangyu.kernel.crypto import blind_index, derived_secret

PURPOSE = "devices.device.mqtt"
#: Protocols that sign in by MQTT.
MQTT = frozenset({"own", "alink", "huawei", "tencent", "home-assistant"})
#: Protocols whose frames are encrypted with a key that the installer types into the unit.
KEYED = frozenset({"sia-dc09"})


def has_secret(protocol: str) -> bool:
    return protocol in MQTT | KEYED


def secret(protocol: str, identity: str, version: int) -> str:
    """128 bits of the house's index key, the number and the version: 26 letters and digits for MQTT, 32 hexadecimal digits as AES key."""
    value = f"{protocol}/{identity}/{version}"
    return bytes(blind_index(value, PURPOSE)).hex() if protocol in KEYED else derived_secret(value, PURPOSE)


def shown(protocol: str, identity: str, version: int) -> str:
    """What is typed into the device: user name and password, or the key."""
    made = secret(protocol, identity, version)
    return made if protocol in KEYED else f"{protocol}/{identity} {made}"
