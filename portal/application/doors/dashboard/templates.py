"""The staff's screens of templates: what is sent, a text being written, a version to decide about.

Zone: application. The form works without script: each press of a button posts the whole text and
shows what was found in it. With script the same address answers in JSON while somebody types. What
is wrong with a text, and who may do what about it, is the vault's to say.
"""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from portal.application.doors.answers import remember_choice, see_other
from portal.application.doors.context import RequestContext, language_of, staff_context
from portal.application.doors.dashboard.flash import Flash, leave_flash
from portal.application.doors.dashboard.screens import (
    Screen,
    answer_screen,
    fresh_key,
    show_screen,
)
from portal.application.doors.encoding import JsonResponse
from portal.application.doors.forms import read_form, read_whole
from portal.application.doors.graphql.execute import Data, run_operation
from portal.application.doors.graphql.template_enums import (
    TemplateChannel,
    TemplateLanguage,
    TemplateOccasion,
)
from portal.application.doors.locales import TEXTS
from portal.domain.errors import NotFound
from portal.domain.sms import BUILT_IN
from portal.domain.template import VARIABLES, tidy
from portal.domain.template_lint import BODY_CHARACTERS_MAX

PATH: Final = "/d/templates"
CHANNELS: Final = tuple(channel.name for channel in TemplateChannel)
LANGUAGES: Final = tuple(language.name for language in TemplateLanguage)
OCCASIONS: Final = tuple(occasion.name for occasion in TemplateOccasion)
PREVIEWS_SHOWN: Final = 3
EXCERPT_MAX: Final = 24

Draft = Mapping[str, str]
"""A text being written: id and version of its draft (or empty), its use, its body."""


async def show_templates(request: Request) -> Response:
    """``GET /d/templates``: for each occasion and language, what is sent and what waits."""
    return await show_screen(request, templates_screen, "Templates", {})


async def show_template(request: Request) -> Response:
    """``GET /d/templates/{id}``: one version, what is wrong with it, what to do about it."""
    return await show_screen(
        request, template_screen, "Template", {"id": request.path_params["id"]}
    )


async def show_template_new(request: Request) -> Response:
    """``GET /d/templates/new``: a new text, beginning with what is sent now."""
    chosen = remember_choice(request)
    if chosen is not None:
        return chosen
    context = staff_context(request)
    use = read_use(request.query_params)
    known = (await run_operation(context, "Templates", {}))["templates"]
    draft = {**use, "id": "", "version": "", "body": start_of(use, known)}
    return await _answer_editor(request, context, draft)


async def write_template(request: Request) -> Response:
    """``POST /d/templates/write``: look at a text, see it with real bills, try it or store it.

    Raises InvalidInput ``form_malformed``, ``card_number_refused``; NotAllowed ``form_foreign``,
    ``form_stale``.
    """
    context = staff_context(request)
    form = await read_form(request)
    context.check_form(request, form)
    draft = {
        **read_use(form),
        "id": form.get("id", ""),
        "version": form.get("version", ""),
        "body": tidy(form.get("body", "")),
    }
    if "application/json" in request.headers.get("accept", ""):
        data = await run_operation(context, "TemplateCheck", {"input": _text_of(draft)})
        return JsonResponse(news_of(data["templateCheck"], draft["body"], context.language))
    match form.get("do"):
        case "save":
            return await _save(request, context, form, draft)
        case "try":
            return await _try(request, context, form, draft)
        case other:
            has_preview = other == "preview"
            return await _answer_editor(request, context, draft, has_preview=has_preview)


async def _try(
    request: Request, context: RequestContext, form: Mapping[str, str], draft: Draft
) -> Response:
    """Send the text to a telephone of the staff."""
    wanted = {
        **_text_of(draft),
        "phone": form.get("phone", "").strip(),
        "idempotencyKey": form.get("idempotencyKey", ""),
    }
    outcome = (await run_operation(context, "TemplateTry", {"input": wanted}))["templateTry"]
    if outcome["errors"]:
        return await _answer_editor(request, context, draft, trouble=outcome["errors"][0])
    done = TEXTS[context.language].say("done.TemplateTry")
    return await _answer_editor(request, context, draft, done=done)


async def _save(
    request: Request, context: RequestContext, form: Mapping[str, str], draft: Draft
) -> Response:
    """Store the text, and on to the version's screen."""
    wanted = {
        **_text_of(draft),
        "id": draft["id"] or None,
        "version": read_whole(draft["version"]) or 0,
        "idempotencyKey": form.get("idempotencyKey", ""),
    }
    outcome = (await run_operation(context, "TemplateSave", {"input": wanted}))["templateSave"]
    if outcome["errors"]:
        trouble = outcome["errors"][0]
        return await _answer_editor(request, context, draft, trouble=trouble)
    response = see_other(f"{PATH}/{outcome['template']['id']}")
    done = TEXTS[context.language].say("done.TemplateSave")
    leave_flash(context, response, Flash(kind="done", text=done))
    return response


