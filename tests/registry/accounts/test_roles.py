"""Role files: a mistake names file, line and remedy; every permission is held, every held permission exists."""

import re

import pytest

from sangyu.kernel.permissions import every_permission
from sangyu.registry.accounts import roles

ROLES = """
bureau:
  label: {en: Bureau officer, zh-hans: 工作人员}
  audience: staff
  session_minutes: 60
"""


@pytest.fixture
def folder(tmp_path):
    def make(room: str = "x.view: [bureau]\n", declared: str = ROLES):
        (tmp_path / "roles.yaml").write_text(declared, encoding="utf-8")
        (tmp_path / "x.yaml").write_text(room, encoding="utf-8")
        return tmp_path

    return make


def test_load(folder):
    loaded = roles.load(folder(), frozenset({"x.view"}))
    assert loaded["bureau"].permissions == {"x.view"}
    assert (loaded["bureau"].second_factor, loaded["bureau"].session_minutes) == ("optional", 60)


@pytest.mark.parametrize(
    ("room", "declared", "message"),
    [
        (
            "# a\nx.viwe: [bureau]\n",
            ROLES,
            "x.yaml, line 2: the permission “x.viwe” does not exist. Did you mean “x.view”?",
        ),
        ("x.view: [bureu]\n", ROLES, "x.yaml, line 1: the role “bureu” does not exist. Did you mean “bureau”?"),
        ("x.view: bureau\n", ROLES, "x.yaml, line 1: “x.view” needs a list of roles."),
        ("x.view: [bureau]\nx.view: []\n", ROLES, "x.yaml, line 2: “x.view” is named twice."),
        (
            "",
            ROLES.replace("audience", "audiense"),
            "roles.yaml, line 2: role “bureau” has the unknown field “audiense”. Did you mean “audience”?",
        ),
        ("", ROLES.replace("staff", "people"), "roles.yaml, line 2: role “bureau” has the unknown audience “people”."),
        (
            "",
            ROLES.replace(", zh-hans: 工作人员", ""),
            "roles.yaml, line 2: role “bureau” needs a label in each language.",
        ),
        ("x.view: [bureau\n", ROLES, "x.yaml: "),
    ],
)
def test_mistakes_name_file_line_and_remedy(folder, room, declared, message):
    with pytest.raises(roles.RolesError, match="^" + re.escape(message)):
        roles.load(folder(room, declared), frozenset({"x.view"}))


def test_every_declared_permission_is_held_by_some_role():
    held = frozenset().union(*(r.permissions for r in roles.all_roles().values()))
    assert every_permission() - held == frozenset()


def test_the_three_administrators_share_nothing_that_decides():
    system, security, audit = (
        roles.role(f"{name}_administrator").permissions for name in ("system", "security", "audit")
    )
    assert {p for p in system & security if not p.endswith(".view")} == {"accounts.acts"}  # reading
    assert {p for p in audit if not p.endswith((".view", ".log", ".exports", ".acts"))} == set()
    assert all(r.second_factor == "required" for r in roles.all_roles().values() if r.admin)
    assert all(roles.role(name).second_factor == "required" for name in ("bureau", "finance"))
