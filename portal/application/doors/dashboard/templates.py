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
from portal.domain.call_own import asked_in_call
from portal.domain.errors import NotFound
from portal.domain.template import tidy
from portal.domain.template_form import FORMS, Form

PATH: Final = "/d/templates"
CHANNELS: Final = tuple(channel.name for channel in TemplateChannel)
LANGUAGES: Final = tuple(language.name for language in TemplateLanguage)
OCCASIONS: Final = tuple(occasion.name for occasion in TemplateOccasion)
PREVIEWS_SHOWN: Final = 3
EXCERPT_MAX: Final = 24
WRITTEN_BYTES_MAX: Final = 48 * 1024
"""Of the form: a mail of 2,500 Japanese letters takes 23 kB as forms write them."""

Draft = Mapping[str, str]
"""A text being written: id and version of its draft (or empty), its use, subject and body."""


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
    draft = {**use, "id": "", "version": "", **start_of(use, known)}
    return await _answer_editor(request, context, draft)


async def write_template(request: Request) -> Response:
    """``POST /d/templates/write``: look at a text, see it with real bills, try it or store it.

    Raises InvalidInput ``form_malformed``, ``card_number_refused``; NotAllowed ``form_foreign``,
    ``form_stale``.
    """
    context = staff_context(request)
    form = await read_form(request, WRITTEN_BYTES_MAX)
    context.check_form(request, form)
    draft = {
        **read_use(form),
        "id": form.get("id", ""),
        "version": form.get("version", ""),
        "subject": tidy(form.get("subject", "")),
        "body": tidy(form.get("body", "")),
    }
    if "application/json" in request.headers.get("accept", ""):
        data = await run_operation(context, "TemplateCheck", {"input": _text_of(draft)})
        return JsonResponse(news_of(data["templateCheck"], draft, context.language))
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
    """Send the text to a telephone or a mailbox of the staff."""
    wanted = {
        **_text_of(draft),
        "phone": form.get("phone", "").strip(),
        "email": form.get("email", "").strip(),
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
    return {name: draft[name] for name in ("channel", "language", "occasion", "subject", "body")}


def read_use(given: Mapping[str, str]) -> dict[str, str]:
    """Channel, language and occasion as an address or a form says them, leniently."""
    known = {"channel": CHANNELS, "language": LANGUAGES, "occasion": OCCASIONS}
    return {
        name: given.get(name, "") if given.get(name, "") in words else words[0]
        for name, words in known.items()
    }


def start_of(use: Draft, known: list[Data]) -> dict[str, str]:
    """The words that a new version begins with: those in force, or the built-in ones."""
    for one in known:
        if one["state"] == "IN_FORCE" and all(one[name] == use[name] for name in use):
            return {name: str(one[name]) for name in ("subject", "body")}
    language, occasion = TemplateLanguage[use["language"]], TemplateOccasion[use["occasion"]]
    subject, body = form_of(use).start(language.value, occasion.value)
    return {"subject": subject, "body": body}


def form_of(use: Draft) -> Form:
    """What its channel asks of a text."""
    return FORMS[TemplateChannel[use["channel"]].value]


# What each template is given


def templates_screen(request: Request, data: Data) -> Screen:
    """Values of one channel's list: a row for each occasion and language, with own words or not."""
    known: list[Data] = data["templates"]
    channel = read_use(request.query_params)["channel"]
    rows = [
        {
            "use": {"channel": channel, "language": language, "occasion": occasion},
            "in_force": next((one for one in mine if one["state"] == "IN_FORCE"), None),
            "waiting": [one for one in mine if one["state"] != "IN_FORCE"],
        }
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
    return Screen(
        template="dashboard/templates.html",
        here="templates",
        values={
            "rows": rows,
            "channel": channel,
            "channels": CHANNELS,
            "prices": [
                one | {"yen": " ".join(map(_yen, one["prices"]))} for one in data["messagePrices"]
            ],
        },
    )


def template_screen(request: Request, data: Data) -> Screen:
    """Values of one version's screen; raises NotFound ``not_found``."""
    if data["template"] is None:
        raise NotFound("not_found")
    record = data["template"]
    version = record["template"]
    language = language_of(request)
    draft = {name: str(version[name]) for name in ("id", "version", "channel", "language")}
    draft |= {name: str(version[name]) for name in ("occasion", "subject", "body")}
    return Screen(
        template="dashboard/template.html",
        here="templates",
        shows_mail=True,
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
        shows_mail=True,
        values={
            **_editor_values(draft, data["templateCheck"], language),
            "texts": texts,
            "trouble": trouble,
        },
    )


def _editor_values(draft: Draft, checked: Data, language: str) -> dict[str, object]:
    form = form_of(draft)
    return {
        "draft": draft,
        "checked": checked,
        "news": news_of(checked, draft, language),
        "languages_known": LANGUAGES,
        "occasions": OCCASIONS,
        "form": form,
        "asked": asked_in_call(TemplateLanguage[draft["language"]].value),
        "variables": " ".join(f"{{{name}}}" for name in form.body.variables),
        "subject_variables": " ".join(
            f"{{{name}}}" for name in (form.subject.variables if form.subject else ())
        ),
        "key": fresh_key(),
        "item": None,
        "others": [],
        "texts": None,
        "trouble": None,
        "done": "",
    }


def news_of(checked: Data, draft: Draft, language: str) -> dict[str, object]:
    """What was found, in the viewer's words: the same for the page and for its script."""
    texts = TEXTS[language]
    return {
        "findings": [
            {
                "severity": finding["severity"].lower(),
                "part": finding["part"].lower(),
                "text": _said_of(finding, draft, language),
                "at": _place(draft[finding["part"].lower()], finding, language),
            }
            for finding in checked["findings"]
        ],
        "fine": "" if checked["findings"] else texts.say("templates.fine"),
        "size": texts.say(
            f"templates.sizes.{draft['channel'].lower()}",
            segments=checked["size"]["segments"],
            units=checked["size"]["units"],
            price=_price(checked["size"]["price"], language),
            longest=checked["longest"]["segments"],
            longest_units=checked["longest"]["units"],
            longest_price=_price(checked["longest"]["price"], language),
        ),
        "sample": checked["sample"],
        "subject": checked["sampleSubject"],
    }


def _said_of(finding: Data, draft: Draft, language: str) -> str:
    """What is wrong, and with which part where that is not the text."""
    message: str = finding["message"]
    if finding["part"] == "BODY":
        return message
    texts = TEXTS[language]
    part = texts.say(f"templates.subjects.{draft['channel'].lower()}")
    return texts.say("templates.of_part", part=part, message=message)


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
    return TEXTS[language].say("templates.price", yen=_yen(hundredths))


def _yen(hundredths: int) -> str:
    yen, part = divmod(hundredths, 100)
    return f"{yen:,}.{part:02}" if part else f"{yen:,}"
