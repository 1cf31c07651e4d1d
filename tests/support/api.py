"""The API as the tests ask it: Schemathesis on the real WSGI application, and one working example per operation."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager

import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from .counties import County

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
WHY = {"reason": "家属要求"}
HOUSE = {"body_kind": "facility", "body_id": "@facility"}
#: operationId → (names of County.ids for the path, query, body). Body values that start with "@" name ids as well.
EXAMPLES: dict[str, tuple[dict, dict, dict | None]] = {
    "emergencies.list": ({}, {"state": "open"}, None),
    "emergencies.report": ({}, {"frm": "2026-08-01", "to": "2026-11-03", "by": "area"}, None),
    "emergencies.get": ({"incident_id": "emergency"}, {}, None),
    "emergencies.trail": ({"incident_id": "emergency"}, {}, None),
    "emergencies.raise": ({}, {}, {"source": "app", "kind": "fall", "person_id": "@person", "text": "摔倒"}),
    "emergencies.claim": ({"incident_id": "emergency"}, {}, None),
    "emergencies.release": ({"incident_id": "emergency_taken"}, {}, {}),
    "emergencies.verify": ({"incident_id": "emergency_taken"}, {}, {"result": "needs_help"}),
    "emergencies.note": ({"incident_id": "emergency"}, {}, {"text": "已联系家属"}),
    "emergencies.answer": ({"incident_id": "emergency_taken"}, {}, {"accepted": True}),
    "emergencies.on_the_way": ({"incident_id": "emergency_taken"}, {}, None),
    "emergencies.arrived": ({"incident_id": "emergency_taken"}, {}, None),
    "emergencies.close": ({"incident_id": "emergency_taken"}, {}, {"outcome": "helped", "cause": "fall"}),
    "emergencies.review": ({"incident_id": "emergency_closed"}, {}, {"reason": "及时"}),
    "signals.alarms": ({}, {"state": "open"}, None),
    "signals.measurements": (
        {"person_id": "person"}, {"kind": "heart_rate", "frm": "2026-11-02T00:00:00+08:00", "to": "2026-11-03T00:00:00+08:00"}, None,
    ),
    "signals.place": ({"person_id": "person"}, {}, None),
    "signals.limits": ({"person_id": "person"}, {}, None),
    "signals.set_limit": ({"person_id": "person"}, {}, {"rule": "heart_rate", "high": 120, "reason": "医嘱"}),
    "signals.draw_fence": (
        {"person_id": "person"}, {}, {"name": "家附近", "latitude": 40.66, "longitude": 122.24, "radius": 500, "reason": "易走失"},
    ),
    "telephony.event": ({}, {}, {"call_id": "c-1", "event_id": "e-1", "what": "offered", "at": "2026-11-03T10:00:00+08:00"}),
    "regions.list": ({}, {"text": "清华"}, None),
    "regions.get": ({"region_id": "region"}, {}, None),
    "catalogue.items": ({}, {"category": "cleaning"}, None),
    "catalogue.item": ({"code": "=cleaning"}, {}, None),
    "organisations.list": ({}, {"state": "approved"}, None),
    "organisations.get": ({"organisation_id": "organisation"}, {}, None),
    "organisations.offerings": ({}, {"item_code": "cleaning", "region_id": "@region"}, None),
    "workforce.list": ({}, {"organisation_id": "@organisation"}, None),
    "workforce.get": ({"worker_id": "worker"}, {}, None),
    "people.search": ({}, {"text": "王"}, None),
    "people.get": ({"person_id": "person"}, {}, None),
    "people.register": (
        {}, {},
        {"name": "李秀英", "region_id": "@community", "source": "电话", "sex": "2", "birth_date": "1944-05-06"},
    ),
    "people.facts": ({"person_id": "person"}, {"day": "2026-10-01"}, None),
    "people.record_fact": (
        {"person_id": "person"}, {},
        {"kind": "care_level", "value": "3", "valid_from": "2026-10-01", "source": "评估"},
    ),
    "people.end_fact": ({"fact_id": "fact"}, {}, {"ends_on": "2026-10-01", "reason": "女儿搬来同住"}),
    "duplicates.list": ({}, {}, None),
    "duplicates.apart": ({"candidate_id": "candidate"}, {}, WHY),
    "duplicates.later": ({"candidate_id": "candidate"}, {}, WHY),
    "people.merge": ({}, {}, {"kept_id": "@person", "gone_id": "@other_person", **WHY}),
    "transfers.list": ({}, {"state": "requested"}, None),
    "transfers.request": (
        {}, {},
        {
            "id_number": "@stranger_number", "name": "外区人", "region_id": "@community", "moved_on": "2026-10-01",
            "evidence": "居住证", **WHY,
        },
    ),
    "transfers.agree": ({"transfer_id": "transfer"}, {}, {}),
    "transfers.refuse": ({"transfer_id": "transfer"}, {}, WHY),
    "transfers.withdraw": ({"transfer_id": "transfer"}, {}, {}),
    "privacy.list": ({}, {}, None),
    "privacy.ask": ({}, {}, {"person_id": "@person", "kind": "deletion"}),
    "privacy.enter": ({}, {}, {"person_id": "@person", "kind": "deletion", "asked_name": "王桂兰"}),
    "privacy.take": ({"request_id": "data_request"}, {}, None),
    "privacy.correct": ({"request_id": "correction_request"}, {}, {}),
    "privacy.refuse": ({"request_id": "data_request"}, {}, WHY),
    "privacy.withdraw": ({"request_id": "own_data_request"}, {}, None),
    "imports.roster": (
        {}, {},
        {"key": "r-1", "source": "社区系统", "rows": [
            {"name": "赵秀兰", "sex": "女", "birth_date": "1944.5.6", "region": "清华社区"}, {"name": "", "region": "?"},
        ]},
    ),
    "imports.roster_standing": ({"key": "roster_key"}, {}, None),
    "imports.statuslist": (
        {}, {},
        {
            "key": "s-1", "settings": {"list_kind": "death", "month": "2026-10", "authority": "卫健局"},
            "rows": [{"name": "无此人", "birth_date": "1940-01-01", "since": "2026-10-02"}],
        },
    ),
    "imports.statuslist_standing": ({"key": "statuslist_key"}, {}, None),
    "orders.list": ({}, {"open": "true", "size": "2"}, None),
    "orders.get": ({"order_id": "order_confirmed"}, {}, None),
    "orders.trail": ({"order_id": "order_confirmed"}, {}, None),
    "orders.price_preview": (
        {}, {}, {"person_id": "@person", "item_code": "cleaning", "planned_start": "2026-11-05T09:00:00+08:00"},
    ),
    "orders.request": (
        {}, {},
        {
            "person_id": "@person", "item_code": "cleaning", "planned_start": "2026-11-30T09:00:00+08:00",
            "requested_by": "微信小程序", "key": "wx-1",
        },
    ),
    "orders.receive": ({"order_id": "order_requested"}, {}, {}),
    "orders.reschedule": (
        {"order_id": "order_received"}, {}, {"planned_start": "2026-11-25T09:00:00+08:00", **WHY},
    ),
    "orders.proposals": ({"order_id": "order_received"}, {}, None),
    "orders.offer": (
        {"order_id": "order_received"}, {}, {"organisation_id": "@organisation", "worker_id": "@worker"},
    ),
    "orders.withdraw": ({"order_id": "order_offered"}, {}, WHY),
    "orders.accept": ({"order_id": "order_offered"}, {}, {}),
    "orders.decline": ({"order_id": "order_offered"}, {}, WHY),
    "orders.hand_back": ({"order_id": "order_accepted"}, {}, WHY),
    "orders.substitute": ({"order_id": "order_accepted"}, {}, {"worker_id": "@substitute", **WHY}),
    "orders.depart": (
        {"order_id": "order_past"}, {}, {"client_id": "7d2f2c6e-5f0d-4b7e-9d7f-000000000001"},
    ),
    "orders.arrive": ({"order_id": "order_on_the_way"}, {}, {"latitude": 40.661, "longitude": 122.231, "accuracy": 8}),
    "orders.add_evidence": (
        {"order_id": "order_arrived"}, {}, {"kind": "photo", "content_type": "image/png", "data": PIXEL},
    ),
    "orders.finish": ({"order_id": "order_arrived"}, {}, {"items": ["擦窗"], "signature": PIXEL}),
    "orders.report_no_show": ({"order_id": "order_on_the_way"}, {}, WHY),
    "orders.record_paper_visit": (
        {"order_id": "order_past"}, {},
        {
            "arrived_at": "2026-10-20T14:00:00+08:00", "finished_at": "2026-10-20T15:00:00+08:00",
            "paper_number": "Z-17", "items": ["拖地"],
        },
    ),
    "orders.confirm": ({"order_id": "order_done"}, {}, {"rating": 5, "on_behalf_of": "女儿"}),
    "orders.dispute": ({"order_id": "order_done"}, {}, WHY),
    "orders.resolve": ({"order_id": "order_disputed"}, {}, {"upheld": True, **WHY}),
    "orders.refund": ({"order_id": "order_confirmed"}, {}, {"self_pay": 100, "key": "r-1", **WHY}),
    "orders.cancel": ({"order_id": "order_received"}, {}, WHY),
    "orders.return_visits": ({}, {}, None),
    "orders.record_return_visit": (
        {"return_visit_id": "return_visit"}, {}, {"reached": True, "satisfied": 2, "result": "工人来晚了"},
    ),
    "agreements.of_person": ({"person_id": "person"}, {}, None),
    "agreements.draft": (
        {}, {},
        {
            "person_id": "@person", "organisation_id": "@organisation", "items": ["cleaning"],
            "valid_from": "2026-11-01", "valid_to": "2026-12-31", "risk_notice": "防跌倒",
        },
    ),
    "agreements.sign": (
        {"agreement_id": "agreement_draft"}, {},
        {"signed_by": "女儿", "signed_on": "2026-11-03", "signature": PIXEL},
    ),
    "agreements.end": ({"agreement_id": "agreement_signed"}, {}, {"ended_on": "2026-11-30"}),
    "agreements.plan": (
        {"agreement_id": "agreement_signed"}, {},
        {"item_code": "cleaning", "weekdays": [2], "at": "09:30", "first": "2026-12-01", "last": "2026-12-15"},
    ),
    "vouchers.list": ({}, {"person_id": "@person"}, None),
    "vouchers.usable": ({"person_id": "person"}, {"item_code": "cleaning"}, None),
    "vouchers.get": ({"voucher_id": "voucher"}, {}, None),
    "vouchers.statement": ({"voucher_id": "voucher"}, {}, None),
    "facilities.list": ({}, {"kind": "institution"}, None),
    "facilities.get": ({"facility_id": "facility"}, {}, None),
    "facilities.record_fact": (
        {"facility_id": "facility"}, {},
        {"kind": "rating", "value": "4", "valid_from": "2026-10-01", "source": "评定公告"},
    ),
    "facilities.admit": ({"facility_id": "facility"}, {}, {"person_id": "@person", "on": "2026-10-20", "source": "协议 7"}),
    "facilities.discharge": ({"stay_id": "stay"}, {}, {"on": "2026-10-20", "reason": "home", "source": "出院单"}),
    "facilities.stays_of": ({"person_id": "resident"}, {}, None),
    "devices.list": ({}, {"state": "issued"}, None),
    "devices.get": ({"device_id": "device"}, {}, None),
    "devices.of_person": ({"person_id": "person"}, {}, None),
    "devices.receive": ({}, {}, {"product": "watch-3g", "identity": "8811223344", "service_fee": 1000}),
    "devices.issue": (
        {"device_id": "device"}, {},
        {"person_id": "@resident", "location": "paper", "health_data": "oral", "witness": "社区王主任"},
    ),
    "devices.place": ({"device_id": "device_mattress"}, {}, {"facility_id": "@facility", "room": "201", "bed": "201-1"}),
    "devices.take_back": ({"device_id": "device_issued"}, {}, {"reason": "returned"}),
    "devices.exchange": ({"device_id": "device_issued"}, {}, {"new_device_id": "@spare_device", "reason": "defect"}),
    "devices.command": ({"device_id": "device_issued"}, {}, {"name": "ring"}),
    "devices.commands": ({"device_id": "device_issued"}, {}, None),
    "devices.lost": ({"device_id": "device_issued"}, {}, WHY),
    "devices.found": ({"device_id": "device_lost"}, {}, {"note": "在家找到"}),
    "applications.list": ({}, {"person_id": "@person"}, None),
    "applications.get": ({"application_id": "application"}, {}, None),
    "applications.apply": ({}, {}, {"person_id": "@resident", "policy_code": "home-help", "text": "一人生活"}),
    "applications.apply_for_body": ({}, {}, {**HOUSE, "policy_code": "building-grant", "text": "新建日间照料"}),
    "applications.step": ({"application_id": "application"}, {}, {"reason": "符合"}),
    "applications.refuse": ({"application_id": "application"}, {}, WHY),
    "applications.decide": (
        {"application_id": "undecided_application"}, {},
        {
            "amount": 20000, "document": "评审纪要3号", "held_on": "2026-11-03",
            "members": [{"name": n, "position": "科员", "vote": "for"} for n in ("甲", "乙", "丙")],
            "minutes": b64encode(b"%PDF-1.4 minutes").decode(),
        },
    ),
    "objections.list": ({}, {"state": "open"}, None),
    "objections.get": ({"objection_id": "objection"}, {}, None),
    "objections.make": (
        {}, {}, {"person_id": "@resident", "policy_code": "home-help", "month": "2026-10-01", "text": "上月少发"},
    ),
    "objections.make_for_body": ({}, {}, {**HOUSE, "policy_code": "building-grant", "text": "少发"}),
    "objections.to_refusal": ({"application_id": "refused_application"}, {}, {"text": "证明已补"}),
    "objections.answer": ({"objection_id": "objection"}, {}, {"agree": True, "reason": "属实"}),
    "objections.appeal": ({"objection_id": "rejected_objection"}, {}, {"text": "请市里复核"}),
    "objections.withdraw": ({"objection_id": "objection"}, {}, None),
    "holds.list": ({}, {"person_id": "@person"}, None),
    "holds.stop": ({}, {}, {"person_id": "@resident", "kind": "check", "reason": "核查", "valid_from": "2026-10-01"}),
    "holds.stop_body": ({}, {}, {**HOUSE, "kind": "check", "reason": "核查", "valid_from": "2026-10-01"}),
    "holds.resume": ({"hold_id": "hold"}, {}, {"on": "2026-11-01", "reason": "核查完毕"}),
    "assessments.list": ({}, {"state": "applied"}, None),
    "assessments.get": ({"assessment_id": "assessment_decided"}, {}, None),
    "assessments.apply": ({}, {}, {"person_id": "@person", "reason": "demand", "scale": "ltci-2021"}),
    "assessments.assign": ({"assessment_id": "assessment"}, {}, {"lead_id": "@assessor", "second_id": "@second_assessor"}),
    "assessments.save_sheet": (
        {"assessment_id": "assessment_assigned"}, {},
        {"answers": {"B.1.1": "4"}, "needs": ["health"], "informant": "self", "signatures": {"lead": PIXEL}},
    ),
    "assessments.finish": ({"assessment_id": "assessment_assigned"}, {}, None),
    "assessments.review": ({"assessment_id": "assessment_visited"}, {}, None),
    "assessments.publish": ({"assessment_id": "assessment_reviewed"}, {}, None),
    "assessments.decide": ({"assessment_id": "assessment_published"}, {}, None),
    "assessments.object": (
        {"assessment_id": "assessment_decided"}, {}, {"objection": "当天发烧", "objected_by": "女儿"},
    ),
    "assessments.needs": ({"person_id": "person"}, {}, None),
    "assessments.demand": ({}, {}, None),
    "screening.campaigns": ({}, {"state": "open"}, None),
    "screening.totals": ({"campaign_id": "campaign"}, {}, None),
    "screening.tasks": ({}, {"campaign_id": "@campaign", "state": "filled"}, None),
    "screening.save": (
        {"task_id": "screening_task"}, {},
        {"answers": {"living": "alone", "daily": "able", "memory": "none", "difficult": "no"}, "visited_on": "2026-11-02"},
    ),
    "screening.confirm": ({"task_id": "screening_filled"}, {}, None),
    "benefits.runs": ({}, {"state": "released"}, None),
    "benefits.run": ({"run_id": "benefit_run"}, {}, None),
    "benefits.lines": ({}, {"person_id": "@person"}, None),
    "benefits.explain": ({"line_id": "benefit_line"}, {}, None),
    "benefits.payments": ({}, {"run_id": "@benefit_released"}, None),
    "benefits.recoveries": ({}, {}, None),
    "settlement.list": ({}, {"state": "draft"}, None),
    "settlement.get": ({"statement_id": "statement_draft"}, {}, None),
    "settlement.draft": (
        {}, {}, {"region_id": "@region", "organisation_id": "@other_organisation", "period": "2026-10-01"},
    ),
    "settlement.freeze": ({"statement_id": "statement_draft"}, {}, None),
    "settlement.discard": ({"statement_id": "statement_draft"}, {}, WHY),
    "settlement.confirm": ({"statement_id": "statement_frozen"}, {}, None),
    "settlement.object": ({"statement_id": "statement_frozen"}, {}, WHY),
    "settlement.answer": ({"statement_id": "statement_objected"}, {}, {"adjustment": 600, **WHY}),
    "settlement.approve": ({"statement_id": "statement_confirmed"}, {}, None),
    "settlement.pay": ({"statement_id": "statement_approved"}, {}, None),
    "documents.list": ({}, {"kind": "measures"}, None),
    "documents.get": ({"document_id": "document"}, {}, None),
    "policies.list": ({}, {"day": "2026-10-01"}, None),
    "policies.get": ({"version_id": "policy"}, {}, None),
    "policies.by_code": ({"code": "=home-help"}, {"day": "2026-10-01"}, None),
}  # fmt: skip


def load(token: str):
    """The schema as the application serves it, bound to the application."""
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", Application(), headers=bearer(token))


def operations(schema) -> dict:
    """Operations of the schema by operationId."""
    found = [result.ok() for result in schema.get_all_operations()]
    return {o.definition.raw["operationId"]: o for o in found}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class Application(WSGIHandler):
    """The real application; requests do not end the test's own connection."""

    def __call__(self, environ, start_response):
        watched = [(s, close_old_connections) for s in (request_started, request_finished)]
        for signal, receiver in watched:
            signal.disconnect(receiver)
        try:
            response = super().__call__(environ, start_response)
            content = [b"".join(response)]
            response.close()
            return content
        finally:
            for signal, receiver in watched:
                signal.connect(receiver)


@contextmanager
def nothing_kept() -> Iterator[None]:
    """Whatever is written inside is undone: every example starts from the same rows."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def fill(values: dict, county: County) -> dict:
    """``values`` with "@name" replaced by that id of the county."""
    return {k: county.ids[v[1:]] if isinstance(v, str) and v.startswith("@") else v for k, v in values.items()}


def example(operation, county: County, *, body_of: County | None = None):
    """The operation's example about the objects of ``county``."""
    names, query, body = EXAMPLES[operation.definition.raw["operationId"]]
    parts = {k: v[1:] if v.startswith("=") else county.ids[v] for k, v in names.items()}
    more = {} if body is None else {"body": fill(body, body_of or county), "media_type": "application/json"}
    return operation.Case(path_parameters=parts, query=fill(query, county), **more)


def answer(case, token: str):
    """The answer to ``case``, checked against the schema; nothing of it stays."""
    with nothing_kept():
        response = case.call(headers=bearer(token))
    case.validate_response(response, checks=CHECKS)
    return response