async def _answer_editor(
    request: Request,
    context: RequestContext,
    draft: Draft,
    *,
    has_preview: bool = False,
    trouble: Data | None = None,
    done: str = "",
) -> Response:
    """The form with what was found in the text."""
    data = await run_operation(context.renewed(), "TemplateWrite", {"input": _text_of(draft)})
    texts: list[Data] | None = None
    if has_preview and data["templateCheck"]["isFit"]:
        variables = {"input": _text_of(draft), "first": PREVIEWS_SHOWN}
        found = await run_operation(context.renewed(), "TemplatePreview", variables)
        texts = found["templatePreview"]
    screen = editor_screen(draft, data, context.language, texts=texts, trouble=trouble)
    screen.values["done"] = done
    return answer_screen(request, context, screen, data)


def _text_of(draft: Draft) -> dict[str, str]:
    return {name: draft[name] for name in ("channel", "language", "occasion", "body")}


def read_use(given: Mapping[str, str]) -> dict[str, str]:
    """Channel, language and occasion as an address or a form says them, leniently."""
    known = {"channel": CHANNELS, "language": LANGUAGES, "occasion": OCCASIONS}
    return {
        name: given.get(name, "") if given.get(name, "") in words else words[0]
        for name, words in known.items()
    }


def start_of(use: Draft, known: list[Data]) -> str:
    """The text that a new version begins with: the one in force, or the built-in one."""
    for one in known:
        if one["state"] == "IN_FORCE" and all(one[name] == use[name] for name in use):
            body: str = one["body"]
            return body
    return BUILT_IN[TemplateLanguage[use["language"]].value][0]


# What each template is given


def templates_screen(_request: Request, data: Data) -> Screen:
    """Values of the list: a row for each occasion and language, whether or not it has own words."""
    known: list[Data] = data["templates"]
    rows = [
        {
            "use": {"channel": channel, "language": language, "occasion": occasion},
            "in_force": next((one for one in mine if one["state"] == "IN_FORCE"), None),
            "waiting": [one for one in mine if one["state"] != "IN_FORCE"],
        }
        for channel in CHANNELS
        for occasion in OCCASIONS
        for language in LANGUAGES
        for mine in [
            [
                one
                for one in known
                if (one["channel"], one["language"], one["occasion"])
                == (channel, language, occasion)
            ]
        ]
    ]
    return Screen(template="dashboard/templates.html", here="templates", values={"rows": rows})


def template_screen(request: Request, data: Data) -> Screen:
    """Values of one version's screen; raises NotFound ``not_found``."""
    if data["template"] is None:
        raise NotFound("not_found")
    record = data["template"]
    version = record["template"]
    language = language_of(request)
    draft = {name: str(version[name]) for name in ("id", "version", "channel", "language")}
    draft |= {"occasion": version["occasion"], "body": version["body"]}
    return Screen(
        template="dashboard/template.html",
        here="templates",
        values={
            **_editor_values(draft, record["checked"], language),
            "item": version,
            "others": record["others"],
            "back": f"{PATH}/{version['id']}",
        },
    )


def editor_screen(
    draft: Draft,
    data: Data,
    language: str,
    *,
    texts: list[Data] | None = None,
    trouble: Data | None = None,
) -> Screen:
    """Values of the form; ``texts`` are those of real bills, ``trouble`` why it was not stored."""
    return Screen(
        template="dashboard/template.html",
        here="templates",
        values={
            **_editor_values(draft, data["templateCheck"], language),
            "texts": texts,
            "trouble": trouble,
        },
    )


def _editor_values(draft: Draft, checked: Data, language: str) -> dict[str, object]:
    return {
        "draft": draft,
        "checked": checked,
        "news": news_of(checked, draft["body"], language),
        "languages_known": LANGUAGES,
        "occasions": OCCASIONS,
        "variables": " ".join(f"{{{name}}}" for name in VARIABLES),
        "longest": BODY_CHARACTERS_MAX,
        "key": fresh_key(),
        "item": None,
        "others": [],
        "texts": None,
        "trouble": None,
        "done": "",
    }


def news_of(checked: Data, body: str, language: str) -> dict[str, object]:
    """What was found, in the viewer's words: the same for the page and for its script."""
    texts = TEXTS[language]
    return {
        "findings": [
            {
                "severity": finding["severity"].lower(),
                "text": finding["message"],
                "at": _place(body, finding, language),
            }
            for finding in checked["findings"]
        ],
        "fine": "" if checked["findings"] else texts.say("templates.fine"),
        "size": texts.say(
            "templates.size",
            segments=checked["size"]["segments"],
            units=checked["size"]["units"],
            price=_price(checked["size"]["price"], language),
            longest=checked["longest"]["segments"],
            longest_price=_price(checked["longest"]["price"], language),
        ),
        "sample": checked["sample"],
    }


def _place(body: str, finding: Data, language: str) -> str:
    """Where it is, unless that is nowhere or the message says so itself."""
    words: str = body[finding["start"] : finding["end"]].strip()
    if not words or words in finding["message"]:
        return ""
    shown = words if len(words) <= EXCERPT_MAX else words[:EXCERPT_MAX] + "…"
    return TEXTS[language].say("templates.at", excerpt=shown)


def _price(hundredths: int | None, language: str) -> str:
    if hundredths is None:
        return ""
    yen, part = divmod(hundredths, 100)
    shown = f"{yen:,}.{part:02}" if part else f"{yen:,}"
    return TEXTS[language].say("templates.price", yen=shown)
