"""SM4 and SM3 by setting (GB/T 32907-2016, GB/T 32905-2016), ciphertext that says what made it (standards §6.4)."""

import hmac

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.core.exceptions import ImproperlyConfigured

from sangyu.kernel import crypto, resealing
from sangyu.kernel.crypto import EncryptedTextField
from sangyu.kernel.database_objects import sangyu_models
from sangyu.kernel.models import Change
from sangyu.kernel.scoping import scope

SUITES = ["aes", "sm4"]
PURPOSE = "people.person.phone"


def sm3(data: bytes) -> str:
    made = hashes.Hash(hashes.SM3())
    made.update(data)
    return made.finalize().hex()


def test_sm3_is_that_of_the_standard():
    """GB/T 32905, appendix A: examples 1 and 2."""
    assert sm3(b"abc") == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert sm3(b"abcd" * 16) == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"


def test_sm4_is_that_of_the_standard():
    """GB/T 32907, appendix A: example 1."""
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    one = Cipher(algorithms.SM4(key), modes.ECB()).encryptor().update(key)
    assert one.hex() == "681edf34d206965e86b3e94f536e4246"


def test_sm4_gcm_is_that_of_the_tls_suites():
    """RFC 8998, appendix A.1."""
    cipher = crypto.SM4GCM(bytes.fromhex("0123456789ABCDEFFEDCBA9876543210"))
    nonce, extra = bytes.fromhex("00001234567800000000ABCD"), bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
    plain = bytes.fromhex(
        "AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBCCCCCCCCCCCCCCCCDDDDDDDDDDDDDDDD"
        "EEEEEEEEEEEEEEEEFFFFFFFFFFFFFFFFEEEEEEEEEEEEEEEEAAAAAAAAAAAAAAAA"
    )
    made = cipher.encrypt(nonce, plain, extra)
    assert made.hex().upper() == (
        "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735"
        "D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"
        "83DE3541E4C2B58177E065A9BF7B62EC"
    )
    assert cipher.decrypt(nonce, made, extra) == plain
    for wrong in (made[:-1], made[:8], bytes([made[0] ^ 1]) + made[1:]):
        with pytest.raises(InvalidTag):
            cipher.decrypt(nonce, wrong, extra)


@pytest.mark.parametrize("suite", SUITES)
def test_each_cipher_seals_and_refuses_what_was_altered(settings, suite):
    settings.SANGYU_CIPHER = suite
    sealed = crypto.encrypt("13804170000", PURPOSE)
    assert (b"1380" in sealed, crypto.decrypt(sealed, PURPOSE), crypto.key_id_of(sealed)) == (False, "13804170000", "1")
    wrong = [sealed[:at] + bytes([sealed[at] ^ 0x80]) + sealed[at + 1 :] for at in range(len(sealed))]
    for blob in [*wrong, sealed[:-1], sealed[:6], sealed[:2]]:
        with pytest.raises(crypto.CannotDecrypt):
            crypto.decrypt(blob, PURPOSE)
    with pytest.raises(crypto.CannotDecrypt):
        crypto.decrypt(sealed, "people.contact.phone")


def test_both_are_read_whatever_the_setting(settings):
    sealed = {}
    for settings.SANGYU_CIPHER in SUITES:
        sealed[settings.SANGYU_CIPHER] = crypto.encrypt("13804170000", PURPOSE)
    assert (sealed["aes"][0], sealed["sm4"][0]) == (0x01, 0x81)
    for settings.SANGYU_CIPHER in SUITES:
        assert [crypto.decrypt(s, PURPOSE) for s in sealed.values()] == ["13804170000"] * 2


def test_a_blind_index_is_the_hmac_of_its_purpose_and_value(settings):
    key = bytes.fromhex(settings.SANGYU_INDEX_KEY)
    for value in ("13812345678", "x" * 200):
        whole = hmac.digest(key, f"people.phone\0{value}".encode(), "sha256")
        assert crypto.blind_index(value, "people.phone") == whole[:16]


def test_indexes_differ_by_cipher(settings):
    found = set()
    for settings.SANGYU_CIPHER in SUITES:
        found |= {crypto.blind_index("13804170000", "phone"), crypto.blind_index("13804170000", "id")}
        assert len(crypto.tail_index("13804170000", "phone")) == 8
    assert len(found) == 4


