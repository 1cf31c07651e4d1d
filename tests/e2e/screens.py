"""Which screens there are: of each role, walked from its navigation, with one row opened of each list."""

import re
from html import unescape

#: Roles in the order of the index; elder and family share their pages, the elder's own are the interesting ones.
ROLES = (
    "operator", "dispatcher", "bureau", "street", "community", "finance", "inspector", "provider_manager", "worker",
    "elder", "family", "system_administrator", "security_administrator", "audit_administrator",
)  # fmt: skip
#: Never walked: files, sign-out, live streams, fragments.
NOT_PAGES = re.compile(r"/(pdf|xlsx|export|sw\.js|sign-out|live|static|files?|template|rejected)(/|$)|^/i18n|^/api")
DEEP = 2  # a list, its first row, that row's forms


def links(html: str) -> list[str]:
    """Addresses on a page, in order, once each."""
    found = (unescape(u) for u in re.findall(r'href="(/[^"#]*)"', html))
    return list(dict.fromkeys(u for u in found if not NOT_PAGES.search(u.split("?")[0])))


def pattern(url: str) -> str:
    """Address with its numbers left out: one shot for each kind of page."""
    return re.sub(r"\d+", "N", url.split("?")[0])


def screens(visitor) -> dict[str, str]:
    """name → address of one page of each kind that ``visitor`` reaches within two steps from its navigation."""
    home = visitor.follow("/")
    found = {pattern(home.url): home.url}
    front = [(u, 0) for u in links(home.text)]
    while front:
        url, depth = front.pop(0)
        kind = pattern(url)
        if kind in found or kind == "/":
            continue
        answer = visitor.follow(url)
        if answer.status >= 500:
            raise AssertionError(f"{visitor.name}: {answer.status} {url}")
        if answer.status != 200 or "text/html" not in answer.headers.get("content-type", ""):
            continue
        found[kind] = url
        if depth < DEEP:
            front += [(u, depth + 1) for u in links(answer.text) if pattern(u) not in found]
    return {name_of(kind): url for kind, url in found.items()}


def name_of(kind: str) -> str:
    return re.sub(r"[^a-z0-9N-]+", "-", kind.strip("/")).strip("-") or "home"
