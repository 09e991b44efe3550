"""Checks every dashboard, rule and documented metric against a Prometheus that scraped a run under load."""

from __future__ import annotations

import json
import pathlib
import re
import sys
import time

from rig import ROOT, Rig, call, oddities, sale_day

# A scrape of one replica with three backends stays below this, whatever the load.
MOST_SERIES = 1_500
# The queries' window, which covers the whole run.
STEP_S = 2

faults: list[str] = []


def check(holds: bool, fault: str) -> None:
    if not holds:
        faults.append(fault)


def documented() -> dict[str, dict]:
    """The tables of docs/metrics.md: labels, and whether a metric shows in every busy process."""
    found = {}
    for line in (ROOT / "docs/metrics.md").read_text().splitlines():
        row = re.fullmatch(r"\| `(\w+)` \| (counter|gauge|histogram) \| (.*) \| (.*) \|", line)
        if row:
            name, kind, labels, meaning = row.groups()
            found[name] = {"kind": kind, "labels": set(re.findall(r"`(\w+)`", labels)), "rare": ". Shown " in meaning}
    return found


def base(name: str, known: dict[str, dict]) -> str:
    for suffix in ("_bucket", "_sum", "_count"):
        stem = name.removesuffix(suffix)
        if stem != name and known.get(stem, {}).get("kind") == "histogram":
            return stem
    return name


def check_exposition(text: str, known: dict[str, dict]) -> None:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    check(len(lines) <= MOST_SERIES, f"/metrics has {len(lines)} series, more than {MOST_SERIES}")
    seen = set()
    for line in lines:
        name, labels = re.match(r"(\w+)(?:\{(.*?)\} | )", line + " ").groups()
        name = base(name, known)
        labels = set(re.findall(r"(\w+)=\"", labels or "")) - {"le"}
        seen.add(name)
        check(name in known, f"{name} is exposed and not in docs/metrics.md")
        if name in known:
            check(labels == known[name]["labels"], f"{name} has the labels {labels}, documented are {known[name]['labels']}")
    for name, metric in known.items():
        check(metric["rare"] or name in seen, f"{name} is documented and was not exposed")
    print(f"{len(lines)} series of {len(seen)} metrics")


def names_in(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:rushdesk[:_]|process_)[\w:]+", expression))


def check_names(what: str, expression: str, known: dict[str, dict], recorded: set[str]) -> None:
    for name in names_in(expression):
        check(base(name, known) in known or name in recorded, f"{what} names {name}, which nobody exposes")


def check_dashboards(rig: Rig, span: dict, known: dict[str, dict], recorded: set[str]) -> None:
    sys.path.insert(0, str(ROOT / "grafana"))
    from boards import BOARDS

    quiet = {(board.uid, panel.title) for board in BOARDS for _, panels in board.rows for panel in panels if panel.quiet}
    count = 0
    for path in sorted((ROOT / "grafana/dashboards").glob("*.json")):
        board = json.loads(path.read_text())
        for panel in (panel for panel in board["panels"] if panel["type"] != "row"):
            for target in panel["targets"]:
                count += 1
                where = f"{path.name}: {panel['title']}: {target['legendFormat']}"
                check_names(where, target["expr"], known, recorded)
                expression = target["expr"].replace("$__rate_interval", "1m")
                expression = expression.replace('"$job"', '".*"').replace('"$instance"', '".*"')
                check("$" not in expression, f"{where}: a variable is left in {expression}")
                try:
                    found = rig.query("query_range", query=expression, **span)["result"]
                except ValueError as error:
                    check(False, f"{where}: {error}: {expression}")
                    continue
                values = [value for series in found for _, value in series["values"] if value != "NaN"]
                check(bool(values) or (board["uid"], panel["title"]) in quiet, f"{where}: no data: {expression}")
    print(f"{count} expressions of dashboards")


def check_rules(rig: Rig, span: dict, known: dict[str, dict], recorded: set[str], rules: list[dict]) -> None:
    anchors = re.findall(r"^#+ (.+)$", (ROOT / "docs/runbook.md").read_text(), re.M)
    anchors = {re.sub(r"[^\w -]", "", anchor).lower().replace(" ", "-") for anchor in anchors}
    tested = (ROOT / "grafana/alerts/tests.yml").read_text()
    for rule in rules:
        name = rule["name"]
        check(rule["health"] == "ok", f"{name}: {rule.get('lastError', rule['health'])}")
        check_names(name, rule["query"], known, recorded)
        if rule["type"] == "recording":
            found = rig.query("query_range", query=name, **span)["result"]
            check(bool(found), f"{name} recorded nothing")
            continue
        page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        check(page == "docs/runbook.md" and anchor in anchors, f"{name}: the runbook has no #{anchor}")
        check(f'alertname="{name}"' in tested, f"{name} has no unit test")
        for metric in names_in(rule["query"]):
            found = rig.query("query_range", query=metric, **span)["result"]
            check(bool(found), f"{name}: {metric} has no series")
    print(f"{len(rules)} rules")


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    known = documented()
    with Rig(folder) as rig:
        rig.start()
        begun = time.time()
        load = sale_day(rig)
        check(not load, f"{len(load)} shoppers failed, the first: {load[:1]}")
        oddities(rig)
        # Idle sessions leave, and all events have been scraped and evaluated.
        deadline = time.time() + 60
        while "rushdesk_sessions_passivated_total 0\n" in (text := call(f"{rig.url}/metrics")):
            check(time.time() < deadline, "no session was passivated")
            if faults:
                break
            time.sleep(1)
        ended = time.time()
        while rig.query("query", query="min(timestamp(rushdesk:cache_wrong_hits:ratio_rate1h))")["result"] == [] or (
            float(rig.query("query", query="max(timestamp(rushdesk_build_info))")["result"][0]["value"][1]) < ended + 4
        ):
            if time.time() > ended + 60:
                check(False, "Prometheus has not caught up")
                break
            time.sleep(1)
        check_exposition(text, known)
        span = {"start": begun, "end": time.time(), "step": STEP_S}
        groups = rig.query("rules")["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        recorded = {rule["name"] for rule in rules if rule["type"] == "recording"}
        check_dashboards(rig, span, known, recorded)
        check_rules(rig, span, known, recorded, rules)
        if "--pictures" in sys.argv:
            from pictures import draw

            draw(rig, span, pathlib.Path(sys.argv[sys.argv.index("--pictures") + 1]))
    for fault in faults:
        print(f"fault: {fault}", file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
