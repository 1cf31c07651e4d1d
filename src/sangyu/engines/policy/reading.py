"""A policy's YAML text → ``Policy``, or every problem in it at once, each with its line."""

import difflib
import hashlib
import re
from datetime import date
from fractions import Fraction

import yaml

from .calendar import FESTIVALS
from .language import Fault, condition, number
from .policy import Amount, Clause, Cycle, Document, Edge, Instalment, Policy, Rest, Row, Stacking, Window
from .problems import PolicyErrors, Problem, problem
from .schema import CHOICES, KEYS, choice_of, key_of
from .tree import And, Literal, Name
from .vocabulary import APPLIED_ON, DECIDED, Vocabulary

_CODE = re.compile(r"[a-z][a-z0-9-]{1,59}")
_REGION = re.compile(r"\d{2}(\d{2}(\d{2}(\d{3}(\d{3})?)?)?)?")
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_YEAR_DAY = re.compile(r"(\d{1,2})-(\d{1,2})")
_REQUIRED = ("code", "name", "region", "document", "valid_from", "subject", "period", "who", "form", "fund")
_ROUND = {"fen": 1, "jiao": 10, "yuan": 100}
_LONGEST = 64_000


def read(text: str, *, file: str, vocabulary: Vocabulary) -> Policy:
    """Read one policy. Raises PolicyErrors with everything that is wrong; ``file`` is only named in the messages."""
    reader = _Reader(text, file, vocabulary)
    policy = reader.policy()
    if reader.problems or policy is None:
        raise PolicyErrors(reader.problems)
    return policy


class _Stop(Exception):
    """This value cannot be used; its problem is written down."""


