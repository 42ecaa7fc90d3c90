"""The words and signs by which states are shown, in both languages: the same on every page.

Not here: messages of failures (`quality`), sentences of pages (the templates).
"""

from __future__ import annotations

from typing import NamedTuple


class Word(NamedTuple):
    """A word, the sign beside it, and the tone in which both are shown (a class of the style sheet)."""

    zh: str
    en: str
    sign: str
    tone: str


STATES = {
    "accepted": Word("已认定", "accepted", "✓", "good"),
    "partly_held": Word("部分暂存", "partly held", "◐", "bad"),
    "held": Word("暂存", "held", "●", "bad"),
    "missing": Word("未报", "missing", "○", "absent"),
    "failed": Word("程序故障", "program fault", "✕", "bad"),
    "returned": Word("已退回", "sent back", "↩", "waiting"),
    "withdrawn": Word("已撤回", "withdrawn", "⌫", "absent"),
    "superseded": Word("已被取代", "superseded", "⇢", "plain"),
    "stale": Word("待复核", "to be looked at again", "!", "waiting"),
    "waived": Word("已接受", "accepted as it is", "◇", "good"),
    "warned": Word("有警告", "with warnings", "△", "warn"),
    "late": Word("迟报", "late", "◷", "warn"),
    "restated": Word("有重述", "restated", "±", "plain"),
    "none": Word("不涉及", "not owed", "·", "plain"),
    "unreadable": Word("无法读取", "unreadable", "✕", "bad"),
    "misdirected": Word("误投", "misdirected", "⤫", "bad"),
    "due": Word("待报", "to be sent", "◌", "waiting"),
    "overdue": Word("逾期未报", "overdue", "○", "bad"),
    "waiting": Word("已报,待汇总", "sent, waits for a run", "◔", "waiting"),
    "attached": Word("已附于报表", "attached to its return", "⌘", "good"),
    "archive": Word("压缩包", "archive", "▤", "plain"),
}

# What checking a file came to, before anybody takes it: nothing is accepted or held by that.
CHECKS = {
    "accepted": Word("校验通过", "passes the check", "✓", "good"),
    "partly_held": Word("部分板块须更正", "some blocks to be corrected", "◐", "bad"),
    "held": Word("须更正", "to be corrected", "●", "bad"),
    "unreadable": STATES["unreadable"],
    "failed": STATES["failed"],
    "misdirected": STATES["misdirected"],
}

SEVERITIES = {
    "error": Word("错误", "error", "●", "bad"),
    "warning": Word("警告", "warning", "△", "warn"),
    "notice": Word("提示", "notice", "·", "plain"),
}

STANDINGS = {
    "provisional": Word("初步数", "provisional", "○", "waiting"),
    "final": Word("已签发", "final", "✓", "good"),
    "locked": Word("已锁定", "locked", "▣", "good"),
    "unverified": Word("未核", "unverified", "?", "plain"),
}

ROLES = {
    "steward": Word("数据管理员", "data steward", "", "plain"),
    "head": Word("负责人", "head", "", "plain"),
    "reporter": Word("填报人员", "bureau reporter", "", "plain"),
    "auditor": Word("审计", "auditor", "", "plain"),
    "administrator": Word("系统管理员", "administrator", "", "plain"),
}

# What was done, as the record calls it.
EVENTS = {
    "load": Word("装入报表", "returns loaded", "", "plain"),
    "freeze": Word("固化新版本", "a version was frozen", "", "plain"),
    "waive": Word("接受", "accepted as it is", "", "plain"),
    "withdraw": Word("撤销接受", "accepting was taken back", "", "plain"),
    "sign": Word("签发", "signed off", "", "good"),
    "lock": Word("锁定年度", "the year was locked", "", "good"),
    "reopen": Word("重新打开年度", "the year was reopened", "", "waiting"),
    "release": Word("发布", "released", "", "good"),
    "return_back": Word("退回报表", "a return was sent back", "", "waiting"),
    "return_withdrawn": Word("撤回报表", "a return was withdrawn", "", "plain"),
    "return_reinstated": Word("恢复报表", "a return was reinstated", "", "plain"),
    "return_undone": Word("撤销决定", "a decision was undone", "", "plain"),
    "confirm": Word("确认顺延", "deltas were confirmed", "", "plain"),
    "restate": Word("重述", "a restatement", "", "plain"),
    "restatement_withdrawn": Word("撤销重述", "a restatement was withdrawn", "", "plain"),
    "comment": Word("留言", "a comment", "", "plain"),
    "assign": Word("分派", "a case was assigned", "", "plain"),
    "schema": Word("数据库结构", "the schema", "", "plain"),
    "configuration": Word("配置变更", "the configuration", "", "plain"),
    "arrival": Word("收到文件", "files arrived", "", "plain"),
    "judge": Word("校验", "returns were judged", "", "plain"),
    "attach": Word("附件", "attachments", "", "plain"),
    "import": Word("导入历史数", "figures of before were imported", "", "plain"),
    "restore": Word("由备份恢复", "restored from a copy", "", "waiting"),
    "person": Word("新账号", "an account was made", "", "plain"),
    "person_changed": Word("账号变更", "an account was changed", "", "plain"),
    "signed_in": Word("登录", "signed in", "", "plain"),
    "sign_in_refused": Word("登录被拒", "was refused at the door", "", "warn"),
    "signed_out": Word("退出", "signed out", "", "plain"),
    "sessions_ended": Word("会话结束", "sessions were ended", "", "plain"),
    "token_issued": Word("颁发令牌", "a token was issued", "", "plain"),
    "token_revoked": Word("作废令牌", "a token was revoked", "", "plain"),
    "upload": Word("上传", "an upload", "", "plain"),
    "proposal_ended": Word("提请结束", "a proposal has ended", "", "plain"),
    "proposal": Word("提请第二人", "waits for a second person", "", "waiting"),
}
