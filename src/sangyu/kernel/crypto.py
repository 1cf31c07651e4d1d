"""Personal data at rest: ciphertext with key ids, and blind indexes (design rule 8, docs/adr/0011-personal-data.md).

Settings: ``SANGYU_KEYS`` maps key id → 32 bytes in hex; the last one encrypts, all of them decrypt.
``SANGYU_INDEX_KEY`` is the 32-byte key (hex) of the blind indexes; changing it means computing every index again.
``SANGYU_CIPHER`` is ``aes`` (AES-256-GCM, HMAC-SHA256) or ``sm4`` (SM4-GCM of GB/T 32907, HMAC-SM3 of GB/T 32905).
A ciphertext says which cipher made it, so both are read whatever the setting; ``resealing`` brings all to the present one.
"""

import base64
import hashlib
import os
import re
from collections.abc import Callable
from functools import cache
from typing import Protocol

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.db import models

from .identity import mask_id_number, mask_phone

_NONCE = 12
WHOLE_BYTES = 16
TAIL_BYTES = 8


class CannotDecrypt(RuntimeError):
    """The key of a stored value is missing, or the value was altered."""


class Sealer(Protocol):
    """Authenticated encryption with one key."""

    def encrypt(self, nonce: bytes, data: bytes, purpose: bytes) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, purpose: bytes) -> bytes: ...


class SM4GCM:
    """SM4 (GB/T 32907) in Galois/counter mode with a 16-byte tag; ``key`` has 16 bytes."""

    TAG = 16

    def __init__(self, key: bytes) -> None:
        self._algorithm = algorithms.SM4(key)

    def encrypt(self, nonce: bytes, data: bytes, purpose: bytes) -> bytes:
        sealing = Cipher(self._algorithm, modes.GCM(nonce)).encryptor()
        sealing.authenticate_additional_data(purpose)
        return sealing.update(data) + sealing.finalize() + sealing.tag

    def decrypt(self, nonce: bytes, data: bytes, purpose: bytes) -> bytes:
        if len(data) < self.TAG:
            raise InvalidTag
        opening = Cipher(self._algorithm, modes.GCM(nonce, data[-self.TAG :])).decryptor()
        opening.authenticate_additional_data(purpose)
        return opening.update(data[: -self.TAG]) + opening.finalize()


def _sm3(key: bytes, data: bytes) -> bytes:
    made = HMAC(key, hashes.SM3())
    made.update(data)
    return made.finalize()


