"""Names and wordings for invented payers, rare characters among them. Pure data."""

from typing import Final

FAMILY: Final = (
    "佐藤", "鈴木", "高橋", "髙橋", "田中", "伊藤", "渡辺", "渡邊", "渡邉", "山本", "中村", "小林",
    "加藤", "吉田", "𠮷田", "山田", "山﨑", "﨑村", "髙木", "斎藤", "齋藤", "齊藤", "桑原", "辻",
    "葛城", "祇園", "薩摩", "長谷川", "五十嵐", "西園寺", "ジョンソン", "グエン",
)  # fmt: skip
"""Two of them have characters that cp932 or the basic plane lacks."""

GIVEN: Final = (
    "太郎", "花子", "翔", "葵", "陽菜", "蓮", "結衣", "大翔", "さくら", "美咲", "悠真", "凛",
    "健一", "恵子", "マリア", "アン", "彅", "昻", "珈琲", "ひろみ",
)  # fmt: skip

SHOPS: Final = ("株式会社みなと商店", "有限会社山﨑工務店", "(株)髙島電機", "さくら荘管理組合")

ITEMS: Final = (
    ("基本料金", "電力量料金", "再エネ賦課金"),
    ("基本料金", "従量料金"),
    ("基本使用料", "通話料", "ユニバーサルサービス料"),
    ("水道料金", "下水道使用料"),
)
"""Line items by trade; the first takes what the others leave."""

TOWNS: Final = (
    ("100-0001", "東京都千代田区千代田"),
    ("5300001", "大阪府大阪市北区梅田"),
    ("〒060-0001", "北海道札幌市中央区北一条西"),
    ("460-0001", "愛知県名古屋市中区三の丸"),
    ("810-0001", "福岡県福岡市中央区天神"),
)
"""Postal codes, in several ways of writing, and the towns that they belong to; house numbers are
invented."""

MAIL_HOSTS: Final = ("example.jp", "example.com", "mail.example.ne.jp")
