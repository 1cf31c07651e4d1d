"""Who may connect by MQTT: the NATS server asks, the register answers with the topics of that one device (auth callout).

A device signs in with its protocol and number as user name and a password derived from the house's key, its number and a version that can be
raised; nothing is stored, and the check needs no database. Alink's and Huawei's own ways to sign in are understood with the same secret.
"""

import hashlib
import hmac
import logging
import time
from collections.abc import Callable
from typing import Any

from nats.aio.client import Client

from ..engines.nats import ACCOUNT
from ..engines.nkeys import Issuer, claims_of
from . import topics
from .register import Device, Register

log = logging.getLogger(__name__)

ASKED = "$SYS.REQ.USER.AUTH"
#: Seconds until a device must sign in again: a new password or a retired device takes effect by then at the latest.
HOLDS = 12 * 3600
#: What every MQTT client needs inside NATS: its own session's deliveries.
_INSIDE = ["$MQTT.sub.>", "$MQTT.deliver.pubrel.>"]


class Door:
    """Answers the server. ``secret`` gives a device's password."""

    def __init__(
        self, register: Register, issuer: Issuer, secret: Callable[[Device], str], counts: dict[str, int], strangers
    ) -> None:
        self.register, self.issuer, self.secret, self.counts, self.strangers = (
            register,
            issuer,
            secret,
            counts,
            strangers,
        )

    async def open(self, nats: Client) -> None:
        """Listen for the server's questions; of several gateways one answers."""
        await nats.subscribe(ASKED, queue="gateways", cb=self._asked)

    async def _asked(self, message) -> None:
        try:
            asked = claims_of(message.data.decode())
            await message.respond(await self.answer(asked))
        except Exception:
            log.exception("a sign-in could not be answered")

    async def answer(self, asked: dict[str, Any]) -> bytes:
        """The signed answer to the server's question: a token with the device's topics, or a refusal without reasons."""
        request = asked["nats"]
        given, who = request.get("connect_opts", {}), request.get("client_info", {})
        device = None
        if who.get("type") == "mqtt":
            device = await self.known(
                str(given.get("user") or ""), str(given.get("pass") or ""),
                str(who.get("mqtt_id") or who.get("mqtt_client") or given.get("client_id") or ""), str(who.get("host") or ""),
            )  # fmt: skip
        claims: dict[str, Any] = {"type": "authorization_response", "version": 2}
        if device is None:
            self.counts["mqtt_refused"] += 1
            claims["error"] = "not known"
        else:
            self.counts["mqtt_signed_in"] += 1
            claims["jwt"] = self._token(device, request["user_nkey"])
        answer = {"sub": request["user_nkey"], "aud": request["server_id"]["id"], "nats": claims}
        return self.issuer.signed(answer).encode()

    def _token(self, device: Device, user: str) -> str:
        allowed = {
            "pub": {"allow": topics.sends(device.protocol, device.identity)},
            "sub": {"allow": [*topics.hears(device.protocol, device.identity), *_INSIDE]},
            "subs": 20, "data": -1, "payload": 262_144, "allowed_connection_types": ["MQTT"], "type": "user", "version": 2,
        }  # fmt: skip
        return self.issuer.signed(
            {
                "sub": user,
                "aud": ACCOUNT,
                "name": f"{device.protocol}/{device.id}",
                "exp": int(time.time()) + HOLDS,
                "nats": allowed,
            }
        )

    async def known(self, user: str, password: str, client: str, address: str) -> Device | None:
        """The device that signs in; None for any other, whatever is wrong."""
        protocol, identity = who_is(user, client)
        if not protocol or not password:
            return None
        device = find(self.register, protocol, identity)
        if device is None and not self.register.strange(protocol, identity) and self.strangers.may_ask(address):
            device = await self.register.look_up(protocol, identity)
        if device is None:
            self.strangers.note(address)
            return None
        wanted = [self.secret(device)]
        if protocol == "alink":
            wanted.append(_alink(user, client, wanted[0]))
        elif protocol == "huawei":
            wanted.append(_huawei(client, wanted[0]))
        right = [hmac.compare_digest(password.lower().encode(), w.lower().encode()) for w in wanted if w]
        return device if any(right) else None


def find(register: Register, protocol: str, identity: str) -> Device | None:
    """A device by the number that its dialect gives: with organisation or product key before it, or as the register has it."""
    return register.find(protocol, identity) or register.find(protocol, identity.rpartition("/")[2])


def who_is(user: str, client: str) -> tuple[str, str]:
    """Protocol and number of a user name: ``own/ORG/DEVICE``, Alink's ``DEVICE&PRODUCT``, Huawei's device id with its client id."""
    protocol, _slash, identity = user.partition("/")
    if protocol in topics.PROTOCOLS and identity:
        return protocol, identity
    name, ampersand, product = user.partition("&")
    if ampersand and name and product:
        return "alink", f"{product}/{name}"
    if user and client.startswith(f"{user}_"):
        return "huawei", user
    return "", ""


def _alink(user: str, client: str, secret: str) -> str:
    """HMAC over the sorted clientId, deviceName, productKey and timestamp (devices.md §5)."""
    plain, _bar, rest = client.partition("|")
    settings = dict(part.split("=", 1) for part in rest.strip("|").split(",") if "=" in part)
    name, _ampersand, product = user.partition("&")
    values = {"clientId": plain, "deviceName": name, "productKey": product}
    if "timestamp" in settings:
        values["timestamp"] = settings["timestamp"]
    digest = {"hmacsha256": hashlib.sha256, "hmacsha1": hashlib.sha1}.get(settings.get("signmethod", "hmacsha256"))
    content = "".join(f"{k}{values[k]}" for k in sorted(values))
    return hmac.new(secret.encode(), content.encode(), digest).hexdigest() if digest else ""


def _huawei(client: str, secret: str) -> str:
    """HMAC-SHA256 of the secret under the hour at the end of the client id."""
    hour = client.rpartition("_")[2]
    return hmac.new(hour.encode(), secret.encode(), hashlib.sha256).hexdigest() if hour.isdigit() else ""
