"""Saved views of lists: kept filters, order and columns, private or shared with a role."""

from django.db import IntegrityError, transaction
from django.http import HttpResponse, QueryDict
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible

from .models import SavedView

#: Never part of a saved view: paging, and free text that may name a person.
LEFT_OUT = {"q", "after", "before", "export", "print", "count", "more", "csrfmiddlewaretoken"}


def clean_query(params: QueryDict) -> str:
    """The part of an address that a view keeps, in a fixed order."""
    kept = QueryDict(mutable=True)
    for key in sorted(params):
        values = [v for v in params.getlist(key) if v]
        if key not in LEFT_OUT and values:
            kept.setlist(key, values)
    return kept.urlencode()


def default_query(actor: Actor, page: str) -> str:
    """The query of the actor's default view (own first, then its role's), or ""."""
    views = SavedView.objects.offered_to(actor, page).filter(is_default=True)
    found = sorted(views, key=lambda v: v.role != "")
    return (found[0].query or "view=all") if found else ""


def offered(page) -> list[dict]:
    """The views shown above a list: all, the page's presets, then saved ones."""
    here = clean_query(page.params)
    shown = [{"label": _("All"), "query": "", "current": here in ("", "view=all"), "pk": None, "icon": ""}]
    for label, query in page.presets:
        shown.append(
            {"label": label, "query": query, "current": clean_query(QueryDict(query)) == here, "pk": None, "icon": ""}
        )
    for view in SavedView.objects.offered_to(page.actor, page.page_key):
        icon = "users" if view.role else "star"
        own = view.role == "" or page.actor.may("ui.share_view")
        shown.append(
            {
                "label": view.name,
                "query": view.query,
                "current": view.query == here,
                "pk": view.pk if own else None,
                "icon": icon,
                "is_default": view.is_default,
            }
        )
    if any(v["pk"] or v["icon"] for v in shown):
        shown[0]["query"] = "view=all"  # an empty address would open the default view again
    return shown


def save(page) -> HttpResponse:
    """Keep the current filters, order and columns under a name; ``role_shared`` needs ``ui.share_view``."""
    data = page.request.POST
    name = _name(data.get("name", ""))
    shared = bool(data.get("role_shared"))
    if shared and not page.actor.may("ui.share_view"):
        raise Forbidden("ui.share_view")
    query = clean_query(page.params)
    role = page.actor.role if shared else ""
    default = bool(data.get("is_default"))
    keys = {"page": page.page_key, "name": name, "role": role}
    keys |= {"path": page.actor.path} if shared else {"account_id": page.actor.account_id}
    try:
        with transaction.atomic():
            if default:
                siblings = SavedView.objects.filter(**{k: v for k, v in keys.items() if k != "name"})
                siblings.update(is_default=False)
            SavedView.objects.update_or_create(
                **keys,
                defaults={
                    "query": query,
                    "is_default": default,
                    "account_id": page.actor.account_id,
                    "path": page.actor.path,
                },
            )
    except IntegrityError as error:
        raise Invalid({"name": [_("There is already a view with this name.")]}) from error
    return page.redirect(f"?{query}", _("View “%(name)s” saved.") % {"name": name})


def _own(page, key: str) -> SavedView:
    """The view that the form names; a shared one needs ``ui.share_view``. Raises NotVisible, Forbidden."""
    wanted = page.request.POST[key]
    rows = SavedView.objects.offered_to(page.actor, page.page_key)
    view = rows.filter(pk=int(wanted)).first() if wanted.isdigit() and len(wanted) < 19 else None
    if view is None:
        raise NotVisible
    if view.role and not page.actor.may("ui.share_view"):
        raise Forbidden("ui.share_view")
    return view


def _name(text: str) -> str:
    name = text.strip()
    if not 1 <= len(name) <= 30:
        raise Invalid({"name": [_("Give the view a name of 1 to 30 characters.")]})
    return name


def delete(page) -> HttpResponse:
    """Remove an own view; a shared one with ``ui.share_view``."""
    view = _own(page, "delete_view")
    name = view.name
    view.delete()
    return page.redirect("?view=all", _("View “%(name)s” removed.") % {"name": name})


def rename(page) -> HttpResponse:
    """Give the view another name."""
    view = _own(page, "rename_view")
    view.name = _name(page.request.POST.get("name", ""))
    try:
        with transaction.atomic():
            view.save(update_fields=["name"])
    except IntegrityError as error:
        raise Invalid({"name": [_("There is already a view with this name.")]}) from error
    return page.redirect(page.request.get_full_path(), _("View “%(name)s” saved.") % {"name": view.name})


def replace(page) -> HttpResponse:
    """Let the view hold the filters, order and columns shown now."""
    view = _own(page, "replace_view")
    view.query = clean_query(page.params)
    view.save(update_fields=["query"])
    return page.redirect(f"?{view.query}", _("View “%(name)s” saved.") % {"name": view.name})


def make_default(page) -> HttpResponse:
    """Open the list with the view from now on; or no longer, when it was so."""
    view = _own(page, "default_view")
    wanted = not view.is_default
    same = {"account_id": view.account_id, "role": ""} if view.role == "" else {"role": view.role, "path": view.path}
    with transaction.atomic():
        SavedView.objects.filter(page=view.page, is_default=True, **same).update(is_default=False)
        SavedView.objects.filter(pk=view.pk).update(is_default=wanted)
    return page.redirect(page.request.get_full_path(), _("View “%(name)s” saved.") % {"name": view.name})


#: Field of the form that a list posts → what it does.
ACTS = {
    "save_view": save,
    "delete_view": delete,
    "rename_view": rename,
    "replace_view": replace,
    "default_view": make_default,
}
