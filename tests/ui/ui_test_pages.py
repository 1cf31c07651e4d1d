"""Pages on existing models that exercise every generic; mounted by the tests only."""

from django import forms
from django.urls import include, path
from django.utils import timezone

from sangyu.kernel.errors import Invalid, Refused
from sangyu.kernel.models import Operation
from sangyu.registry.regions.enums import Level
from sangyu.registry.regions.models import Region
from sangyu.runtime.urls import urlpatterns as real
from sangyu.ui.nav import Nav
from sangyu.ui.pages import (
    ActionPage,
    Bulk,
    BulkForm,
    Choice,
    Day,
    DetailPage,
    FormPage,
    Link,
    ListPage,
    Masked,
    Moment,
    Money,
    Number,
    Outcome,
    Status,
    Tab,
    Text,
    paths,
)

NAV = [Nav("Regions", "pin", "t:regions", "t.view", phone=True)]
TONES = {"waiting": "mute", "running": "info", "done": "ok", "failed": "bad"}


class RegionList(ListPage):
    url, name, permission, title = "regions/", "regions", "t.view", "区划"
    model = Region
    search = ("name", "code")
    filters = ["level", "urban"]
    sort = "path"
    columns = [
        Text("name", "名称", link="t:region", sort=True),
        Choice("level", "级别", sort=True),
        Text("code", "代码"),
        Text("parent.name", "上级"),
        Day("valid_from", "起始", sort=True),
        Text("pinyin", "拼音", hidden=True),
        Text("latitude", "纬度", permission="t.secret", hidden=True),
    ]
    related = ("parent",)
    head = [Link("新建区划", "t:region-new", "plus", "t.edit", "pri", args=lambda _o: [])]
    row_actions = [Link("改名", "t:region-edit", permission="t.edit", kind="text")]
    presets = [("街道", f"level={Level.STREET}")]


class RegionForm(forms.Form):
    name = forms.CharField(label="名称", max_length=60)
    urban = forms.NullBooleanField(label="城镇", required=False)


class RegionDetail(DetailPage):
    url, name, permission = "regions/<int:pk>/", "region", "t.view"
    model = Region
    parent = ("t:regions", "区划")
    summary = [("基本", [Text("name", "名称"), Choice("level", "级别"), Day("valid_from", "起始")])]
    facts = [Text("code", "代码")]
    tabs = [
        Tab(
            "children",
            "下级",
            "ui/detail/summary.html",
            lambda page: {"sections": []},
            count=lambda o: o.children.count(),
        ),
        Tab("secret", "内部", "ui/detail/summary.html", permission="t.secret"),
    ]
    actions = [Link("改名", "t:region-edit", "edit", "t.edit")]


class RegionEdit(FormPage):
    url, name, permission, title = "regions/<int:pk>/edit/", "region-edit", "t.edit", "修改区划"
    model = Region
    form_class = RegionForm
    parent = ("t:regions", "区划")

    def get_initial(self):
        return {"name": self.object.name, "urban": self.object.urban}

    def save(self, form):
        name = form.cleaned_data["name"]
        if name == "坏":
            raise Invalid({"name": ["这个名称不能用"], "": ["整体也不对"]})
        if name == "忙":
            raise Refused("现在不能改")
        Region.objects.filter(pk=self.object.pk).update(name=name)
        return self.object

    def success_url(self, result):
        return f"/t/regions/{result.pk}/"


class RegionNew(RegionEdit):
    url, name, title, model = "regions/new/", "region-new", "新建区划", None

    def get_initial(self):
        return {}


def finish(*, actor, row):
    """Refuses odd rows, so that a bulk act has both outcomes."""
    if row.state == "failed":
        raise Refused("失败的不能完成")
    Operation.objects.filter(pk=row.pk).update(state="done", finished_at=timezone.now())


def unfinish(*, actor, row, kept):
    """The inverse of ``finish``: only while nobody changed it since."""
    if row.state != "done":
        raise Refused("已被改动")
    Operation.objects.filter(pk=row.pk).update(state=kept, finished_at=None)


def finish_kept(*, actor, row):
    finish(actor=actor, row=row)
    return row.state


class LabelForm(BulkForm):
    done = forms.IntegerField(label="进度")


def label(*, actor, ids, done):
    """Set-based; refuses what ends in 4 titles, keeps the old numbers."""
    rows = Operation.objects.filter(pk__in=ids)
    refused = dict.fromkeys(rows.filter(title="批次 004").values_list("pk", flat=True), "不能")
    kept = dict(rows.exclude(pk__in=refused).values_list("pk", "done"))
    Operation.objects.filter(pk__in=kept).update(done=done)
    return Outcome(refused, kept)


def unlabel(*, actor, kept):
    for value in set(kept.values()):
        Operation.objects.filter(pk__in=[pk for pk, old in kept.items() if old == value]).update(done=value)
    return {}


class OperationList(ListPage):
    url, name, permission, title = "operations/", "operations", "t.view", "后台任务"
    model = Operation
    search = ("title",)
    filters = ["state", "kind"]
    sort = "-created_at"
    personal = "operations"
    columns = [
        Text("title", "名称", link="t:region", sort=True),
        Status("state", "状态", enum=Operation.State, tones=TONES, sort=True),
        Number("done", "完成", sort=True),
        Money("subject_id", "金额"),
        Masked(
            "actor",
            "证件号码",
            reveal="t:region",
            reveal_permission="t.secret",
            mask=lambda v: v[:2] + "****",
            full=lambda o: o.actor,
        ),
        Moment("finished_at", "完成时间", sort=True),
    ]
    bulk = [
        Bulk("finish", "完成", "t.edit", each=finish_kept, undo=unfinish, confirm="完成 {count} 项？"),
        Bulk("label", "标记", "t.edit", many=label, undo_many=unlabel, form=LabelForm),
    ]


class CancelOperation(ActionPage):
    url, name, permission, title = "operations/<int:pk>/cancel/", "cancel", "t.edit", "取消任务"
    model = Operation
    parent = ("t:operations", "后台任务")

    def confirm_text(self):
        return f"取消“{self.object.title}”？"

    def act(self, form):
        if self.object.state == "done":
            raise Refused("已经完成，不能取消")
        Operation.objects.filter(pk=self.object.pk).update(state="cancelled", finished_at=timezone.now())
        return "已取消"

    def undo_url(self):
        return f"/t/operations/{self.object.pk}/undo/"


PAGES = (RegionList, RegionNew, RegionDetail, RegionEdit, OperationList, CancelOperation)
urlpatterns = [*real, path("t/", include((paths(*PAGES), "t")))]
handler404 = "sangyu.ui.answers.page_not_found"
