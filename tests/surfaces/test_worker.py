"""The worker's phone: a visit through its pages, the queue's repeats, what others may not see (R-085)."""

import base64
import io
from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from PIL import Image

from sangyu.care.orders import services
from sangyu.care.orders.codes import home_code
from sangyu.care.orders.models import Evidence, Order
from sangyu.kernel.actor import Actor
from sangyu.kernel.images import PHOTO_BYTES
from sangyu.kernel.scoping import scope
from support.pages import client_for
from support.people import in_role

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(monkeypatch, world):
    """The pages' clock stands at the world's morning; ``clock.now`` moves it."""

    class Clock:
        now = world.now

    monkeypatch.setattr("django.utils.timezone.now", lambda: Clock.now)
    return Clock


@pytest.fixture
def worker(world) -> Actor:
    return in_role(world.worker, "worker")


@pytest.fixture
def order(world):
    """Cleaning in six hours, offered to the cleaner alone."""
    order = services.request_and_receive(
        actor=world.desk,
        person_id=world.person.pk,
        item_code="bathing",
        planned_start=world.now + timedelta(hours=6),
        channel="hotline",
        requested_by="女儿",
        wishes="轻一点敲门",
    )
    return services.offer(
        actor=world.desk,
        order_id=order.pk,
        organisation_id=world.organisation.pk,
        worker_id=world.lead.pk,
        second_worker_id=world.second.pk,
    )


@pytest.fixture
def accepted(world, order):
    return services.accept(actor=in_role(world.manager, "provider_manager"), order_id=order.pk)


def picture(kind="JPEG", noise=None) -> io.BytesIO:
    """A small white picture, or one of a size that does not compress."""
    out = io.BytesIO()
    image = Image.effect_noise(noise, 90).convert("RGB") if noise else Image.new("RGB", (60, 40), "white")
    image.save(out, kind)
    out.seek(0)
    out.name = "a.jpg"
    return out


def at(order, step):
    return reverse("worker:step", args=[order.pk, step])


def state(order) -> str:
    return Order.objects.get(pk=order.pk).state


def test_a_visit_from_the_offer_to_the_signature(world, worker, order, clock):
    client = client_for(worker)
    page = client.get(reverse("worker:today")).content.decode()
    for text in ("助浴", "王桂兰", "清华社区 12 号楼 402 室", "geo:40.661,122.231", "轻一点敲门", "tel:120"):
        assert text in page
    assert client.post(at(order, "accept")).status_code == 303
    assert state(order) == "accepted"
    clock.now += timedelta(hours=5, minutes=30)
    assert client.post(at(order, "depart"), {"client_id": str(uuid4())}).status_code == 303
    clock.now += timedelta(minutes=30)
    place = {"latitude": "40.6611", "longitude": "122.2311", "accuracy": "20", "client_id": str(uuid4())}
    assert client.post(at(order, "arrive"), place).status_code == 303
    clock.now += timedelta(minutes=55)
    signature = "data:image/png;base64," + base64.b64encode(picture("PNG").read()).decode()
    form = {
        "client_id": str(uuid4()),
        "item": ["助浴"],
        "more": "修剪指甲",
        "photo": [picture(noise=(2600, 1900)), picture()],
        "signature": signature,
        "note": "血压 140/90",
    }
    answer = client.post(at(order, "finish"), form)
    assert (answer.status_code, answer["Location"]) == (303, reverse("worker:visit", args=[order.pk]))
    done = Order.objects.get(pk=order.pk)
    assert (done.state, done.minutes, done.flagged) == ("done", 55, "")
    kinds = sorted(done.evidence.values_list("kind", flat=True))
    assert kinds == ["departed", "item", "item", "note", "note", "photo", "photo", "place", "signature"]
    sizes = done.evidence.filter(kind="photo").values_list("file__size", flat=True)
    assert all(0 < size <= PHOTO_BYTES for size in sizes)
    assert "助浴" in client.get(reverse("worker:record")).content.decode()
    assert client.get(reverse("worker:visit", args=[order.pk])).status_code == 200


def test_the_second_worker_sees_and_walks_the_visit(world, accepted):
    second = Actor(**{**vars_of(world.worker), "subject_id": world.second.pk, "name": "于晓梅"})
    client = client_for(in_role(second, "worker"))
    assert "王桂兰" in client.get(reverse("worker:today")).content.decode()
    assert client.post(at(accepted, "depart")).status_code == 303
    assert state(accepted) == "on_the_way"


def vars_of(actor: Actor) -> dict:
    return {name: getattr(actor, name) for name in actor.__dataclass_fields__}


