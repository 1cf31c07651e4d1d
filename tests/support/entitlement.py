"""What a county has of the Entitlement road in tests: a facility, a policy, an application, an objection, a hold, an account."""

import hashlib
from datetime import date, datetime, timedelta

from .world import make_person

#: A policy that is given on application, reviewed by the county.
GIVEN = """\
code: home-help
name: 居家服务补贴
region: "{code}"
document: {{number: 试〔2026〕1号}}
valid_from: 2026-01-01
subject: person
period: month
who: age >= 60
amount: 200 元
form: cash
fund: county_budget
application: required
review: [county]
"""
#: One of which a panel decides the amount.
DECIDED = (
    GIVEN.replace("home-help", "home-adaptation")
    .replace("amount: 200 元", "amount: {{formula: 核定金额, minimum: 100 元, maximum: 5000 元}}")
    .replace("[county]", "[county, panel]")
)
#: One for a facility.
BUILT = (
    GIVEN.replace("home-help", "building-grant").replace("subject: person", "subject: facility").replace("period: month", "period: once")
    .replace("who: age >= 60", "repeat: never\nwho: facility_kind = institution").replace("form: cash", "form: cash\npayee: organisation")
)  # fmt: skip


def entitle(county, region, person, now: datetime) -> None:
    """A facility with an elder, a policy, an application of each state, an objection, a hold, an account."""
    from sangyu.care.applications import services as applications
    from sangyu.care.applications.models import Application, Objection
    from sangyu.care.policies.models import PolicyVersion, Trial
    from sangyu.registry.documents.models import Document, ListLine
    from sangyu.registry.facilities import services as facilities

    before = now - timedelta(days=20)
    bureau, community = county.actors["bureau"], county.actors["community"]
    house = facilities.register(
        actor=bureau, region_id=region.pk, name=f"福寿养老院{county.key}", kind="institution", opened_on=date(2018, 1, 1),
        urban_rural="urban", beds=20,
    )  # fmt: skip
    resident = make_person(region.children.first(), "孙玉兰")
    stay = facilities.admit(
        actor=bureau, facility_id=house.pk, person_id=resident.pk, on=date(2026, 9, 1), source="协议", today=now.date()
    )
    here = {"region": region, "path": region.path}
    text, decided_text, built = (each.format(code=region.code[:6]) for each in (GIVEN, DECIDED, BUILT))
    document = Document.objects.filter(path=region.path).first() or Document.objects.create(
        number=f"试〔2026〕1号{county.key}",
        title="试行办法",
        issuer="民政局",
        level="county",
        kind="measures",
        issued_on=date(2026, 1, 1),
        valid_from=date(2026, 1, 1),
        **here,
    )
    version, decided, _built = (
        PolicyVersion.objects.create(
            code=code, number=1, name="居家服务补贴", subject=subject, period=period, text=said,
            digest=hashlib.sha256(said.encode()).hexdigest(), document=document, state="approved", author="甲",
            approved_by="乙", approved_at=before, valid_from=date(2026, 1, 1), **here,
        )
        for code, said, subject, period in (
            ("home-help", text, "person", "month"), ("home-adaptation", decided_text, "person", "month"),
            ("building-grant", built, "facility", "once"),
        )
    )  # fmt: skip
    about = {"person": person, "path": person.path, "policy_code": "home-help", "policy_name": "居家服务补贴"}
    asked = {
        **about,
        "channel": "family",
        "applicant": "李建华",
        "applied_on": now.date(),
        "due_on": now.date(),
        "steps": ["county"],
    }
    rows = {
        "application": Application.objects.create(
            number=f"SQ1{county.key}", applicant_id=county.accounts["elder"].pk, **asked
        ),
        "undecided_application": Application.objects.create(
            number=f"SQ3{county.key}", version=decided, **{**asked, "policy_code": decided.code}
        ),
        "refused_application": Application.objects.create(
            number=f"SQ2{county.key}", state="refused", decided_at=before, **{**asked, "policy_code": "another"}
        ),
        "objection": Objection.objects.create(
            number=f"YY1{county.key}", channel="family", applicant="李建华", text="不符", due_on=now.date(),
            applicant_id=county.accounts["elder"].pk, **about,
        ),
        "rejected_objection": Objection.objects.create(
            number=f"YY2{county.key}", channel="family", applicant="李建华", text="不符", due_on=now.date(),
            state="rejected", answered_path=region.path, answered_by="x", month=date(2026, 9, 1), **about,
        ),
    }  # fmt: skip
    hold = applications.hold(
        actor=bureau, person_id=person.pk, kind="check", reason="核查", valid_from=date(2026, 10, 1)
    )
    payee = applications.propose_payee(
        actor=community,
        person_id=person.pk,
        holder=person.name,
        number="6228481234567890128",
        bank="农业银行",
        now=before,
    )
    line = ListLine.objects.create(document=document, path=region.path, number=1, audience="全体", name="居家服务")
    officer = county.actors["bureau"]
    trial = Trial.objects.create(
        version=version, path=region.path, text=text, month=date(2026, 10, 1), figures={}, actor=officer.name,
        account_id=officer.account_id,
    )  # fmt: skip
    county.ids |= {name: row.pk for name, row in rows.items()} | {
        "facility": house.pk, "stay": stay.pk, "hold": hold.pk, "payee": payee.pk, "resident": resident.pk,
        "document": document.pk, "document_line": line.pk, "policy": version.pk, "policy_trial": trial.pk,
    }  # fmt: skip
