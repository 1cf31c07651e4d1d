"""HTTPS push of vendors' clouds (R-096): ``POST /push/`` with a signature, answered when every entry is stored.

The front door gives it TLS and hands it to a socket of the gateway, so that it works while pages and database do not. The body is
``{"messages": [{"topic": …, "payload": {…}}]}`` in the dialects of the MQTT devices (docs/rooms/gateway.md). Sent again with the same
signature, the same entries come out: a vendor may repeat what was not answered.
"""

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sangyu.engines.codecs import codec
from sangyu.kernel import signing

from . import topics
from .conversion import network_of
from .door import find

if TYPE_CHECKING:
    from .service import Gateway

log = logging.getLogger(__name__)

MOST_HEAD, MOST_BODY, MOST_MESSAGES = 16_384, 1_000_000, 1000
#: Seconds that a signed request may be old: a vendor's queue may have waited for days.
OLDEST = 7 * 86_400
SECONDS = 25
_WORDS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 413: "Content Too Large", 503: "Service Unavailable"}  # fmt: skip


def keys() -> dict[str, str]:
    """Vendors and their secrets from SANGYU_PUSH_KEYS, ``vendor=secret,…``; a secret has 16 characters at least."""
    return signing.keys(os.environ.get("SANGYU_PUSH_KEYS", ""))


class _All:
    """Waits until every entry of a request is stored, or one is not."""

    def __init__(self, count: int) -> None:
        self.left, self.lost, self.done = count, 0, asyncio.get_running_loop().create_future()

    def stored(self, token: object) -> None:
        self._one(0)

    def failed(self) -> None:
        self._one(1)

    def _one(self, lost: int) -> None:
        self.left, self.lost = self.left - 1, self.lost + lost
        if self.left <= 0 and not self.done.done():
            self.done.set_result(None)


class Push:
    """Answers requests; ``secrets`` by vendor."""

    def __init__(self, gateway: "Gateway", secrets: Mapping[str, str]) -> None:
        self.gateway, self.secrets = gateway, dict(secrets)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        try:
            code, answer = await asyncio.wait_for(self._request(reader), SECONDS + 10)
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            code, answer = 400, {"error": "no request"}
        except Exception:
            log.exception("a push could not be answered")
            code, answer = 503, {"error": "try again"}
        body = json.dumps(answer).encode()
        head = f"HTTP/1.1 {code} {_WORDS[code]}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        with contextlib.suppress(OSError):
            writer.write(f"{head}{'Retry-After: 5' + chr(13) + chr(10) if code == 503 else ''}\r\n".encode() + body)
            await writer.drain()
            writer.close()

    async def _request(self, reader: asyncio.StreamReader) -> tuple[int, dict]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, *_version = [*head[0].split(" "), "", ""]
        headers = {n.strip().lower(): v.strip() for n, _colon, v in (line.partition(":") for line in head[1:])}
        if path == "/healthz":
            return 200, {"ready": self.gateway.publisher.connected}
        if method != "POST" or path.partition("?")[0].rstrip("/") != "/push":
            return 404, {"error": "POST /push/"}
        size = headers.get("content-length", "")
        if not size.isdigit():
            return 400, {"error": "content-length"}
        if int(size) > MOST_BODY:
            return 413, {"error": f"at most {MOST_BODY} bytes"}
        body = await reader.readexactly(int(size))
        return await self.take(headers, body)

    async def take(self, headers: Mapping[str, str], body: bytes) -> tuple[int, dict]:
        """Check the signature, decode, store, and only then answer."""
        try:
            signed = signing.verify(self.secrets, headers, body, oldest=OLDEST)
        except signing.Unsigned as error:
            self.gateway.counts["push_refused"] += 1
            return 401, {"error": error.what}
        try:
            messages = json.loads(body)["messages"]
            pairs = [(m["topic"], m["payload"]) for m in messages]
        except (ValueError, KeyError, TypeError, RecursionError):
            return 400, {"error": "messages"}
        if len(pairs) > MOST_MESSAGES or not all(isinstance(t, str) for t, _p in pairs):
            return 400, {"error": f"at most {MOST_MESSAGES} messages, each with a topic"}
        # The signed time is the time of arrival: sent again, a message without a time of its own is the same message still.
        received = min(datetime.fromtimestamp(signed.stamp, UTC), datetime.now(UTC))
        return await self._store(pairs, received)

    async def _store(self, pairs: list, received: datetime) -> tuple[int, dict]:
        gateway, entries = self.gateway, []
        skipped = unknown = 0
        for topic, payload in pairs:
            protocol = topics.protocol_of(topic)
            if protocol in ("", topics.HOME):  # a bridge's values mean nothing without what it said before
                skipped += 1
                continue
            data = payload.encode("utf-8", "replace") if isinstance(payload, str) else json.dumps(payload).encode()
            batch = codec(protocol).decoder(gateway.options).feed(data, received_at=received, topic=topic)
            skipped += len(batch.skipped)
            for message in batch.messages:
                device = find(gateway.register, message.protocol, message.device)
                if device is None:
                    unknown += 1
                    continue
                entry = gateway.entry(message, device, network_of(message))
                if entry is None:
                    skipped += 1
                else:
                    entries.append((entry, message))
        gateway.counts["push_requests"] += 1
        gateway.counts["unknown"] += unknown
        if entries:
            waiting = _All(len(entries))
            for entry, message in entries:
                gateway.publisher.put(entry, waiting, message)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(waiting.done, SECONDS)
            if waiting.left or waiting.lost:
                return 503, {"error": "not stored: send it again"}
        return 200, {"stored": len(entries), "skipped": skipped, "unknown": unknown}
