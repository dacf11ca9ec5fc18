"""What is said in a call, in Japanese (also in plain words) and English. Pure.

Written to be heard: short sentences, numbers one by one. No name of the payer, and nothing of the
bill but in ``facts``, which a call says only to who has proven to be the payer. A merchant's own
words (portal.domain.call_own) take the place of the greeting and of the facts, and of nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

from portal.domain.call import DIGITS, Call, Saying, Stage
from portal.domain.mail import one_line
from portal.domain.period import read_period
from portal.domain.template import SHORT_CHARACTERS

VOICES: Final[Mapping[str, str]] = MappingProxyType(
    {"ja": "ja-JP", "ja-easy": "ja-JP", "en": "en-US"}
)
"""Language of a bill → in which a machine reads the words out. Source: BCP 47."""

_NAME_CHARACTERS_MAX: Final = 60

_SAID: Final[Mapping[str, Mapping[Saying, str]]] = MappingProxyType(
    {
        "ja": {
            "greeting": "こちらは{merchant}の自動音声です。お支払いについてのご案内です。",
            "identity": "ご本人さまの確認です。お客さま番号の最後の4けたの数字を押してください。",
            "wrong": "番号が違います。お客さま番号の最後の4けたの数字を、もう一度押してください。",
            "facts": "{month}のご請求は、{amount}です。お支払い期限は、{due}です。",
            "link_sent": "お支払いページのリンクを、この番号にSMSで送ります。",
            "link_not": "この番号には、いまSMSを送れません。",
            "contact": "お問い合わせ先は、{phone}です。繰り返します。{phone}です。",
            "unheard": "ボタンが押されなかったので、電話を切ります。失礼いたします。",
            "stopped": "承りました。今後、この電話でのご案内はいたしません。失礼いたします。",
            "barred": "確認できませんでした。{phone}へお問い合わせください。失礼いたします。",
            "goodbye": "ありがとうございました。失礼いたします。",
            "over": "ご用件は済みました。ありがとうございました。失礼いたします。",
            "machine": "{merchant}からの自動音声です。あらためておかけします。失礼いたします。",
        },
        "ja-easy": {
            "greeting": "{merchant}の 電話です。機械の 声です。お金の お知らせが あります。",
            "identity": "お客さま番号の 最後の 4つの 数字を 押して ください。",
            "wrong": "番号が ちがいます。お客さま番号の 最後の 4つの 数字を 押して ください。",
            "facts": "{month}の お金は、{amount}です。{due}までに 払って ください。",
            "link_sent": "払う ページの リンクを、この 電話に SMSで 送ります。",
            "link_not": "この 電話には、今 SMSを 送る ことが できません。",
            "contact": "わからない ときの 電話番号は、{phone}です。もう一度、{phone}です。",
            "unheard": "ボタンが 押されませんでした。電話を 切ります。",
            "stopped": "わかりました。もう 電話しません。電話を 切ります。",
            "barred": "番号が わかりませんでした。{phone}に 電話して ください。電話を 切ります。",
            "goodbye": "ありがとうございました。電話を 切ります。",
            "over": "この お知らせは 終わりました。ありがとうございました。",
            "machine": "{merchant}の 電話です。機械の 声です。また 電話します。",
        },
        "en": {
            "greeting": "This is an automatic call from {merchant} about a payment.",
            "identity": "To be sure it is you, enter the last four digits of your customer number.",
            "wrong": "That is not right. Enter the last four digits of your customer number again.",
            "facts": "Your bill for {month} is {amount}. Please pay by {due}.",
            "link_sent": "We are sending a link to the payment page to this number by text.",
            "link_not": "A text message can't be sent to this number now.",
            "contact": "Our number is {phone}. Once more: {phone}.",
            "unheard": "No key was pressed. Goodbye.",
            "stopped": "Understood. We will not call this number with reminders again. Goodbye.",
            "barred": "We could not make sure that it is you. Please call {phone}. Goodbye.",
            "goodbye": "Thank you. Goodbye.",
            "over": "There is nothing left to do. Thank you. Goodbye.",
            "machine": "This is an automatic call from {merchant}. We will call again. Goodbye.",
        },
    }
)
_KEYS: Final[Mapping[str, Mapping[Stage, str]]] = MappingProxyType(
    {
        "ja": {
            "greeting": "内容を聞くには1を、お問い合わせ先は3を、今後この電話が不要なら9を"
            "押してください。",
            "menu": "リンクをSMSで受け取るには1を、もう一度聞くには2を、お問い合わせ先は3を、"
            "今後この電話が不要なら9を押してください。",
        },
        "ja-easy": {
            "greeting": "聞く 人は 1、わからない 人は 3、電話が いらない 人は 9を "
            "押して ください。",
            "menu": "SMSが ほしい 人は 1、もう一度 聞く 人は 2、わからない 人は 3、"
            "電話が いらない 人は 9を 押して ください。",
        },
        "en": {
            "greeting": "To hear it, press 1. For our number, press 3. For no more calls, press 9.",
            "menu": "For the link by text message, press 1. To hear it again, press 2. "
            "For our number, press 3. For no more calls, press 9.",
        },
    }
)
_NO_PHONE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ja": "公式サイトのお問い合わせ先",
        "ja-easy": "会社の ページの 電話番号",
        "en": "the one on our site",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """What a call may say. Units: yen. ``phone``: where the merchant answers, or nothing."""

    merchant_name: str
    phone: str
    period: str
    amount_minor: int
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSaid:
    """A merchant's own words with a bill's values: what anyone hears, and what its payer hears."""

    greeting: str
    facts: tuple[str, ...]


def speak(
    language: str, call: Call, facts: CallFacts, own: OwnSaid | None = None
) -> tuple[str, ...]:
    """The sentences of the prompt at which a call is, the keys that it waits for last."""
    known = language if language in _SAID else "ja"
    said = _own_words(call.saying, own) or (
        _SAID[known][call.saying].format_map(call_values(known, facts)),
    )
    keys = _KEYS[known].get(call.stage, "") if DIGITS[call.stage] else ""
    return (*said, keys) if keys else said


def _own_words(saying: Saying, own: OwnSaid | None) -> tuple[str, ...]:
    """The merchant's words for a prompt, if it is one of those that can be worded."""
    if own is None or saying not in {"greeting", "facts"}:
        return ()
    return own.facts if saying == "facts" else (own.greeting,)


def start_of_call(language: str) -> tuple[str, str]:
    """Greeting and facts as they are built in, to begin one's own words with."""
    said = _SAID[language if language in _SAID else "ja"]
    return said["greeting"], said["facts"]


def call_values(language: str, facts: CallFacts) -> dict[str, str]:
    """Every variable of what is said, as it is read out."""
    known = language if language in _SAID else "ja"
    name = one_line(facts.merchant_name)[:_NAME_CHARACTERS_MAX]
    period = read_period(facts.period)
    is_english = known == "en"
    return {
        "merchant": name,
        "merchant_short": name[:SHORT_CHARACTERS],
        "phone": spell(facts.phone) or _NO_PHONE[known],
        "month": period.english if is_english else period.japanese,
        "amount": f"{facts.amount_minor} yen" if is_english else f"{facts.amount_minor}円",
        "due": f"{facts.due_on:%d %B}".lstrip("0")
        if is_english
        else f"{facts.due_on.month}月{facts.due_on.day}日",
    }


def spell(phone: str) -> str:
    """A telephone number as it is read out, digit by digit, with a pause between its groups."""
    groups = ["".join(sign for sign in group if sign.isdigit()) for group in phone.split("-")]
    return ", ".join(" ".join(group) for group in groups if group)
