"""Keys of an installation under a passphrase, so that a backup can be kept beside other people's."""

import hashlib
import json
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .engines.process import EngineError

#: scrypt: 2^15 rounds over 32 MB, about a tenth of a second.
_COST = {"n": 2**15, "r": 8, "p": 1, "maxmem": 64 * 2**20, "dklen": 32}
_PURPOSE = b"sangyu keys"
SHORTEST = 12


def seal(text: str, passphrase: str) -> str:
    """``text`` as a JSON document that only ``unseal`` with the same passphrase reads. Raises EngineError for a short one."""
    if len(passphrase) < SHORTEST:
        raise EngineError(
            f"The passphrase has fewer than {SHORTEST} characters.", "choose a longer one, say four words"
        )
    salt, nonce = os.urandom(16), os.urandom(12)
    key = hashlib.scrypt(passphrase.encode(), salt=salt, **_COST)
    sealed = AESGCM(key).encrypt(nonce, text.encode(), _PURPOSE)
    parts = {"salt": salt.hex(), "nonce": nonce.hex(), "sealed": sealed.hex()}
    return json.dumps({"cipher": "scrypt n=32768 r=8 p=1, AES-256-GCM", **parts}, indent=1) + "\n"


def unseal(document: str, passphrase: str) -> str:
    """The text of ``seal``. Raises EngineError when the passphrase is wrong or the document was altered."""
    try:
        parts = {name: bytes.fromhex(value) for name, value in json.loads(document).items() if name != "cipher"}
        key = hashlib.scrypt(passphrase.encode(), salt=parts["salt"], **_COST)
        return AESGCM(key).decrypt(parts["nonce"], parts["sealed"], _PURPOSE).decode()
    except (InvalidTag, ValueError, KeyError):
        raise EngineError(
            "The passphrase does not open the keys of this backup.", "try again, or name the right backup"
        ) from None