def _sha256(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA256 (RFC 2104) from the two states that the key alone makes: an import asks for nine a row, and setting one up
    costs twice what hashing a number does."""
    inner, outer = _keyed(key)
    inner, outer = inner.copy(), outer.copy()
    inner.update(data)
    outer.update(inner.digest())
    return outer.digest()


@cache
def _keyed(key: bytes):
    padded = key.ljust(64, b"\0")
    return tuple(hashlib.sha256(bytes(byte ^ pad for byte in padded)) for pad in (0x36, 0x5C))


def _sm4(key: bytes) -> SM4GCM:
    """SM4 has keys of 16 bytes: one is drawn from the 32 by HMAC-SM3, so that no key serves two ciphers."""
    return SM4GCM(_sm3(key, b"sangyu sm4-gcm")[:16])


#: Mark in the first byte of a ciphertext → how a key is made into a cipher.
_MAKE: dict[int, Callable[[bytes], Sealer]] = {0x00: AESGCM, 0x80: _sm4}
#: ``SANGYU_CIPHER`` → mark, hash of the blind indexes.
SUITES: dict[str, tuple[int, Callable[[bytes, bytes], bytes]]] = {"aes": (0x00, _sha256), "sm4": (0x80, _sm3)}


@cache
def _suite() -> tuple[int, Callable[[bytes, bytes], bytes]]:
    name = getattr(settings, "SANGYU_CIPHER", "aes")
    if name not in SUITES:
        raise ImproperlyConfigured(f"SANGYU_CIPHER is {name!r}; it must be one of: {', '.join(SUITES)}")
    if name == "sm4":
        try:
            SM4GCM(bytes(16)).encrypt(bytes(_NONCE), b"", b"")
            _sm3(b"", b"")
        except UnsupportedAlgorithm as error:
            raise ImproperlyConfigured("SANGYU_CIPHER is 'sm4', but this OpenSSL has no SM4-GCM or SM3") from error
    return SUITES[name]


@cache
def _ciphers() -> dict[tuple[int, str], Sealer]:
    keys = getattr(settings, "SANGYU_KEYS", None)
    if not keys:
        raise ImproperlyConfigured("SANGYU_KEYS is empty: no key to encrypt personal data with")
    raw = {str(key_id): bytes.fromhex(key) for key_id, key in keys.items()}
    return {(mark, key_id): make(key) for mark, make in _MAKE.items() for key_id, key in raw.items()}


@cache
def _index_key() -> bytes:
    key = bytes.fromhex(getattr(settings, "SANGYU_INDEX_KEY", "") or "")
    if len(key) != 32:
        raise ImproperlyConfigured("SANGYU_INDEX_KEY must be 64 hex digits")
    return key


def _forget_keys(*, setting: str, **kwargs) -> None:
    if setting in ("SANGYU_KEYS", "SANGYU_INDEX_KEY", "SANGYU_CIPHER"):
        _ciphers.cache_clear()
        _index_key.cache_clear()
        _suite.cache_clear()
        _hashes.cache_clear()
        current_head.cache_clear()


setting_changed.connect(_forget_keys)


def current_key_id() -> str:
    """Id of the key that encrypts now: the last in ``SANGYU_KEYS``."""
    return list(_ciphers())[-1][1]


@cache
def current_head() -> bytes:
    """The first bytes of what is encrypted now: cipher and key. Anything else is stale."""
    key_id = current_key_id()
    return bytes([_suite()[0] | len(key_id)]) + key_id.encode("ascii")


def encrypt(text: str, purpose: str) -> bytes:
    """``text`` encrypted with the current key; only ``decrypt`` with the same ``purpose`` reads it.

    Layout: one byte with the cipher's mark and the length of the key id, key id, 12 bytes nonce, ciphertext with tag.
    """
    nonce = os.urandom(_NONCE)
    cipher = _ciphers()[_suite()[0], current_key_id()]
    return current_head() + nonce + cipher.encrypt(nonce, text.encode(), purpose.encode())


def decrypt(blob: bytes | memoryview, purpose: str) -> str:
    """The text of ``blob``. Raises CannotDecrypt when its key is missing or the bytes were altered."""
    blob = bytes(blob)
    key_id = key_id_of(blob)
    cipher = _ciphers().get((blob[0] & 0x80, key_id))
    if cipher is None:
        raise CannotDecrypt(f"key {key_id!r} is not in SANGYU_KEYS")
    start = 1 + (blob[0] & 0x7F)
    try:
        return cipher.decrypt(blob[start : start + _NONCE], blob[start + _NONCE :], purpose.encode()).decode()
    except (InvalidTag, ValueError):
        raise CannotDecrypt(f"value for {purpose} does not verify with key {key_id!r}") from None


def key_id_of(blob: bytes | memoryview) -> str:
    """Id of the key that encrypted ``blob``."""
    blob = bytes(blob)
    return blob[1 : 1 + (blob[0] & 0x7F)].decode("ascii", "replace")


def blind_index(value: str, purpose: str, size: int = WHOLE_BYTES) -> bytes | None:
    """Keyed hash for equality search; None for an empty value. Another ``purpose`` gives another hash."""
    if not value:
        return None
    return _suite()[1](_index_key(), f"{purpose}\0{value}".encode())[:size]


def derived_secret(value: str, purpose: str) -> str:
    """A password of 128 bits made of the index key and ``value``: 26 letters and digits. Nothing is stored; another value, another password."""
    return base64.b32encode(bytes(blind_index(value, purpose))).decode().rstrip("=").lower()


def tail_index(value: str, purpose: str) -> bytes | None:
    """Blind index of the last four characters, for "the number ends in 4417"; None when there are fewer."""
    return blind_index(value[-4:], f"{purpose}.tail", TAIL_BYTES) if value and len(value) >= 4 else None


@cache
def _hashes() -> tuple[Callable[[bytes, bytes], bytes], ...]:
    """The hash of the present suite first, then those of the others that this OpenSSL knows."""
    found = [_suite()[1]]
    for _mark, hashed in SUITES.values():
        if hashed not in found:
            try:
                hashed(b"", b"")
            except UnsupportedAlgorithm:
                continue
            found.append(hashed)
    return tuple(found)


def blind_indexes(value: str, purpose: str, size: int = WHOLE_BYTES) -> list[bytes]:
    """What to look for: the index as written now, and as another cipher wrote it. [] for an empty value.

    While ``resealing`` is at work rows of both kinds stand side by side; a search asks for both, which costs one more probe
    of the same index.
    """
    if not value:
        return []
    text = f"{purpose}\0{value}".encode()
    return [hashed(_index_key(), text)[:size] for hashed in _hashes()]


def tail_indexes(value: str, purpose: str) -> list[bytes]:
    """The same for the last four characters; [] when there are fewer."""
    return blind_indexes(value[-4:], f"{purpose}.tail", TAIL_BYTES) if value and len(value) >= 4 else []


def whole(purpose: str, form: Callable[[str], str] = str) -> Callable[[str], bytes | None]:
    """How a column of whole blind indexes follows from the text: ``EncryptedTextField(indexes={"id_index": whole(…)})``."""
    return lambda text: blind_index(form(text), purpose)


def tail(purpose: str, form: Callable[[str], str] = str) -> Callable[[str], bytes | None]:
    """The same for a column of last-four indexes."""
    return lambda text: tail_index(form(text), purpose)


class EncryptedTextField(models.BinaryField):
    """Text kept as ciphertext in a bytea column; the attribute is the plain text ('' is stored as NULL).

    Every save writes another ciphertext, so services name the changed fields in ``update_fields``. No lookups: search
    goes through a blind index column beside it. ``purpose`` binds the ciphertext to its column.
    ``indexes`` names these columns and how they follow from the text, so that ``resealing`` can compute them again.
    """

    def __init__(
        self,
        *args,
        purpose: str = "",
        indexes: dict[str, Callable[[str], bytes | None]] | None = None,
        **kwargs,
    ) -> None:
        self.purpose = purpose
        self.indexes = indexes or {}
        kwargs.setdefault("null", True)
        kwargs.setdefault("blank", True)
        kwargs.setdefault("editable", True)
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "purpose": self.purpose}

    def get_prep_value(self, value):
        return encrypt(value, self.purpose) if value else None

    def get_db_prep_value(self, value, connection, prepared=False):
        return super().get_db_prep_value(value if prepared else self.get_prep_value(value), connection, True)

    def get_lookup(self, lookup_name):
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None

    def from_db_value(self, value, expression, connection):
        return "" if value is None else decrypt(value, self.purpose)

    def to_python(self, value):
        return value

    def value_to_string(self, obj):
        return self.value_from_object(obj) or ""

    def get_default(self):
        return ""

    def shown_in_history(self, value: str | None) -> str:
        """An old or new value of the history, masked."""
        return _hint(decrypt_history(value, self.purpose))


def _hint(text: str) -> str:
    """What a list of changes shows: enough to recognise a number, not to use it."""
    if not text or not re.fullmatch(r"[0-9A-Z-]{7,18}", text):
        return "•••" if text else ""
    return mask_id_number(text) if len(text) in (15, 18) else mask_phone(text)


def decrypt_history(value: str | None, purpose: str) -> str:
    """The text of an encrypted column as history keeps it (``\\x…``); '' for NULL."""
    return "" if value is None else decrypt(bytes.fromhex(value.removeprefix("\\x")), purpose)