def test_repeats_of_the_queue_change_nothing(world, worker, accepted, clock):
    """A step that was answered but not heard is sent again with the same number."""
    client = client_for(worker)
    depart = {"client_id": str(uuid4()), "at": (clock.now - timedelta(minutes=20)).isoformat()}
    for _again in range(3):
        assert client.post(at(accepted, "depart"), depart, headers={"X-Queue": "1"}).status_code == 204
    arrive = {"client_id": str(uuid4()), "code": home_code(world.person.pk)}
    for _again in range(2):
        assert client.post(at(accepted, "arrive"), arrive, headers={"X-Queue": "1"}).status_code == 204
    number = str(uuid4())
    for _again in range(2):
        form = {"client_id": number, "item": ["助浴"], "photo": [picture()]}
        assert client.post(at(accepted, "finish"), form, headers={"X-Queue": "1"}).status_code == 204
    done = Order.objects.get(pk=accepted.pk)
    assert (done.state, done.log.count()) == ("done", 7)
    assert done.departed_at == clock.now - timedelta(minutes=20)
    assert Evidence.objects.filter(order=accepted).count() == 5


def test_arrival_without_proof_is_refused_and_kept_nothing(world, worker, accepted):
    client = client_for(worker)
    client.post(at(accepted, "depart"))
    far = {"latitude": "40.70", "longitude": "122.30", "client_id": str(uuid4())}
    answer = client.post(at(accepted, "arrive"), far)
    assert answer.status_code == 422
    assert 'id="problem" role="alert" class' in answer.content.decode()
    queued = client.post(at(accepted, "arrive"), far, headers={"X-Queue": "1"})
    assert (queued.status_code, bool(queued["X-Message"])) == (422, True)
    foreign = client.post(at(accepted, "arrive"), {"code": home_code(world.person.pk + 1)})
    assert foreign.status_code == 409
    assert (state(accepted), Evidence.objects.filter(order=accepted).count()) == ("on_the_way", 1)
    assert client.post(at(accepted, "arrive"), {**far, "reason": "信号不好"}).status_code == 303
    assert Order.objects.get(pk=accepted.pk).flagged.endswith("信号不好")


def test_a_broken_picture_leaves_the_visit_open(world, worker, accepted):
    client = client_for(worker)
    client.post(at(accepted, "arrive"), {"code": home_code(world.person.pk)})
    broken = io.BytesIO(b"\xff\xd8\xffno picture")
    broken.name = "a.jpg"
    assert client.post(at(accepted, "finish"), {"item": ["助浴"], "photo": [broken]}).status_code == 422
    assert client.post(at(accepted, "finish"), {"signature": "data:text/html;base64,AAAA"}).status_code == 422
    assert client.post(at(accepted, "finish"), {"photo": [picture() for _n in range(4)]}).status_code == 422
    assert (state(accepted), Evidence.objects.filter(order=accepted).count()) == ("arrived", 1)


def test_nobody_at_home_and_a_report(world, worker, accepted, clock):
    client = client_for(worker)
    client.post(at(accepted, "depart"))
    assert client.post(at(accepted, "note"), {"text": "门锁着"}).status_code == 409
    assert client.post(at(accepted, "no-show"), {"reason": "敲门无人"}).status_code == 409  # too early
    clock.now += timedelta(hours=6, minutes=10)
    client.post(at(accepted, "arrive"), {"code": home_code(world.person.pk)})
    assert client.post(at(accepted, "note"), {"text": "地面湿滑"}).status_code == 303
    assert client.post(at(accepted, "no-show"), {"reason": ""}).status_code == 422
    for _again in range(2):
        assert client.post(at(accepted, "no-show"), {"reason": "敲门无人"}).status_code == 303
    assert state(accepted) == "no_show"


def test_decline_and_hand_back_need_a_reason(world, worker, order):
    client = client_for(worker)
    assert client.post(at(order, "decline"), {"reason": ""}).status_code == 409
    answer = client.post(at(order, "decline"), {"reason": "家中有事"})
    assert (answer.status_code, answer["Location"]) == (303, reverse("worker:today"))
    assert state(order) == "received"
    assert client.get(reverse("worker:visit", args=[order.pk])).status_code == 404


def test_others_see_nothing(world, accepted):
    """A foreign worker gets 404, other audiences 403, strangers the sign-in."""
    foreign = Actor(**{**vars_of(world.worker), "subject_id": world.cleaner.pk})
    client = client_for(in_role(foreign, "worker"))
    assert client.get(reverse("worker:visit", args=[accepted.pk])).status_code == 404
    assert client.post(at(accepted, "depart")).status_code == 404
    assert "王桂兰" not in client.get(reverse("worker:today")).content.decode()
    assert client_for(world.manager).get(reverse("worker:today")).status_code == 403
    assert client_for(world.desk).post(at(accepted, "depart")).status_code == 403
    assert client_for(world.worker).post(at(accepted, "nonsense")).status_code == 404
    assert state(accepted) == "accepted"


def test_home_and_the_service_worker(client, world, worker):
    assert client_for(worker).get("/")["Location"] == reverse("worker:today")
    answer = client.get(reverse("worker:sw"))
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/javascript")
    assert client_for(worker).get(reverse("worker:today") + "?day=nonsense").status_code == 200
    with scope(worker):
        assert Order.objects.count() == 0
