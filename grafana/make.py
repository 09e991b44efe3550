#!/usr/bin/env python3
"""Generates grafana/dashboards/*.json from boards.py; with --check, lists stale ones."""

import json
import pathlib
import sys

from boards import BOARDS, Board, Panel

OUT = pathlib.Path(__file__).parent / "dashboards"
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24
HEIGHT = 8


def expression(text: str) -> str:
    return text.replace("{@", '{job=~"$job",instance=~"$instance"').replace("[$r]", "[$__rate_interval]")


def panel(number: int, spec: Panel, x: int, y: int) -> dict:
    steps = [{"color": "green", "value": None}]
    custom = {"fillOpacity": 10, "showPoints": "never", "spanNulls": True}
    if spec.stack:
        custom |= {"stacking": {"mode": "normal", "group": "A"}, "fillOpacity": 40}
    if spec.limit is not None:
        steps.append({"color": "red", "value": spec.limit})
        custom["thresholdsStyle"] = {"mode": "line"}
    return {
        "id": number,
        "type": spec.kind,
        "title": spec.title,
        "description": spec.why,
        "datasource": DATASOURCE,
        "gridPos": {"h": HEIGHT, "w": spec.width, "x": x, "y": y},
        "fieldConfig": {
            "defaults": {
                "unit": spec.unit,
                "min": 0,
                "custom": custom,
                "thresholds": {"mode": "absolute", "steps": steps},
            },
            "overrides": [],
        },
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": DATASOURCE,
                "editorMode": "code",
                "expr": expression(expr),
                "legendFormat": legend,
                "range": True,
            }
            for index, (expr, legend) in enumerate(spec.queries)
        ],
    }


def variable(name: str, label: str, query: str) -> dict:
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }


def dashboard(board: Board) -> dict:
    panels, number, y = [], 0, 0
    for title, specs in board.rows:
        number += 1
        row = {"id": number, "type": "row", "title": title, "collapsed": False, "panels": []}
        panels.append(row | {"gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": y}})
        y, x = y + 1, 0
        for spec in specs:
            if x + spec.width > COLUMNS:
                x, y = 0, y + HEIGHT
            number += 1
            panels.append(panel(number, spec, x, y))
            x += spec.width
        y += HEIGHT
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.about,
        "tags": ["rushdesk"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "timepicker": {},
        "timezone": "",
        "annotations": {"list": []},
        "links": [
            {"title": "Rushdesk", "type": "dashboards", "tags": ["rushdesk"], "asDropdown": True, "keepTime": True}
        ],
        "templating": {
            "list": [
                {
                    "name": "datasource",
                    "label": "Data source",
                    "type": "datasource",
                    "query": "prometheus",
                    "current": {},
                },
                variable("job", "Job", "label_values(rushdesk_build_info, job)"),
                variable("instance", "Replica", 'label_values(rushdesk_build_info{job=~"$job"}, instance)'),
            ]
        },
        "panels": panels,
    }


def main() -> int:
    stale = []
    for board in BOARDS:
        path = OUT / f"{board.uid}.json"
        text = json.dumps(dashboard(board), indent=2, ensure_ascii=False) + "\n"
        if "--check" in sys.argv:
            if not path.exists() or path.read_text() != text:
                stale.append(path.name)
        else:
            OUT.mkdir(exist_ok=True)
            path.write_text(text)
    if stale:
        print(f"stale: {', '.join(stale)}; run `make docs`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