class _Reader:
    def __init__(self, text: str, file: str, vocabulary: Vocabulary) -> None:
        self.text, self.file, self.vocabulary = text, file, vocabulary
        self.problems: list[Problem] = []
        self.subject = "person"

    # ------------------------------------------------------------ problems
    def wrong(self, node: yaml.Node | int, kind: str, /, **values) -> None:
        line = node if isinstance(node, int) else node.start_mark.line + 1
        self.problems.append(problem(self.file, line, kind, **values))

    def stop(self, node: yaml.Node, kind: str, /, **values) -> "_Stop":
        self.wrong(node, kind, **values)
        return _Stop()

    # ------------------------------------------------------------ plain values
    def root(self) -> yaml.MappingNode | None:
        if len(self.text) > _LONGEST:
            self.wrong(1, "too_long", most=_LONGEST)
            return None
        try:
            documents = list(yaml.compose_all(self.text, Loader=yaml.SafeLoader))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.wrong(mark.line + 1 if mark else 1, "yaml", said=error.problem or error.context or "")
            return None
        except yaml.YAMLError as error:
            self.wrong(1, "yaml", said=str(error).splitlines()[0])
            return None
        if len(documents) != 1 or not isinstance(documents[0], yaml.MappingNode):
            self.wrong(1, "no_policy" if len(documents) < 2 else "two_documents")
            return None
        return documents[0]

    def mapping(self, node: yaml.Node, section: str) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """Key → (key node, value node); unknown and doubled keys are written down."""
        if not isinstance(node, yaml.MappingNode):
            raise self.stop(node, "wants_mapping", section=section, keys=", ".join(KEYS[section]))
        found: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key_node, value in node.value:
            word = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else ""
            key = key_of(section, word)
            if key is None:
                known = [*KEYS[section], *KEYS[section].values()]
                near = ", ".join(difflib.get_close_matches(word, known, 2, 0.6)) or ", ".join(KEYS[section])
                self.wrong(key_node, "unknown_key", key=word, near=near)
            elif key in found:
                self.wrong(key_node, "key_twice", key=word, line=found[key][0].start_mark.line + 1)
            else:
                found[key] = (key_node, value)
        return found

    def word(self, node: yaml.Node, key: str) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self.stop(node, "wants_text", key=key)
        if not node.value.strip():
            raise self.stop(node, "empty", key=key)
        return node.value.strip()

    def words(self, node: yaml.Node, key: str) -> tuple[str, ...]:
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        return tuple(self.word(n, key) for n in nodes)

    def choice(self, node: yaml.Node, key: str, choices: str) -> str:
        word = self.word(node, key)
        if (found := choice_of(choices, word)) is None:
            listed = "、".join(f"{k}（{label}）" for k, label in CHOICES[choices].items())
            raise self.stop(node, "unknown_choice", key=key, text=word, choices=listed)
        return found

    def day(self, node: yaml.Node, key: str) -> date:
        word = self.word(node, key)
        match = _DAY.fullmatch(word)
        try:
            return date(*(int(g) for g in match.groups()))
        except (ValueError, AttributeError):
            raise self.stop(node, "wants_date", key=key, text=word) from None

    def whole(self, node: yaml.Node, key: str, least: int, most: int) -> int:
        word = self.word(node, key)
        if not word.lstrip("-").isdigit() or not least <= int(word) <= most:
            raise self.stop(node, "wants_number", key=key, text=word, least=least, most=most)
        return int(word)

    def year_day(self, node: yaml.Node, key: str, lunar: bool = False) -> tuple[int, int]:
        word = self.word(node, key)
        match = _YEAR_DAY.fullmatch(word)
        month, day = (int(match[1]), int(match[2])) if match else (0, 0)
        longest = 30 if lunar else {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}.get(month, 31)
        if not (1 <= month <= 12 and 1 <= day <= longest):
            raise self.stop(node, "wants_year_day", key=key, text=word)
        return month, day

    def parsed(self, node: yaml.Node, kind: str, key: str):
        """A condition (``bool``) or a number of that kind; a fault in it is put on its own line of the text."""
        text = self.word(node, key) if isinstance(node, yaml.ScalarNode) else None
        if text is None:
            raise self.stop(node, "wants_text", key=key)
        try:
            if kind == "bool":
                return condition(text, self.vocabulary, self.subject)
            return number(text, self.vocabulary, self.subject, kind)
        except Fault as fault:
            line = node.start_mark.line + 1
            if node.style == "|":
                line += 1
            if node.style == "|" or node.style is None:
                line += text.count("\n", 0, fault.at)
            self.wrong(line, fault.kind, **fault.values)
            raise _Stop from None

    # ------------------------------------------------------------ the parts
    def policy(self) -> Policy | None:
        root = self.root()
        if root is None:
            return None
        given = self.mapping(root, "policy")
        for key in _REQUIRED:
            if key not in given:
                self.wrong(1, "key_missing", key=key, label=KEYS["policy"][key])
        if "amount" not in given and "quantity" not in given and "copayment" not in given:
            self.wrong(1, "key_missing", key="amount", label=KEYS["policy"]["amount"])

        def part(key, parse, default=None):
            if key not in given:
                return default
            try:
                return parse(given[key][1])
            except _Stop:
                return default

        def choice(key, default, choices=None):
            return part(key, lambda n: self.choice(n, key, choices or key), default)

        self.subject = choice("subject", "person")
        cycle = part("period", self._cycle, Cycle("month"))
        read_on = choice("read", "first_day")
        application = choice("application", "required")
        amount = part("amount", lambda n: self._amount(n, "fen", "amount"), Amount((), False))
        found = Policy(
            code=part("code", self._code, ""),
            name=part("name", lambda n: self.word(n, "name"), ""),
            subject=self.subject,
            region=part("region", self._region, ""),
            document=part("document", self._document, Document()),
            valid_from=part("valid_from", lambda n: self.day(n, "valid_from"), date.min),
            valid_to=part("valid_to", lambda n: self.day(n, "valid_to")),
            cycle=cycle,
            pay_day=part("pay_day", self._pay_day, 0),
            read=read_on,
            birthday=choice("birthday", "month"),
            starts=part("starts", lambda n: self._edge(n, "from"), self._on_application(application)),
            stops=part("stops", lambda n: self._edge(n, "until")),
            who=part("who", self._who, ()),
            amount=amount,
            quantity=part("quantity", lambda n: self._amount(n, "int", "quantity")),
            copayment=part("copayment", lambda n: self._amount(n, "ratio", "share")),
            stacking=part("stacking", self._stacking, Stacking()),
            repeat=choice("repeat", "never" if cycle.every == "once" or cycle.joiners else ""),
            form=choice("form", "cash"),
            fund=choice("fund", "mixed"),
            payee=choice("payee", "self"),
            application=application,
            evidence=part("evidence", lambda n: self.words(n, "evidence"), ()),
            windows=part("windows", self._windows, {}),
            review=part("review", self._review, ("street", "county")),
            notice_days=part("notice_days", lambda n: self.whole(n, "notice_days", 0, 60), 0),
            rest=part("rest", self._rest),
            instalments=part("instalments", self._instalments, ()),
            deduct_most=part("deduct_most", lambda n: self.whole(n, "deduct_most", 0, 100)),
            notes=part("notes", lambda n: self.words(n, "notes"), ()),
            sources=part("sources", lambda n: self.words(n, "sources"), ()),
            text=self.text,
            digest=hashlib.sha256(self.text.encode()).hexdigest(),
            file=self.file,
            lines={key: node.start_mark.line + 1 for key, (node, _) in given.items()},
        )
        self._together(found, given)
        return found

    def _on_application(self, application: str) -> Edge | None:
        """Where nothing else is said, what is given on application begins with the month from which one is approved."""
        term = self.vocabulary.term(APPLIED_ON)
        known = term is not None and self.subject in term.subjects
        return Edge(APPLIED_ON, "month") if application == "required" and known else None

    def _together(self, policy: Policy, given: dict) -> None:
        """What no single value shows."""

        def at(key):
            return given[key][0] if key in given else 1

        if policy.valid_to is not None and policy.valid_to < policy.valid_from:
            self.wrong(at("valid_to"), "ends_before_start", start=policy.valid_from, end=policy.valid_to)
        applied = self._on_application(policy.application)
        if applied is not None and policy.starts is not None and policy.starts.term != applied.term:
            self.wrong(at("starts"), "start_of_application", term=policy.starts.term)
        if DECIDED in policy.amount.names():
            if policy.application != "required":
                self.wrong(at("amount"), "decided_needs_application")
            if policy.amount.minimum is None or policy.amount.maximum is None:
                self.wrong(at("amount"), "decided_needs_bounds")
        elif DECIDED in policy.terms:
            self.wrong(at("who"), "decided_outside_amount")
        if policy.amount.prorate != "none" and policy.read != "each_day":
            self.wrong(at("amount"), "prorate_needs_days", prorate=policy.amount.prorate)
        if policy.amount.prorate == "half_month" and policy.cycle.every not in ("month", "once"):
            self.wrong(at("amount"), "half_month_of_month")
        if policy.read == "each_day" and policy.cycle.every == "festival":
            self.wrong(at("read"), "festival_reads_day")
        if "repeat" in given and not (policy.cycle.every == "once" or policy.cycle.joiners):
            self.wrong(at("repeat"), "repeat_of_once")
        if "pay_day" in given and policy.cycle.every == "festival":
            self.wrong(at("pay_day"), "festival_pay_day")
        if policy.rest is not None and policy.form not in ("voucher", "service"):
            self.wrong(at("rest"), "rest_of_form", form=policy.form)
        if policy.code in (*policy.stacking.excludes, *policy.stacking.excluded_by):
            self.wrong(at("stacking"), "excludes_itself")
        if both := set(policy.stacking.excludes) & set(policy.stacking.excluded_by):
            self.wrong(at("stacking"), "excludes_both_ways", code=", ".join(sorted(both)))

    def _code(self, node) -> str:
        word = self.word(node, "code")
        if not _CODE.fullmatch(word):
            raise self.stop(node, "wants_code", text=word)
        return word

    def _region(self, node) -> str:
        word = self.word(node, "region")
        if not _REGION.fullmatch(word):
            raise self.stop(node, "wants_region", text=word)
        return word

    def _document(self, node) -> Document:
        given = self.mapping(node, "document")
        if "number" not in given and "title" not in given:
            raise self.stop(node, "document_unnamed")
        return Document(**{key: self.word(value, key) for key, (_, value) in given.items()})

    def _pay_day(self, node) -> int:
        return 0 if self.word(node, "pay_day") in ("last", "月末") else self.whole(node, "pay_day", 1, 28)

    def _cycle(self, node) -> Cycle:
        if isinstance(node, yaml.ScalarNode):
            every = self.choice(node, "period", "every")
            if every in ("festival", "year", "quarter"):
                raise self.stop(
                    node, "period_needs_more", every=every, wanted="festival" if every == "festival" else "month"
                )
            return Cycle(every)
        given = self.mapping(node, "period")
        if "every" not in given:
            raise self.stop(node, "key_missing", key="every", label=KEYS["period"]["every"])
        every = self.choice(given["every"][1], "every", "every")
        allowed = {
            "year": {"month", "covers", "joiners"},
            "quarter": {"month", "covers"},
            "festival": {"festival", "lunar", "solar"},
        }.get(every, set())
        for key in set(given) - allowed - {"every"}:
            self.wrong(given[key][0], "key_of_other_period", key=key, every=every)
        if every == "festival":
            return self._festival(node, given)
        if every in ("year", "quarter"):
            if "month" not in given:
                raise self.stop(node, "period_needs_more", every=every, wanted="month")
            month = self.whole(given["month"][1], "month", 1, 12 if every == "year" else 3)
            previous = "covers" in given and self.choice(given["covers"][1], "covers", "covers") == "previous"
            joiners = "joiners" in given and self.choice(given["joiners"][1], "joiners", "joiners") == "monthly"
            if previous and joiners:
                self.wrong(given["joiners"][0], "joiners_of_past")
            return Cycle(every, month, previous, joiners)
        return Cycle(every)

    def _festival(self, node, given) -> Cycle:
        named = [key for key in ("festival", "lunar", "solar") if key in given]
        if len(named) != 1:
            raise self.stop(node, "one_festival_day")
        value = given[named[0]][1]
        if named[0] == "solar":
            return Cycle("festival", solar=self.year_day(value, "solar"))
        if named[0] == "lunar":
            return Cycle("festival", lunar=self.year_day(value, "lunar", lunar=True))
        name = self.choice(value, "festival", "festival")
        return Cycle("festival", festival=name, lunar=FESTIVALS[name])

    def _edge(self, node, rule: str) -> Edge:
        given = self.mapping(node, "edge")
        for key in ("at", rule):
            if key not in given:
                raise self.stop(node, "key_missing", key=key, label=KEYS["edge"][key])
        for key in set(given) - {"at", rule}:
            self.wrong(given[key][0], "unknown_key", key=key, near=f"at, {rule}")
        expr = self._term(given["at"][1])
        return Edge(expr.term.name, self.choice(given[rule][1], rule, rule))

    def _term(self, node) -> Name:
        word = self.word(node, "at")
        term = self.vocabulary.term(word, self.subject)
        if term is None or self.subject not in term.subjects or term.kind != "date":
            dates = "、".join(f"{t.label} ({t.name})" for t in self.vocabulary.of(self.subject) if t.kind == "date")
            raise self.stop(node, "wants_date_term", text=word, dates=dates or "—")
        return Name(term)

    def _who(self, node) -> tuple[Clause, ...]:
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if not nodes:
            raise self.stop(node, "empty", key="who")
        found = []
        for item in nodes:
            try:
                found += self._clauses(item)
            except _Stop:
                continue
        return tuple(found)

    def _clauses(self, node) -> list[Clause]:
        expr = self.parsed(node, "bool", "who")
        line, text = node.start_mark.line + 1 + (node.style == "|"), node.value.strip()
        if isinstance(expr, And) and node.style != "|":
            return [Clause(text, item, line) for item in _kept_ranges(expr.items)]
        return [Clause(text, expr, line)]

    def _amount(self, node, kind: str, key: str) -> Amount:
        if isinstance(node, yaml.ScalarNode):
            return Amount(
                (Row(None, self.parsed(node, kind, key), node.value.strip(), node.start_mark.line + 1),), False
            )
        given = self.mapping(node, "amount")
        if ("formula" in given) == ("table" in given):
            raise self.stop(node, "formula_or_table", key=key)
        if "formula" in given:
            value = given["formula"][1]
            rows = (
                Row(None, self.parsed(value, kind, "formula"), str(value.value).strip(), value.start_mark.line + 1),
            )
        else:
            rows = self._table(given["table"][1], kind, key)
        round_to, way = self._round(given["round"][1]) if "round" in given else (1, "half_up")
        limits = {name: self._limit(given[name][1], kind, name) for name in ("minimum", "maximum") if name in given}
        if len(limits) == 2 and None not in limits.values() and limits["minimum"] > limits["maximum"]:
            self.wrong(given["minimum"][0], "minimum_over_maximum")
        prorate = self.choice(given["prorate"][1], "prorate", "prorate") if "prorate" in given else "none"
        if prorate != "none" and kind != "fen":
            self.wrong(given["prorate"][0], "only_money", key="prorate")
        unit = self.word(given["unit"][1], "unit") if "unit" in given else ""
        return Amount(
            rows, "table" in given, limits.get("minimum"), limits.get("maximum"), prorate, round_to, way, unit
        )

    def _limit(self, node, kind: str, key: str) -> int | None:
        expr = self.parsed(node, kind, key)
        if not isinstance(expr, Literal) or Fraction(expr.value).denominator != 1:
            raise self.stop(node, "limit_written", key=key)
        return int(expr.value)

    def _round(self, node) -> tuple[int, str]:
        if isinstance(node, yaml.ScalarNode):
            return _ROUND[self.choice(node, "round", "to")], "half_up"
        given = self.mapping(node, "round")
        to = self.choice(given["to"][1], "to", "to") if "to" in given else "fen"
        return _ROUND[to], self.choice(given["way"][1], "way", "way") if "way" in given else "half_up"

    def _table(self, node, kind: str, key: str) -> tuple[Row, ...]:
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            raise self.stop(node, "wants_rows", key=key)
        rows: list[Row] = []
        for n, item in enumerate(node.value):
            try:
                rows.append(self._row(item, kind, key, last=n == len(node.value) - 1))
            except _Stop:
                continue
        return tuple(rows)

    def _row(self, node, kind: str, key: str, last: bool) -> Row:
        given = self.mapping(node, "row")
        if key not in given:
            raise self.stop(node, "row_without_value", key=key)
        for other in set(given) - {"when", key}:
            self.wrong(given[other][0], "unknown_key", key=other, near=f"when, {key}")
        when = None
        if "when" in given:
            value = given["when"][1]
            when = Clause(str(value.value).strip(), self.parsed(value, "bool", "when"), value.start_mark.line + 1)
        elif not last:
            raise self.stop(node, "row_fits_all")
        value = given[key][1]
        return Row(when, self.parsed(value, kind, key), str(value.value).strip(), node.start_mark.line + 1)

    def _stacking(self, node) -> Stacking:
        given = self.mapping(node, "stacking")
        rule = self.choice(given["rule"][1], "rule", "stacking") if "rule" in given else "add"
        group = self.word(given["group"][1], "group") if "group" in given else ""
        if rule != "add" and not group:
            self.wrong(node, "group_missing", rule=rule)
        codes = {}
        for key in ("excludes", "excluded_by"):
            if key in given:
                codes[key] = self.words(given[key][1], key)
                for code in codes[key]:
                    if not _CODE.fullmatch(code):
                        self.wrong(given[key][1], "wants_code", text=code)
        return Stacking(group, rule, **codes)

    def _windows(self, node) -> dict[str, Window]:
        found = {}
        for key, (_, value) in self.mapping(node, "windows").items():
            given = self.mapping(value, "window")
            if set(given) != {"from", "to"}:
                raise self.stop(value, "window_ends", key=key)
            found[key] = Window(self.year_day(given["from"][1], "from"), self.year_day(given["to"][1], "to"))
        return found

    def _review(self, node) -> tuple[str, ...]:
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        found = tuple(self.choice(n, "review", "review") for n in nodes)
        if len(set(found)) != len(found):
            self.wrong(node, "review_twice")
        return found

    def _rest(self, node) -> Rest:
        given = self.mapping(node, "rest")
        rule = self.choice(given["rule"][1], "rule", "rest") if "rule" in given else "lapse"
        at = self.choice(given["at"][1], "at", "at") if "at" in given else "month_end"
        months = self.whole(given["months"][1], "months", 1, 60) if "months" in given else None
        cap = self._limit(given["cap"][1], "fen", "cap") if "cap" in given else None
        if rule == "lapse" and (months is not None or cap is not None):
            self.wrong(node, "lapse_has_no_window")
        if rule == "lapse" and at == "never":
            self.wrong(node, "lapse_when")
        return Rest(rule, at, months, cap)

    def _instalments(self, node) -> tuple[Instalment, ...]:
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            raise self.stop(node, "wants_rows", key="instalments")
        found = []
        for item in node.value:
            given = self.mapping(item, "instalment")
            if set(given) != {"name", "share"}:
                raise self.stop(item, "instalment_parts")
            share = self.parsed(given["share"][1], "ratio", "share")
            if not isinstance(share, Literal):
                raise self.stop(item, "limit_written", key="share")
            found.append(Instalment(self.word(given["name"][1], "name"), Fraction(share.value)))
        if (total := sum(i.share for i in found)) != 1:
            self.wrong(node, "instalments_sum", total=f"{float(total) * 100:g}%")
        return tuple(found)


def _kept_ranges(items):
    """``80 <= age <= 89`` stays one clause."""
    from .sentences import _range

    found, n = [], 0
    while n < len(items):
        if _range(items[n : n + 2]):
            found.append(And(tuple(items[n : n + 2])))
            n += 2
        else:
            found.append(items[n])
            n += 1
    return found
