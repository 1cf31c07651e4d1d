"""How a device signs in by MQTT: a password that is derived, never stored (ADR 0024, docs/rooms/gateway.md)."""

import base64

from sangyu.kernel.crypto import blind_index

PURPOSE = "devices.device.mqtt"
#: Protocols that speak by MQTT.
PROTOCOLS = frozenset({"own", "alink", "huawei", "tencent"})


def signs_in(protocol: str) -> bool:
    return protocol in PROTOCOLS


def user_name(protocol: str, identity: str) -> str:
    """What the device gives as user name."""
    return f"{protocol}/{identity}"


def password(protocol: str, identity: str, version: int) -> str:
    """26 letters and digits: 128 bits of the house's index key, the number and the version."""
    made = blind_index(f"{protocol}/{identity}/{version}", PURPOSE)
    return base64.b32encode(bytes(made)).decode().rstrip("=").lower()
