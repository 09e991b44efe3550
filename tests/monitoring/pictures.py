"""Draws panels of a dashboard as Grafana lays them out, from a Prometheus that scraped a run."""

from __future__ import annotations

import json
import pathlib
import re

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
from rig import ROOT, Rig

PICTURES = {"rushdesk-sale-day": "monitoring-sale-day.svg", "rushdesk-pool": "monitoring-pool.svg"}
COLUMNS = 3
UNITS = {"s": "s", "reqps": "per s", "percentunit": "share", "bytes": "MiB", "short": "", "currencyUSD": "currency per h"}


def legend(template: str, labels: dict[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda name: labels.get(name[1], ""), template).strip()


def series(rig: Rig, target: dict, span: dict) -> list[tuple[str, list[float], list[float]]]:
    # The run is shorter than Grafana's usual interval.
    expression = target["expr"].replace("$__rate_interval", "6s")
    expression = expression.replace('"$job"', '".*"').replace('"$instance"', '".*"')
    found = rig.query("query_range", query=expression, **span)["result"]
    lines = []
    for line in found:
        points = [(at - span["start"], float(value)) for at, value in line["values"] if value != "NaN"]
        if points:
            lines.append((legend(target["legendFormat"], line["metric"]), *map(list, zip(*points))))
    return lines


def draw(rig: Rig, span: dict, folder: pathlib.Path) -> None:
    plt.rcParams.update({"font.size": 8, "svg.hashsalt": "rushdesk", "svg.fonttype": "none", "axes.grid": True, "grid.alpha": 0.3})
    span = span | {"step": 1}
    for uid, name in PICTURES.items():
        board = json.loads((ROOT / f"grafana/dashboards/{uid}.json").read_text())
        panels = [panel for panel in board["panels"] if panel["type"] != "row"]
        height = -(-len(panels) // COLUMNS)
        figure, all_axes = plt.subplots(height, COLUMNS, figsize=(15, 2.5 * height), squeeze=False)
        for panel, axes in zip(panels, all_axes.flat):
            defaults = panel["fieldConfig"]["defaults"]
            lines = [line for target in panel["targets"] for line in series(rig, target, span)]
            scale = 1 / 2**20 if defaults["unit"] == "bytes" else 1
            lines = [(text, at, [value * scale for value in values]) for text, at, values in lines]
            if "stacking" in defaults["custom"]:
                ticks = sorted({at for _, moments, _ in lines for at in moments})
                stacks = [[dict(zip(moments, values)).get(at, 0.0) for at in ticks] for _, moments, values in lines]
                if ticks:
                    axes.stackplot(ticks, stacks, labels=[text for text, _, _ in lines], alpha=0.7)
            else:
                for text, moments, values in lines:
                    axes.plot(moments, values, label=text, linewidth=1)
            for step in defaults["thresholds"]["steps"][1:]:
                axes.axhline(step["value"], color="red", linewidth=0.6, linestyle="--")
            axes.set_title(panel["title"], fontsize=9, loc="left")
            axes.set_ylabel(UNITS[defaults["unit"]])
            axes.set_ylim(bottom=0)
            axes.set_xlim(0, span["end"] - span["start"])
            if lines:
                axes.legend(fontsize=6, loc="upper right", ncols=2 if len(lines) > 4 else 1, framealpha=0.6)
            else:
                axes.text(0.5, 0.5, "nothing of the kind", transform=axes.transAxes, ha="center", color="grey")
        for axes in list(all_axes.flat)[len(panels):]:
            axes.axis("off")
        figure.suptitle(f"{board['title']}, drawn from Prometheus; seconds of the run below", fontsize=11)
        figure.tight_layout(rect=(0, 0, 1, 0.98))
        figure.savefig(folder / name, metadata={"Date": None})
        plt.close(figure)
        print(f"picture: {folder / name}")
