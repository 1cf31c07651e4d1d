"""Personal data at rest: AES-256-GCM with key ids, and blind indexes (design rule 8, docs/adr/0011-personal-data.md).

Settings: ``SANGYU_KEYS`` maps key id → 32 bytes in hex; the last one encrypts, all of them decrypt.
``SANGYU_INDEX_KEY`` is the 32-byte key (hex) of the blind indexes; changing it means computing every index again.
"""

import hashlib
import hmac
import os
import re
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.db import models
from django.db.models.functions import Cast

from .identity import mask_id_number, mask_phone

_NONCE = 12
WHOLE_BYTES = 16
TAIL_BYTES = 8


class CannotDecrypt(RuntimeError):
    """The key of a stored value is missing, or the value was altered."""


@cache
def _ciphers() -> dict[str, AESGCM]:
    keys = getattr(settings, "SANGYU_KEYS", None)
    if not keys:
        raise ImproperlyConfigured("SANGYU_KEYS is empty: no key to encrypt personal data with")
    return {str(key_id): AESGCM(bytes.fromhex(key)) for key_id, key in keys.items()}


@cache
def _index_key() -> bytes:
    key = bytes.fromhex(getattr(settings, "SANGYU_INDEX_KEY", "") or "")
    if len(key) != 32:
        raise ImproperlyConfigured("SANGYU_INDEX_KEY must be 64 hex digits")
    return key


def _forget_keys(*, setting: str, **kwargs) -> None:
    if setting in ("SANGYU_KEYS", "SANGYU_INDEX_KEY"):
        _ciphers.cache_clear()
        _index_key.cache_clear()


setting_changed.connect(_forget_keys)


def current_key_id() -> str:
    """Id of the key that encrypts now: the last in ``SANGYU_KEYS``."""
    return list(_ciphers())[-1]


def encrypt(text: str, purpose: str) -> bytes:
    """``text`` encrypted with the current key; only ``decrypt`` with the same ``purpose`` reads it.

    Layout: one byte length of the key id, key id, 12 bytes nonce, ciphertext with tag.
    """
    key_id = current_key_id()
    nonce = os.urandom(_NONCE)
    head = bytes([len(key_id)]) + key_id.encode("ascii")
    return head + nonce + _ciphers()[key_id].encrypt(nonce, text.encode(), purpose.encode())


def decrypt(blob: bytes | memoryview, purpose: str) -> str:
    """The text of ``blob``. Raises CannotDecrypt when its key is missing or the bytes were altered."""
    blob = bytes(blob)
    key_id = key_id_of(blob)
    cipher = _ciphers().get(key_id)
    if cipher is None:
        raise CannotDecrypt(f"key {key_id!r} is not in SANGYU_KEYS")
    start = 1 + blob[0]
    try:
        return cipher.decrypt(blob[start : start + _NONCE], blob[start + _NONCE :], purpose.encode()).decode()
    except InvalidTag:
        raise CannotDecrypt(f"value for {purpose} does not verify with key {key_id!r}") from None


def key_id_of(blob: bytes | memoryview) -> str:
    """Id of the key that encrypted ``blob``."""
    blob = bytes(blob)
    return blob[1 : 1 + blob[0]].decode("ascii")


def blind_index(value: str, purpose: str, size: int = WHOLE_BYTES) -> bytes | None:
    """Keyed hash for equality search; None for an empty value. Another ``purpose`` gives another hash."""
    if not value:
        return None
    return hmac.new(_index_key(), f"{purpose}\0{value}".encode(), hashlib.sha256).digest()[:size]


def tail_index(value: str, purpose: str) -> bytes | None:
    """Blind index of the last four characters, for "the number ends in 4417"; None when there are fewer."""
    return blind_index(value[-4:], f"{purpose}.tail", TAIL_BYTES) if value and len(value) >= 4 else None


class EncryptedTextField(models.BinaryField):
    """Text kept as ciphertext in a bytea column; the attribute is the plain text ('' is stored as NULL).

    Every save writes another ciphertext, so services name the changed fields in ``update_fields``. No lookups: search
    goes through a blind index column beside it. ``purpose`` binds the ciphertext to its column.
    """

    def __init__(self, *args, purpose: str = "", **kwargs) -> None:
        self.purpose = purpose
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


def reencrypt(model: type[models.Model], field: str, *, batch: int = 1000) -> int:
    """Bring rows of ``model`` that an older key encrypted to the current key; returns how many. Needs a job's scope."""
    column = model._meta.get_field(field)
    head = bytes([len(current_key_id())]) + current_key_id().encode("ascii")
    moved, last = 0, 0
    while True:
        rest = model._default_manager.filter(pk__gt=last, **{f"{field}__isnull": False}).order_by("pk")
        rows = dict(rest.values_list("pk", Cast(field, models.BinaryField()))[:batch])
        if not rows:
            return moved
        last = max(rows)
        stale = {pk: decrypt(v, column.purpose) for pk, v in rows.items() if not bytes(v).startswith(head)}
        model._default_manager.bulk_update([model(pk=pk, **{field: text}) for pk, text in stale.items()], [field])
        moved += len(stale)
