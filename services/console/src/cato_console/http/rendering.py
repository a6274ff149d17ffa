"""Templates in the languages of the pages."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cato_console.language.languages import CODES, NAMES, Language, language
from cato_console.views import charts, reasons, states

STATIC = files("cato_console") / "static"


class Renderer:
    """Renders templates; everything that is put into them is escaped."""

    def __init__(self, zone: str) -> None:
        self._languages = {code: language(code, zone) for code in CODES}
        self._environments = {code: _environment(spoken) for code, spoken in self._languages.items()}

    def language(self, code: str) -> Language:
        return self._languages[code]

    def text(self, template: str, spoken: Language, context: Mapping[str, Any]) -> str:
        return self._environments[spoken.code].get_template(template).render(context)


def _environment(spoken: Language) -> Environment:
    environment = Environment(
        loader=PackageLoader("cato_console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(spoken.translations, newstyle=True)  # type: ignore[attr-defined]
    environment.filters.update(
        number=spoken.number,
        percent=spoken.percent,
        moment=spoken.moment,
        clock=spoken.time,
        duration=spoken.duration,
        instant=lambda at: at.astimezone(UTC).isoformat(timespec="seconds"),
        reason=lambda word: reasons.reason_text(spoken, word),
    )
    environment.globals.update(
        asset=asset,
        icon=icon,
        languages=NAMES,
        charts=charts,
        states=states,
        spoken=spoken,
        now=lambda: datetime.now(UTC),
    )
    return environment


@cache
def asset(name: str) -> str:
    """Return the address of a static file; it changes with the content, so that browsers may keep it."""
    digest = sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


@cache
def icon(name: str) -> Markup:
    """Return an icon that screen readers pass over: the words beside it say the same."""
    return Markup('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>').format(
        asset("icons.svg"), name
    )
