"""Texts of policies that tests try out."""

HOME_CARE = """\
code: home-care
name: 居家养老服务补贴
region: "2108"
document: {number: 营民发〔2026〕3号, title: 居家养老服务补贴办法, clause: 第五条}
valid_from: 2026-02-01
subject: person
period: month
who:
  - 年龄 >= 60
  - 在世
  - 经济状况 属于 (minimum_living, near_minimum)
amount:
  table:
    - {when: 补贴档次 = self_care, amount: 200元}
    - {when: 补贴档次 = part, amount: 400元}
    - {when: 补贴档次 = full, amount: 600元}
form: voucher
fund: city_budget
application: automatic
"""
ADVANCED_AGE = """\
code: advanced-age
name: 高龄津贴
region: "2108"
document: {number: 营民发〔2026〕3号, title: 居家养老服务补贴办法, clause: 第六条}
valid_from: 2026-02-01
subject: person
period: month
who: [年龄 >= 80, 在世]
amount: 100元
form: cash
fund: city_budget
stacking: {group: 津贴, rule: highest}
application: automatic
"""
