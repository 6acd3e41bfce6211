"""Sessions as figures, as Markdown and as charts. Knows nothing of how they came about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.context_quality.bootstrap import interval
from benchmarks.replay.chart import Axis, line_chart
from benchmarks.replay.coverage import THRESHOLDS, curve, graded, point, suggested
from benchmarks.replay.ghost import Portion
from benchmarks.replay.session import (
    CONTEXT,
    NONE,
    QUANTILES,
    STAGES,
    Session,
    answer_ms,
    cancelled_share,
    free_share,
    item_ms,
    max_ms,
    quantile,
    stage_ms,
    together,
)
from benchmarks.replay.user import FlickerKind

NUM_EXAMPLES = 8
MAX_CHARS = 60
Figures = dict[str, Any]


def figures(typed: Sequence[Session], recorded: Sequence[Session]) -> Figures:
    """The keys of the issue, with context where nothing else is said, and those of the recording."""
    named: Figures = {}
    with_context = _whole(typed, CONTEXT)
    for condition in (CONTEXT, NONE):
        session = _whole(typed, condition)
        if session is not None:
            named[f"keys_saved_{condition}"] = round(session.tally.saved(1), 4)
            named[f"keys_saved_{condition}_cost0"] = round(session.tally.saved(0), 4)
            named[f"cpu_s_per_1000_keys_{condition}"] = _cpu(session)
    if with_context is not None:
        named = _of_tally(with_context) | named | _of_requests(with_context)
        named["cores_of_others"] = _ratio(with_context.others_s, with_context.seconds, 2)
        named["suggested_threshold"] = suggested(graded(with_context.asked))
    for session in recorded:
        label = f"recording_{session.condition}"
        named |= {f"{label}_{key}": value for key, value in _of_recording(session).items()}
    return named


def markdown(typed: Sequence[Session], recorded: Sequence[Session], charts: Sequence[str] = ()) -> str:
    """Tables by package, by source, by stage and by threshold; examples of flicker."""
    sessions = [*typed, *recorded]
    parts = [_packages(typed), _recordings(recorded), _requests(typed, recorded), _stages(typed, recorded)]
    parts += [_thresholds(typed, recorded), _flickers(sessions)]
    parts += [f"![{name}](results/{name})\n" for name in charts]
    return "\n".join(part for part in parts if part)


def charts(typed: Sequence[Session], recorded: Sequence[Session]) -> dict[str, str]:
    """SVG texts by file name."""
    groups = _groups(typed, recorded)
    curves = {name: curve(graded(session.asked)) for name, session in groups.items()}
    risk = {name: [(each.coverage, each.right) for each in points] for name, points in curves.items()}
    waits = {name: sorted(item_ms(session.asked)) for name, session in groups.items()}
    shares = {
        name: [(ms, (num + 1) / len(values)) for num, ms in enumerate(values)]
        for name, values in waits.items()
    }
    coverage = Axis("coverage: answers shown / all answers")
    right = Axis("first line right / shown")
    wait = Axis("milliseconds from the key to its ghost text", 1000)
    found = {}
    if any(risk.values()):
        title = "Risk and coverage by confidence"
        found["replay-coverage.svg"] = line_chart(title, coverage, right, risk)
    if any(shares.values()):
        title = "When ghost text is there"
        found["replay-latency.svg"] = line_chart(title, wait, Axis("share of answers with text"), shares)
    return found


def _of_tally(session: Session) -> Figures:
    tally = session.tally
    kinds = Counter(flicker.kind for flicker in tally.flickers)
    return {
        "keys": tally.keys,
        "lines": tally.lines,
        "shown": tally.shown,
        "shown_per_100_keys": _ratio(100 * tally.shown, tally.keys, 2),
        "accepted": tally.accepted,
        **{f"taken_{portion}": tally.takes[portion] for portion in Portion},
        "agreed": tally.agreed,
        "wrong": tally.wrong,
        "wrong_per_shown": _ratio(tally.wrong, tally.shown),
        "wrong_first_line_per_shown": _ratio(tally.wrong_first_line, tally.shown),
        "wrong_per_100_lines": _ratio(100 * tally.wrong, tally.lines, 1),
        "flashed": tally.flashed,
        "flicker": len(tally.flickers),
        **{f"flicker_{kind}": kinds[kind] for kind in FlickerKind},
    }


def _of_requests(session: Session) -> Figures:
    asked = session.asked
    items, answers = item_ms(asked), answer_ms(asked)
    return {
        "requests": len(asked),
        "answers_with_text": len(items),
        "cancelled_share": round(cancelled_share(asked), 4),
        "free_answer_share": _rounded(free_share(asked), 4),
        "free_answer_share_following": _rounded(free_share(asked, following=True), 4),
        **{f"item_ms_{name}": _rounded(quantile(items, share)) for name, share in QUANTILES.items()},
        **{f"answer_ms_{name}": _rounded(quantile(answers, share)) for name, share in QUANTILES.items()},
        "max_ms": _rounded(max_ms(asked)),
        "refusals": len(session.refusals),
    }


def _of_recording(session: Session) -> Figures:
    tally, requests = session.tally, _of_requests(session)
    wanted = ("cancelled_share", "free_answer_share", "item_ms_p50", "item_ms_p95", "max_ms")
    return {
        "keys": tally.keys,
        "saved": round(tally.saved(1), 4),
        "saved_cost0": round(tally.saved(0), 4),
        "shown": tally.shown,
        "accepted": tally.accepted,
        "wrong_per_shown": _ratio(tally.wrong, tally.shown),
        **{key: requests[key] for key in wanted},
    }


def _packages(typed: Sequence[Session]) -> str:
    if not typed:
        return ""
    head = ["package", "keys", "saved with", "without", "difference", "at cost 0", "without"]
    head += ["shown", "accepted", "wrong", "flicker", "CPU s / 1,000 keys", "without"]
    rows = []
    names = list(dict.fromkeys(session.source for session in typed))
    for name in [*names, "all"]:
        here = [session for session in typed if name in (session.source, "all")]
        ours, none = _whole(here, CONTEXT), _whole(here, NONE)
        one = (ours or none or here[0]).tally
        cells: list[object] = [name, one.keys]
        cells += [_saved(ours, 1), _saved(none, 1), _difference(here), _saved(ours, 0), _saved(none, 0)]
        cells += [one.shown, one.accepted, one.wrong, len(one.flickers)]
        cells += [_cpu(session) if session else "" for session in (ours, none)]
        rows.append(cells)
    return _table("Keys saved, by package", head, rows)


def _recordings(recorded: Sequence[Session]) -> str:
    head = ["recording", "condition", "keys", "saved at most", "at cost 0", "shown", "accepted", "wrong"]
    rows: list[list[object]] = []
    for session in recorded:
        tally = session.tally
        cells: list[object] = [session.source, session.condition, tally.keys]
        rows.append(
            [*cells, _saved(session, 1), _saved(session, 0), tally.shown, tally.accepted, tally.wrong]
        )
    return _table("Recorded session: what could have been accepted", head, rows) if rows else ""


def _requests(typed: Sequence[Session], recorded: Sequence[Session]) -> str:
    groups = _groups(typed, recorded)
    sources: dict[str, Counter[str]] = {}
    for name, session in groups.items():
        with_text = [each for each in session.asked if each.ghost is not None and each.note]
        sources[name] = Counter(str(each.note["source"]) for each in with_text)
    known = sorted({source for counts in sources.values() for source in counts})
    rows = [
        [name, len(session.asked), f"{cancelled_share(session.asked):.3f}", len(item_ms(session.asked))]
        + [sources[name][source] for source in known]
        for name, session in groups.items()
    ]
    reasons = Counter(
        str(each.note["reason"])
        for session in groups.values()
        for each in session.asked
        if each.ghost is None and each.note.get("reason")
    )
    told = "; ".join(f"{reason} {num}" for reason, num in reasons.most_common())
    head = ["requests of", "all", "cancelled", "with text", *known]
    return _table("Requests, and where their text came from", head, rows) + (
        f"\nWhy answers were empty: {told}.\n" if told else ""
    )


def _stages(typed: Sequence[Session], recorded: Sequence[Session]) -> str:
    head = ["milliseconds", *QUANTILES, "most", "of"]
    rows: list[list[object]] = []
    for name, session in _groups(typed, recorded).items():
        kinds = {"key to item": item_ms(session.asked), "key to answer": answer_ms(session.asked)}
        kinds |= {f"engine: {stage}": stage_ms(session.asked, stage) for stage in STAGES}
        for kind, values in kinds.items():
            if values:
                cells = [_rounded(quantile(values, share)) for share in QUANTILES.values()]
                rows.append([f"{name}, {kind}", *cells, _rounded(max(values)), len(values)])
    return _table("Latency, by stage where the engine was asked", head, rows)


def _thresholds(typed: Sequence[Session], recorded: Sequence[Session]) -> str:
    answers = {name: graded(session.asked) for name, session in _groups(typed, recorded).items()}
    answers = {name: found for name, found in answers.items() if found}
    if not answers:
        return ""
    columns = ("coverage", "right", "useful", "n")
    head = ["threshold", *(f"{name}: {column}" for name in answers for column in columns)]
    rows: list[list[object]] = []
    for threshold in THRESHOLDS:
        cells: list[object] = [threshold]
        for found in answers.values():
            at = point(found, threshold)
            cells += [f"{at.coverage:.2f}", f"{at.right:.2f}", f"{at.useful:.2f}", at.num_shown]
        rows.append(cells)
    advice = ", ".join(f"{suggested(found)} ({name})" for name, found in answers.items())
    table = _table(
        "Risk and coverage: answers with a right first line and useful ones, by confidence", head, rows
    )
    return f"{table}\nLowest threshold with fewer than one useless of four shown: {advice}.\n"


def _flickers(sessions: Sequence[Session]) -> str:
    found = [flicker for session in sessions for flicker in session.tally.flickers][:NUM_EXAMPLES]
    rows: list[list[object]] = [[each.kind, *map(_code, (each.typed, each.old, each.new))] for each in found]
    head = ["flicker", "typed", "was shown", "then"]
    return _table("Ghost text that changed without need", head, rows) if rows else ""


def _groups(typed: Sequence[Session], recorded: Sequence[Session]) -> dict[str, Session]:
    """What is drawn and listed beside one another."""
    groups = {condition: _whole(typed, condition) for condition in (CONTEXT, NONE)}
    groups |= {f"recording, {session.condition}": session for session in recorded}
    return {name: session for name, session in groups.items() if session is not None}


def _whole(sessions: Iterable[Session], condition: str) -> Session | None:
    own = [session for session in sessions if session.condition == condition]
    return together(own, "all", condition) if own else None


def _difference(sessions: Sequence[Session]) -> str:
    """Keys saved with context minus without; of several packages the interval of the mean over packages."""
    by_name: dict[str, dict[str, float]] = {}
    for session in sessions:
        by_name.setdefault(session.source, {})[session.condition] = session.tally.saved(1)
    pairs = {name: found for name, found in by_name.items() if {CONTEXT, NONE} <= found.keys()}
    values = [found[CONTEXT] - found[NONE] for found in pairs.values()]
    if not values:
        return ""
    mean = sum(values) / len(values)
    if len(values) == 1:
        return f"{mean:+.3f}"
    low, high = interval(values, list(pairs))
    return f"{mean:+.3f} ({low:+.3f} to {high:+.3f})"


def _saved(session: Session | None, cost: int) -> str:
    return f"{session.tally.saved(cost):.3f}" if session else ""


def _cpu(session: Session) -> float:
    return _ratio(1000 * session.cpu_s, session.tally.keys, 1)


def _ratio(part: float, whole: float, digits: int = 4) -> float:
    return round(part / whole, digits) if whole else 0.0


def _rounded(value: float | None, digits: int = 1) -> float | None:
    return None if value is None else round(value, digits)


def _code(text: str) -> str:
    """One line of code in a cell of a table."""
    shown = text.strip().replace("\n", "↵").replace("`", "'").replace("|", "\\|")
    return f"`{shown[:MAX_CHARS]}{'…' if len(shown) > MAX_CHARS else ''}`" if shown else ""


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join('' if cell is None else str(cell) for cell in row)} |" for row in rows]
    head_lines = (f"### {title}", "", f"| {' | '.join(head)} |", "|" + " --- |" * len(head))
    return "\n".join([*head_lines, *lines, ""]) if lines else ""
