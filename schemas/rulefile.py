"""Reading rules.yaml: what must hold of an office's changes before a return is judged by them.

Not here: what they do (`rules`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from schemas.constraints import TRENDS
from schemas.errors import UserError
from schemas.formchecks import check_stated
from schemas.formfile import Forms
from schemas.forms import Form
from schemas.periods import Period
from schemas.rulecodes import rule_codes
from schemas.rules import Override, RuleSettings, rule_set
from schemas.yamlfile import Source, unknown_name


def check_rule_settings(settings: RuleSettings, source: Source, forms: Forms, bureaus: Sequence[str]) -> None:
    """Hold rules.yaml against the forms and bureaus.

    Raises:
        ConfigError: an unknown form, bureau, rule, indicator or column; a period that is none; a rule's code twice.
    """
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
                taken = [one.code for one in form.rules] + [
                    one.code for one in settings.rules[:at] if one.form in (form.family, form.key)
                ]
                check_stated(rule, form, source, place, taken)
    for at, one in enumerate(settings.overrides):
        _check_override(one, source, ("overrides", at), forms, names, settings)
        if one.bureau is not None and one.bureau not in bureaus:
            zh, en = unknown_name(one.bureau, list(bureaus))
            raise source.error(
                ("overrides", at, "bureau"),
                f"没有单位「{one.bureau}」。{zh}",
                f"There is no bureau '{one.bureau}'. {en}",
            )


def _check_override(
    one: Override,
    source: Source,
    place: tuple[str | int, ...],
    forms: Forms,
    names: Sequence[str],
    settings: RuleSettings,
) -> None:
    if one.form is not None and one.form not in names:
        zh, en = unknown_name(one.form, names)
        raise source.error((*place, "form"), f"没有报表「{one.form}」。{zh}", f"There is no form '{one.form}'. {en}")
    for key, code in (("from", one.first), ("to", one.last)):
        if code is not None:
            try:
                Period.parse(code)
            except UserError as error:
                raise source.error((*place, key), error.message.zh, error.message.en) from None
    codes: list[str] = []
    for form in forms.forms:
        if one.form in (None, form.family, form.key):
            codes += all_codes(form, settings)
    if not any(one.is_about(code) for code in codes):
        zh, en = unknown_name(one.rule, sorted(set(codes)))
        raise source.error((*place, "rule"), f"没有规则「{one.rule}」。{zh}", f"There is no rule '{one.rule}'. {en}")
    if one.thresholds is not None and not any(one.is_about(kind) for kind in TRENDS):
        known = "、".join(TRENDS)
        raise source.error(
            (*place, "thresholds"),
            f"规则「{one.rule}」没有阈值;有阈值的规则:{known}。",
            f"Rule '{one.rule}' has no thresholds; rules that have: {', '.join(TRENDS)}.",
        )


def all_codes(form: Form, settings: RuleSettings) -> Iterable[str]:
    """The codes of every rule of a form, whenever it is in force."""
    first = Period.parse(form.valid.first)
    periods = [first, first.shifted(1)] if first.opens_year else [first]
    every = settings.model_copy(
        update={"rules": tuple(rule.model_copy(update={"valid": None}) for rule in settings.rules), "overrides": ()}
    )
    dateless = form.model_copy(update={"rules": tuple(rule.model_copy(update={"valid": None}) for rule in form.rules)})
    return rule_codes(rule_set(dateless, periods[-1] if form.covers(periods[-1]) else first, every))
