"""The log of reads of personal data (standards §6.4)."""

import pytest

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.audit import log_read
from sangyu.kernel.models import DataRead, Operation
from sangyu.kernel.scoping import scope

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("audience", [Audience.STAFF, Audience.PROVIDER, Audience.WORKER, Audience.FAMILY])
def test_a_look_is_recorded_whoever_looks(regions, audience):
    row = Operation.objects.create(kind="test", title="t", path=regions["a"].path, audience="staff", actor="x")
    actor = Actor(audience=audience, path=regions["a"].path, name="who", subject_id=7, account_id=5)
    with scope(actor):
        log_read(actor=actor, what="pdf", objects=[row], purpose="statement")
    read = DataRead.objects.get()
    assert (read.table_name, read.row_id, read.what, read.purpose) == ("kernel_operation", row.pk, "pdf", "statement")
    assert (read.actor, read.account_id, read.path) == ("who", 5, regions["a"].path)
