"""Reading rules.yaml: what must hold of an office's changes before a return is judged by them.

Not here: what they do (`rules`).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from schemas.constraints import LINEAR, TRENDS, Constraint, Kind
from schemas.formchecks import check_span, check_stated
from schemas.formfile import Forms
from schemas.forms import Form
from schemas.periods import Period
from schemas.rulecodes import rule_codes
from schemas.rules import Override, RuleSet, RuleSettings, Thresholds, rule_set
from schemas.yamlfile import Location, Source, unknown_name

# Settled before a return is judged (whose it is) or after (who is late, which waivers hold): no setting reaches them.
_SETTLED = ("identity", "duty", "waiver")

_THRESHOLDS: dict[Kind, tuple[str, ...]] = {
    Kind.JUMP: ("least_change", "least_difference"),
    Kind.YEAR_JUMP: ("least_change", "least_difference"),
    Kind.ZERO: ("zero_median",),
    Kind.COPY: ("copy_figures",),
}


def check_rule_settings(
    settings: RuleSettings, source: Source, forms: Forms, bureaus: Sequence[str], beside: RuleSettings | None = None
) -> None:
    """Hold rules.yaml against the forms and bureaus.

    Args:
        beside: settings already in force, which these are to be added to.

    Raises:
        ConfigError: an unknown form, bureau, rule, indicator or column; a period that is none, or that ends before it
            begins; a rule's code twice; a change that would have no effect.
    """
    before = beside or RuleSettings()
    together = before.joined(settings)
    names = sorted({name for form in forms.forms for name in (form.family, form.key)})
    for at, rule in enumerate(settings.rules):
        place = ("rules", at)
        if rule.form not in names:
            zh, en = unknown_name(rule.form, names)
            raise source.error(
                (*place, "form"), f"没有报表「{rule.form}」。{zh}", f"There is no form '{rule.form}'. {en}"
            )
        for form in forms.forms:
            if rule.form in (form.family, form.key):
                earlier = before.joined(settings.model_copy(update={"rules": settings.rules[:at]})).added(form)
                check_stated(rule, form, source, place, [one.code for one in (*form.rules, *earlier)])
    for at, one in enumerate(settings.overrides):
        _check_override(one, source, ("overrides", at), forms, names, together)
        if one.bureau is not None and one.bureau not in bureaus:
            zh, en = unknown_name(one.bureau, list(bureaus))
            raise source.error(
                ("overrides", at, "bureau"),
                f"没有单位「{one.bureau}」。{zh}",
                f"There is no bureau '{one.bureau}'. {en}",
            )


def _check_override(
    one: Override, source: Source, place: Location, forms: Forms, names: Sequence[str], settings: RuleSettings
) -> None:
    if one.form is not None and one.form not in names:
        zh, en = unknown_name(one.form, names)
        raise source.error((*place, "form"), f"没有报表「{one.form}」。{zh}", f"There is no form '{one.form}'. {en}")
    check_span(one.first, one.last, source, place)
    every = [_every_rule(form, settings) for form in forms.forms if one.form in (None, form.family, form.key)]
    kinds = {code: rules.kind_of(code) for rules in every for code in rule_codes(rules)}
    open_to = {code: kind for code, kind in kinds.items() if kind not in _SETTLED}
    if one.rule.partition(":")[0] in _SETTLED:
        spellings = [f"{kind}:*" for kind in dict.fromkeys(open_to.values())]
        raise source.error(
            (*place, "rule"),
            f"规则「{one.rule}」不随设置而变:单位和时期须先确认,催报看到期日,豁免另行决定。可更改的有:{'、'.join(spellings)}。",
            f"Rule '{one.rule}' is not open to changes: whose return it is comes first, duties follow from due days, waivers "
            f"are decided one by one. Open are: {', '.join(spellings)}.",
        )
    if not any(one.is_about(code, kind) for code, kind in open_to.items()):
        known = {f"{kind}:*" for kind in open_to.values()} if one.rule.endswith(":*") else set(open_to)
        zh, en = unknown_name(one.rule, sorted(known))
        raise source.error((*place, "rule"), f"没有规则「{one.rule}」。{zh}", f"There is no rule '{one.rule}'. {en}")
    if one.tolerance is not None:
        rows = [row for rules in every for row in rules.table.constraints if one.is_about(row.code, row.kind)]
        _check_tolerance(one.rule, one.tolerance, rows, source, (*place, "tolerance"))
    if one.thresholds is not None:
        _check_thresholds(one, one.thresholds, source, (*place, "thresholds"))


def _check_tolerance(rule: str, tolerance: float, rows: Sequence[Constraint], source: Source, at: Location) -> None:
    if not rows:
        raise source.error(
            at,
            f"规则「{rule}」没有容差;有容差的规则种类:{'、'.join(LINEAR)}。",
            f"Rule '{rule}' has no tolerance; kinds of rules that have: {', '.join(LINEAR)}.",
        )
    for row in rows:
        scale = row.terms[-1].cell.scale
        if Decimal(str(tolerance)).scaleb(scale) % 1:
            raise source.error(
                at,
                f"容差 {tolerance} 比规则「{row.code}」的数更细:其小数位数为 {scale}。",
                f"A tolerance of {tolerance} is finer than the figures of rule '{row.code}', which have {scale} decimals.",
            )


def _check_thresholds(one: Override, thresholds: Thresholds, source: Source, at: Location) -> None:
    kind = next((kind for kind in TRENDS if one.is_about(kind, kind)), None)
    if kind is None:
        known = "、".join(TRENDS)
        raise source.error(
            at,
            f"规则「{one.rule}」没有阈值;有阈值的规则:{known}。",
            f"Rule '{one.rule}' has no thresholds; rules that have: {', '.join(TRENDS)}.",
        )
    for name in thresholds.model_dump(exclude_none=True):
        if name not in _THRESHOLDS[kind]:
            used = _THRESHOLDS[kind]
            raise source.error(
                (*at, name),
                f"规则「{one.rule}」不用阈值 {name};可用的有:{'、'.join(used)}。",
                f"Rule '{one.rule}' does not use '{name}'; it uses: {', '.join(used)}.",
            )


def _every_rule(form: Form, settings: RuleSettings) -> RuleSet:
    """The rules of a form, whenever they are in force, before any change."""
    first = Period.parse(form.valid.first)
    periods = [first, first.shifted(1)] if first.opens_year else [first]
    every = settings.model_copy(
        update={"rules": tuple(rule.model_copy(update={"valid": None}) for rule in settings.rules), "overrides": ()}
    )
    dateless = form.model_copy(update={"rules": tuple(rule.model_copy(update={"valid": None}) for rule in form.rules)})
    return rule_set(dateless, periods[-1] if form.covers(periods[-1]) else first, every)
