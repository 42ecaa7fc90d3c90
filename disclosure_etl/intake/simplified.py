"""Text as the patterns of running text are written for: simplified signs, half-width digits and marks, position by position.

Not here: labels of forms (`lexicon`), which stay as written. This is no dictionary: it knows the signs of the words that
carry structure (totals, parts, units, verbs of handling), and every position stays where it was.
"""

from __future__ import annotations

_TRADITIONAL = "條個項總數佔開類結轉實發佈銷為與從來別該網訊資務業計劃規機構職責動態閱讀諮詢請覆議訴訟維處辦廣電專欄聞體號報傳郵書當麵雙導應並後無沒還餘約萬億長減變續經過終駁執銜領區縣鄉鎮單員參會場間縮點於決預審幹權證聯"
_SIMPLIFIED = "条个项总数占开类结转实发布销为与从来别该网讯资务业计划规机构职责动态阅读咨询请复议诉讼维处办广电专栏闻体号报传邮书当面双导应并后无没还余约万亿长减变续经过终驳执衔领区县乡镇单员参会场间缩点于决预审干权证联"
_WIDE = "".join(chr(code) for code in range(0xFF01, 0xFF5F))
_NARROW = "".join(chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F))
_SIGNS = str.maketrans(_TRADITIONAL + _WIDE + "\u3000\u00a0\t〔〕【】﹐﹔﹕", _SIMPLIFIED + _NARROW + "   ()()" + ",;:")


def simplified(text: str) -> str:
    """The same text, sign for sign; two signs of one word may be exchanged for two others (資訊: 信息)."""
    return text.translate(_SIGNS).replace("资讯", "信息").replace("\r", " ")
