"""Views that the middleware's tests call."""

from django.http import FileResponse, HttpResponse, JsonResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import include, path

from sangyu.kernel.models import Operation
from sangyu.kernel.scoping import current_actor, scope
from sangyu.registry.accounts.access import account_only, public


def titles(request):
    return JsonResponse({"titles": [o.title for o in Operation.objects.order_by("title")], "actor": request.actor.name})


def write(request):
    Operation.objects.create(
        kind="test",
        title=request.GET.get("title", "made"),
        path=request.actor.path,
        audience="staff",
        actor=request.actor.name,
    )
    if request.GET.get("raise"):
        raise ValueError("broken")
    return HttpResponse(status=int(request.GET.get("status", 200)))


@public
def anybody(request):
    return JsonResponse({"actor": getattr(request.actor, "name", None), "scope": current_actor() is not None})


@account_only
def account(request):
    return JsonResponse({"account": request.account.name, "scope": current_actor() is not None})


def template(request):
    return TemplateResponse(
        request, "accounts/choose_grant.html", {"offers": [], "count": lambda: Operation.objects.count()}
    )


def stream(request):
    def rows():
        yield b"first "
        if request.GET.get("own"):
            with scope(request.actor):
                yield str(Operation.objects.count()).encode()
        else:
            yield str(Operation.objects.count()).encode()

    return StreamingHttpResponse(rows())


def file(request):
    import io

    return FileResponse(io.BytesIO(b"bytes"))


urlpatterns = [
    path("titles/", titles),
    path("write/", write),
    path("anybody/", anybody),
    path("account/", account),
    path("template/", template),
    path("stream/", stream),
    path("file/", file),
    path("api/titles/", titles),
    path("i18n/", include("django.conf.urls.i18n")),
    path("accounts/", include("sangyu.registry.accounts.urls")),
]