def test_an_unknown_cipher_stops_the_start(settings):
    settings.SANGYU_CIPHER = "des"
    with pytest.raises(ImproperlyConfigured, match="SANGYU_CIPHER is 'des'; it must be one of: aes, sm4"):
        crypto.encrypt("x", PURPOSE)


def test_every_index_column_says_how_it_follows_from_a_sealed_one():
    """Else it would be lost when the cipher changes."""
    lost = []
    for model in sangyu_models():
        names = {f.name for f in model._meta.concrete_fields if f.name.endswith(("_index", "_tail"))}
        sealed = [f for f in model._meta.concrete_fields if isinstance(f, EncryptedTextField)]
        lost += [f"{model._meta.label}.{n}" for n in names - {n for f in sealed for n in f.indexes}]
        assert {n for f in sealed for n in f.indexes} <= names
    assert lost == []


@pytest.mark.django_db
def test_resealing_moves_values_and_indexes_and_goes_on_after_a_stop(regions, staff, settings):
    from sangyu.registry.people.models import Person
    from sangyu.registry.people.selectors import find_ids
    from sangyu.registry.people.values import phone_columns

    rows = [
        Person(
            name=f"张三{n}", pinyin="z", initials="z", sex="1", region=regions["a_one"], path=regions["a_one"].path,
            source="test", **phone_columns(f"1380417{n:04d}"),
        )
        for n in range(25)
    ]  # fmt: skip
    Person.objects.bulk_create(rows)
    changes = Change.objects.count()
    old = dict(Person.objects.values_list("pk", "phone_index"))
    settings.SANGYU_CIPHER = "sm4"
    assert Person.objects.get(pk=rows[3].pk).phone == "13804170003"
    with scope(staff("city")):
        assert not Person.objects.filter(phone_index=phone_columns("13804170003")["phone_index"])
        assert find_ids(staff("city"), "13804170003") == find_ids(staff("city"), "0003") == [rows[3].pk]
    work = resealing.reseal_model(Person, batch=10)
    assert next(work) == 10  # the worker dies here
    del work
    assert resealing.stale(Person) == 15
    assert [find_ids(staff("city"), f"1380417{n:04d}") for n in (3, 20)] == [[rows[3].pk], [rows[20].pk]]  # either kind
    assert list(resealing.reseal_model(Person, batch=10)) == [10, 5]
    assert (resealing.stale(Person), list(resealing.reseal_model(Person))) == (0, [])
    for n, row in enumerate(rows):
        fresh = Person.objects.get(pk=row.pk)
        assert fresh.phone == f"1380417{n:04d}"
        assert bytes(fresh.phone_index) == phone_columns(fresh.phone)["phone_index"] != bytes(old[row.pk])
        assert bytes(fresh.phone_tail) == phone_columns(fresh.phone)["phone_tail"]
    assert Change.objects.count() == changes
    settings.SANGYU_CIPHER = "aes"
    assert sum(resealing.reseal_model(Person)) == 25
    assert {pk: bytes(v) for pk, v in Person.objects.values_list("pk", "phone_index")} == {
        pk: bytes(v) for pk, v in old.items()
    }


@pytest.mark.django_db
def test_the_operation_reseals_every_model_and_tells_the_counts(regions, staff, settings):
    from sangyu.kernel import operations
    from sangyu.kernel.models import Operation
    from sangyu.registry.people.models import Person
    from sangyu.registry.people.values import phone_columns

    Person.objects.create(
        name="张三", pinyin="z", initials="z", sex="1", region=regions["a_one"], path=regions["a_one"].path,
        source="test", **phone_columns("13804170000"),
    )  # fmt: skip
    settings.SANGYU_CIPHER = "sm4"
    row = resealing.start(staff("city"))
    operations.run(row.pk)
    row = Operation.objects.get(pk=row.pk)
    assert (row.state, row.result) == ("done", {"people_person": 1})
    with scope(staff("city")):
        found = Person.objects.get(phone_index=phone_columns("13804170000")["phone_index"])
    assert found.phone == "13804170000"
