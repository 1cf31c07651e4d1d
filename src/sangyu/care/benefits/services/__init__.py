"""What changes benefit runs, payments, recoveries and funds. Pages, tasks, the command line and the API call these."""

from .deducting import deduct, set_deductible, stop_deducting
from .funds import open_fund, receive, set_budget, use_otherwise
from .paying import discard, issue_vouchers, make_bank_file, make_insurer_file, retry, send
from .preparing import add_months, again, begin, cancel, compute, enter, past_months, start
from .recovering import agree, repay, waive
from .releasing import release, release_once, start_release
from .reviewing import approve, publish, reopen, resume, review_county, review_street, withhold
from .settling import confirm, settle

__all__ = [
    "add_months",
    "again",
    "agree",
    "approve",
    "begin",
    "cancel",
    "compute",
    "confirm",
    "deduct",
    "discard",
    "enter",
    "issue_vouchers",
    "make_bank_file",
    "make_insurer_file",
    "open_fund",
    "past_months",
    "publish",
    "receive",
    "release",
    "release_once",
    "reopen",
    "repay",
    "resume",
    "retry",
    "review_county",
    "review_street",
    "send",
    "set_budget",
    "set_deductible",
    "settle",
    "start",
    "start_release",
    "stop_deducting",
    "use_otherwise",
    "waive",
    "withhold",
]
