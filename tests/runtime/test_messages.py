"""Translations: compiled and proven complete without gettext's programs."""

import gettext

import pytest

from sangyu.runtime import messages

HEAD = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'


@pytest.fixture
def package(tmp_path):
    """A package with one app that uses messages in every way there is."""
    app = tmp_path / "room"
    (app / "templates/room").mkdir(parents=True)
    (app / "apps.py").write_text("")
    (app / "services.py").write_text(
        "from django.utils.translation import gettext_lazy as _, ngettext, pgettext\n"
        'A = _("Save")\nB = ngettext("%(n)s elder", "%(n)s elders", 2)\nC = pgettext("month", "May")\nD = _(name)\n'
    )
    (app / "templates/room/page.html").write_text(
        '{% load i18n %}\n  <c-button label="{% translate "Send" %}" :title="_(\'Call back\')">\n'
        "{% blocktranslate trimmed with n=a.b %}\n   Dear {{ n }}\n{% endblocktranslate %} {{ _('Now') }} plain\n"
    )
    return tmp_path


def write(package, body):
    file = package / "room/locale/zh_Hans/LC_MESSAGES/django.po"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(HEAD + body)
    return file


ALL = ["%(n)s elder", "Call back", "Dear %(n)s", "May", "Now", "Save", "Send"]


def test_every_way_of_using_a_message_is_found(package):
    assert sorted(m.text for m in messages.missing(package)) == ALL
    lines = {m.text: (m.file.name, m.line) for m in messages.missing(package)}
    assert (lines["Save"], lines["Send"]) == (("services.py", 2), ("page.html", 2))


def test_a_translation_counts_only_when_it_is_there_and_not_fuzzy(package):
    write(package, 'msgid "Save"\nmsgstr "保存"\n\nmsgid "Send"\nmsgstr ""\n\n#, fuzzy\nmsgid "Now"\nmsgstr "现在"\n')
    assert sorted(m.text for m in messages.missing(package)) == [t for t in ALL if t != "Save"]


def test_add_appends_once_and_keeps_what_is_there(package):
    file = write(package, 'msgid "Save"\nmsgstr "保存"\n')
    assert messages.add(package) == len(ALL) - 1
    once = file.read_text()
    messages.add(package)
    assert file.read_text() == once
    assert {m.id if isinstance(m.id, str) else m.id[0] for m in messages.load(file) if m.id} == set(ALL)


def test_compiled_catalogues_are_what_python_reads(package):
    file = write(
        package,
        'msgid "Save"\nmsgstr "保存"\n\nmsgid "%(n)s elder"\nmsgid_plural "%(n)s elders"\nmsgstr[0] "%(n)s 位老人"\n',
    )
    assert (messages.compile_all(package), messages.compile_all(package)) == (1, 0)
    with file.with_suffix(".mo").open("rb") as made:
        found = gettext.GNUTranslations(made)
    assert (found.gettext("Save"), found.ngettext("%(n)s elder", "%(n)s elders", 5)) == ("保存", "%(n)s 位老人")


def test_lost_and_invented_placeholders_are_found(package):
    write(package, 'msgid "Dear %(n)s"\nmsgstr "尊敬的 %(name)s"\n\nmsgid "Save {n}"\nmsgstr "保存"\n')
    assert [line.split("“")[1].split("”")[0] for line in messages.misfits(package)] == ["Dear %(n)s", "Save {n}"]


def test_one_text_has_one_translation_unless_a_context_tells_them_apart(package):
    """Django merges the catalogues of all apps: the first app's word would stand on the others' screens."""
    write(package, 'msgid "Send"\nmsgstr "派单"\n\nmsgid "Save"\nmsgstr "保存"\n')
    other = package / "other/locale/zh_Hans/LC_MESSAGES/django.po"
    other.parent.mkdir(parents=True)
    other.write_text(HEAD + 'msgctxt "order"\nmsgid "Send"\nmsgstr "下发"\n\nmsgid "Save"\nmsgstr "保存"\n')
    assert messages.clashes(package) == []
    other.write_text(HEAD + 'msgid "Send"\nmsgstr "下发"\n')
    (clash,) = messages.clashes(package)
    assert all(words in clash for words in ("“Send”", "派单 in room/", "下发 in other/"))
