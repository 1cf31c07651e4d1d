"""A WebAuthn authenticator in software: what a browser and a security key would answer, with everything adjustable."""

import hashlib
import json
import os
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode

UP, UV, AT = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One passkey. ``flags`` are those of an answer: user present and verified."""

    host: str = "testserver"
    origin: str = "http://testserver"
    count: int = 0
    flags: int = UP | UV
    step: int = 1
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    number: bytes = field(default_factory=lambda: os.urandom(32))
    handle: bytes = b""

    def _data(self, flags: int) -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, options: dict) -> bytes:
        challenge = options["publicKey"]["challenge"]
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _answer(self, **response: bytes) -> dict:
        number = websafe_encode(self.number)
        texts = {k: websafe_encode(v) for k, v in response.items()}
        return {"id": number, "rawId": number, "type": "public-key", "response": texts}

    def create(self, options: dict) -> dict:
        """The answer to ``credentials.create``."""
        self.handle = websafe_decode(options["publicKey"]["user"]["id"])
        public = cbor.encode(ES256.from_cryptography_key(self.key.public_key()))
        data = self._data(self.flags | AT) + bytes(16) + len(self.number).to_bytes(2, "big") + self.number + public
        made = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(clientDataJSON=self._client("webauthn.create", options), attestationObject=made)

    def get(self, options: dict) -> dict:
        """The answer to ``credentials.get``; the counter grows by ``step``."""
        self.count += self.step
        data, client = self._data(self.flags), self._client("webauthn.get", options)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(clientDataJSON=client, authenticatorData=data, signature=signature, userHandle=self.handle)
