"""Everything that a run of an office needs, opened once at the door and passed down: configuration, stores, clock.

Not here: any step of the work (`pipeline`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from disclosure_etl.bureaus import Bureau, Bureaus, load_bureaus
from disclosure_etl.calendar import (
    Clock,
    DueDay,
    Schedule,
    WorkCalendar,
    due_day,
    load_calendar,
    load_schedule,
    release_moment,
)
from disclosure_etl.settings import Settings
from schemas.errors import ConfigError, Message
from schemas.formfile import Forms, load_forms
from schemas.forms import Form
from schemas.layoutfile import LayoutMapping, load_layouts
from schemas.periods import Period
from schemas.rulefile import check_rule_settings
from schemas.rules import RuleSet, RuleSettings, rule_set
from schemas.yamlfile import read_yaml

if TYPE_CHECKING:
    from disclosure_etl.intake.raw_store import RawStore
    from disclosure_etl.intake.sources import Source
    from disclosure_etl.intake.sources.declared import Declared
    from disclosure_etl.intake.sources.secret_values import Secrets
    from disclosure_etl.warehouse import Warehouse


def unheard(message: Message) -> None:
    """What a run has to tell while it is at work, where nobody listens."""


@dataclass(frozen=True)
class Office:
    """One office's configuration and stores. What is expensive is opened when it is first asked for. `tell` hears what whoever
    waits for a run wants to know."""

    settings: Settings
    clock: Clock
    tell: Callable[[Message], None] = unheard

    @cached_property
    def bureaus(self) -> Bureaus:
        """The dated tree of bureaus."""
        return load_bureaus(self.settings.dirs.file("bureaus.yaml"))

    @cached_property
    def forms(self) -> Forms:
        """All forms, with the office's optional blocks."""
        return load_forms(self.settings.dirs.files("forms", "*.yaml"), self.settings.optional_blocks)

    @cached_property
    def forms_in_use(self) -> tuple[Form, ...]:
        """The forms of families that some bureau owes: those that a return can be on."""
        owed = {owes.family for bureau in self.bureaus.bureaus for owes in bureau.owes}
        return tuple(form for form in self.forms.forms if form.family in owed | {self.settings.family})

    @cached_property
    def layouts(self) -> tuple[LayoutMapping, ...]:
        """The layouts that differ from the templates."""
        from disclosure_etl.intake.lexicon import HEADER_FIELDS

        return load_layouts(self.settings.dirs.files("layouts", "*.yaml"), self.forms, HEADER_FIELDS)

    @cached_property
    def schedule(self) -> Schedule:
        """When the month is consolidated and returns are due."""
        return load_schedule(self.settings.dirs.file("schedule.yaml"))

    @cached_property
    def calendar(self) -> WorkCalendar:
        """Working days and holidays."""
        return load_calendar(self.settings.dirs.files("calendar", "*.yaml"))

    @cached_property
    def declared_sources(self) -> tuple[Declared, ...]:
        """Where returns arrive, as sources.yaml says.

        Raises:
            ConfigError: something in it cannot be used, or a secret that it names is nowhere.
        """
        from disclosure_etl.intake.sources.declared import read_sources

        return read_sources(self.settings.dirs.file("sources.yaml"), self.bureaus.codes, self.secrets)

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """Where returns arrive, ready to be listed.

        Raises:
            ConfigError: as for `declared_sources`.
            UserError: a library is missing that one of them needs.
        """
        from disclosure_etl.intake.sources.opening import Surroundings, open_source

        settings = self.settings
        around = Surroundings(
            settings.base,
            settings.inbox_path,
            ZoneInfo(self.schedule.timezone),
            self.secrets,
            settings.read_limits.max_bytes,
            settings.family,
            lambda: self.forms,
        )
        declared = tuple(open_source(one, around) for one in self.declared_sources)
        return (*declared, *self._uploads({one.name for one in declared}))

    def _uploads(self, taken: Collection[str]) -> Iterator[Source]:
        """What came through the desk is a source like any other, once something did."""
        from disclosure_etl.intake.sources import FolderSource

        if self.settings.uploads_path.is_dir():
            name = "desk" if "desk" not in taken else "desk uploads"
            yield FolderSource(self.settings.uploads_path, ZoneInfo(self.schedule.timezone), name)

    @cached_property
    def secrets(self) -> Secrets:
        """Passwords and keys that the configuration names."""
        from disclosure_etl.intake.sources.secret_values import Secrets

        return Secrets(self.settings.environment, self.settings.secrets_path)

    @cached_property
    def raw_store(self) -> RawStore:
        """Where every byte received is kept."""
        from disclosure_etl.intake.raw_store import RawStore

        return RawStore(self.settings.raw_store_path)

    @cached_property
    def warehouse(self) -> Warehouse:
        """The reporting warehouse, with its dimensions as configured now."""
        from disclosure_etl.warehouse import Warehouse

        self.check()
        warehouse = Warehouse.open(self.settings.warehouse_url, clock=self.clock, actor=self.settings.actor)
        warehouse.sync(self.bureaus.bureaus, self.forms.forms)
        warehouse.note_configuration(self.settings.dirs.digests())
        return warehouse

    @contextmanager
    def rehearsing(self) -> Iterator[Office]:
        """The same office over a warehouse of which nothing that is written into it stays. Bytes that are received are kept
        in any case. Nobody else judges or decides meanwhile.

        Raises:
            UserError: as for `alone`.
        """
        with self.alone("rerun --dry-run") as alone, alone.warehouse.rehearsing() as forgetful:
            own = copy(self)
            own.__dict__["warehouse"] = forgetful
            yield own

    @contextmanager
    def alone(self, doing: str, patience_seconds: float | None = None) -> Iterator[Office]:
        """This office while nobody else judges or decides, in any process: what is read in it stays as it is until what follows
        from it is stored. `doing` is what others are told who wait; `patience_seconds` is of somebody who waits for less long than
        the settings say.

        Raises:
            UserError: somebody else is at it, and takes longer than the settings' patience.
        """
        longest = self.settings.run_patience_seconds
        patience = longest if patience_seconds is None else min(patience_seconds, longest)
        with self.warehouse.alone(doing, patience, self.tell) as warehouse:
            own = copy(self)
            own.__dict__["warehouse"] = warehouse
            yield own

    def check(self) -> None:
        """Hold the configuration files against one another.

        Raises:
            ConfigError: a bureau owes an unknown form family, or the office names an unknown bureau as its own.
        """
        families = sorted({form.family for form in self.forms.forms})
        for bureau in self.bureaus.bureaus:
            for owed in bureau.owes:
                if owed.family not in families:
                    raise ConfigError(
                        f"bureaus.yaml:「{bureau.code}」应报的报表「{owed.family}」不存在;已有:{'、'.join(families)}。",
                        f"bureaus.yaml: '{bureau.code}' owes '{owed.family}', which is no form family; known: "
                        f"{', '.join(families)}.",
                    )
        _ = self.rule_settings
        _ = self.layouts
        own = self.settings.file.office.bureau
        if own not in self.bureaus.codes:
            raise ConfigError(
                f"settings.yaml 的 office.bureau「{own}」不在 bureaus.yaml 中;请写上本局在 bureaus.yaml 中的代码。",
                f"settings.yaml names '{own}' as office.bureau, which is not in bureaus.yaml; write the office's own code.",
            )

    @cached_property
    def rule_settings(self) -> RuleSettings:
        """What the office changes about the rules that follow from its forms."""
        settings, source = read_yaml(self.settings.dirs.file("rules.yaml"), RuleSettings)
        check_rule_settings(settings, source, self.forms, self.bureaus.codes)
        return settings

    def rules(self, form: Form, period: Period, judged_as: Period | None = None) -> RuleSet:
        """The rules in force for a form and a period."""
        return rule_set(form, period, self.rule_settings, judged_as)

    def owing(self, family: str, period: Period) -> tuple[Bureau, ...]:
        """The bureaus that owe a return of `family` for `period`, in their listed order."""
        return self.bureaus.owing(family, period)

    def release_moment(self, period: Period) -> datetime | None:
        """The moment from which a period's figures may be given to the public; None where none is planned."""
        return release_moment(period, self.schedule, self.calendar)

    def due(self, period: Period) -> DueDay:
        """The day by which returns for `period` are due."""
        return due_day(period, self.schedule.due[period.frequency], self.calendar)
