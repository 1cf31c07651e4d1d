"""Policies of the small city: three texts, a document, two people to write and approve."""

from dataclasses import replace
from datetime import date

import pytest

from sangyu.care.policies import services, whatif
from sangyu.registry.documents import services as documents
from sangyu.registry.people import services as persons
from support.policies import HOME_CARE


@pytest.fixture(autouse=True)
def fresh_facts(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    whatif.forget()


@pytest.fixture
def author(staff):
    return replace(staff("city"), account_id=11, name="起草人")


@pytest.fixture
def chief(staff):
    return replace(staff("city"), account_id=12, name="科长")


@pytest.fixture
def document(author):
    return documents.add(
        actor=author,
        number="营民发〔2026〕3号",
        title="居家养老服务补贴办法",
        issuer="营口市民政局",
        level="city",
        kind="measures",
        issued_on=date(2026, 1, 5),
        valid_from=date(2026, 2, 1),
        valid_to=None,
    )


@pytest.fixture
def approved(author, chief, document):
    """Factory: a text, drafted by one and approved by another."""

    def make(text=HOME_CARE):
        return services.approve(actor=chief, version_id=services.draft(actor=author, text=text).pk)

    return make


@pytest.fixture
def elder(staff, regions):
    """Factory: an elder with facts from 2026-01-01 on."""
    clerk = replace(staff("city"), account_id=21)

    def make(name, place="a_one", born=date(1940, 3, 5), **facts):
        made = persons.register(
            actor=clerk, name=name, region_id=regions[place].pk, source="登记", sex="1", birth_date=born
        )
        for kind, value in facts.items():
            persons.record_fact(
                actor=clerk, person_id=made.pk, kind=kind, value=value, valid_from=date(2026, 1, 1), source="登记"
            )
        return made

    make.clerk = clerk
    return make
