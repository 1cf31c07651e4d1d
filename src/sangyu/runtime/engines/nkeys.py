"""The little of NATS's keys and tokens that letting MQTT devices in needs: an Ed25519 key made of a secret, its name, signed claims."""

import base64
import hashlib
import json
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_ACCOUNT = 0 << 3  # names of accounts begin with A
_HEADER = {"typ": "JWT", "alg": "ed25519-nkey"}


class Issuer:
    """Signs who may connect. The same secret gives the same key: server and gateways need nothing else in common."""

    def __init__(self, secret: str) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(
            hashlib.sha256(b"sangyu mqtt issuer " + secret.encode()).digest()
        )
        raw = bytes([_ACCOUNT]) + self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.name = base64.b32encode(raw + _crc16(raw).to_bytes(2, "little")).decode().rstrip("=")

    def signed(self, claims: dict[str, Any]) -> str:
        """The token of ``claims``; issuer, time and id are added."""
        claims = {"iat": int(time.time()), "iss": self.name, **claims}
        claims["jti"] = _text(hashlib.sha256(json.dumps(claims, sort_keys=True).encode()).digest())
        head = f"{_part(_HEADER)}.{_part(claims)}"
        return f"{head}.{_text(self._key.sign(head.encode()))}"


def claims_of(token: str) -> dict[str, Any]:
    """What a token says; its signature is not checked: the server hands it over on a connection of its own. Raises ValueError."""
    parts = token.split(".")
    if len(parts) != 3:
        raise ValueError("no token")
    return json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))


def _part(value: dict) -> str:
    return _text(json.dumps(value, separators=(",", ":")).encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _crc16(data: bytes) -> int:
    """CRC-16/XMODEM."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _bit in range(8):
            crc = (crc << 1 ^ 0x1021) & 0xFFFF if crc & 0x8000 else crc << 1 & 0xFFFF
    return crc
