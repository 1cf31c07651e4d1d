"""Emergencies of a county in the states that pages and operations ask for."""

from datetime import timedelta


def alarm_county(county, region, person, now) -> None:
    """One case that waits, one in the operator's hands to which a worker, a clerk and a relative are asked, one closed; a night, a
    station, a channel, a drill, a missed call.
    """
    from sangyu.care.emergencies import services
    from sangyu.care.emergencies.models import Party
    from sangyu.care.emergencies.services.responding import _show

    desk, before = county.actors["operator"], now - timedelta(hours=3)

    def case(kind: str, level: int, **who) -> int:
        return services.raise_by_hand(
            actor=desk, source="call", kind=kind, level=level, now=before, **(who or {"person_id": person.pk})
        )

    closed = case("wandering", 2)
    services.claim(actor=desk, incident_id=closed, now=before)
    services.close(actor=desk, incident_id=closed, outcome="helped", cause="lost", now=before)
    taken, waits = case("sos", 1), case("wandering", 2, address="学府路 3 号")
    services.claim(actor=desk, incident_id=taken, now=before)
    asked = {"incident_id": taken, "offered_at": before, "answer_by": now}
    worker = Party.objects.create(
        **asked, kind="worker", subject_id=county.ids["worker"], worker_id=county.ids["worker"],
        organisation_id=county.ids["organisation"], name="何永强",
    )  # fmt: skip
    for role, kind in (("community", "operator"), ("family", "family")):
        made = county.accounts[role]
        Party.objects.create(**asked, kind=kind, subject_id=made.pk, account=made, name=made.name)
    from sangyu.care.emergencies.models import Incident
    from sangyu.care.signals import services as signals
    from sangyu.kernel.models import Share

    _show(Incident.objects.get(pk=taken), worker)
    Share.objects.filter(kind="incident").update(since=now - timedelta(days=1))
    bureau = county.actors["bureau"]
    (night,) = services.plan_nights(
        actor=bureau,
        region_id=region.pk,
        first=now.date(),
        last=now.date(),
        account_ids=[county.accounts["operator"].pk],
        now=now,
    )
    station = services.save_station(actor=bureau, facility_id=county.ids["facility"], now=now)
    channel = services.save_channel(actor=bureau, region_id=region.pk, name="短信", kind="sms", now=now)
    drill = services.plan_drill(
        actor=bureau, title="夜间演练", region_id=region.pk, planned_at=now, place="养老院", now=now
    )
    call = services.write_down_call(actor=desk, number="04172800001", missed=True, now=before)
    about = {"actor": bureau, "person_id": person.pk, "reason": "医嘱", "today": before.date()}
    limit = signals.set_limit(rule="heart_rate", high=110, **about)
    fence = signals.draw_fence(name="小区", latitude=40.66, longitude=122.23, radius=500, **about)
    county.ids |= {
        "limit": limit.pk, "fence": fence.pk,
        "emergency": waits, "emergency_taken": taken, "emergency_closed": closed, "night": night.pk, "alarm_station": station.pk,
        "alarm_channel": channel.pk, "drill": drill.pk, "call": call.pk,
    }  # fmt: skip
