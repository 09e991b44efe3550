//! A chart of the day as SVG: the arrivals and how their visits ended, the wait, the level.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use super::{report::SurgeReport, watch::Sample};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 150.0;
/// Top and height of each panel.
const ENDS: (f64, f64) = (48.0, 260.0);
const WAIT: (f64, f64) = (344.0, 110.0);
const LEVEL: (f64, f64) = (490.0, 70.0);
const HEIGHT: f64 = 600.0;

/// The ends of visits in the order in which they are stacked, with their colours. The names are
/// those of the report.
const COLOURS: [(&str, &str); 9] = [
    ("model", "#1b7837"),
    ("exact", "#5aae61"),
    ("semantic", "#a6dba0"),
    ("coalesced", "#c2e699"),
    ("knowledge", "#4393c3"),
    ("template", "#92c5de"),
    ("ticket", "#fdb863"),
    ("refused", "#d6604d"),
    ("left", "#762a83"),
];
const OTHER: (&str, &str) = ("failed", "#000000");

struct Chart<'a> {
    report: &'a SurgeReport,
    svg: String,
    length: f64,
}

pub fn svg(report: &SurgeReport) -> String {
    let length = report.plan.length().as_secs_f64().max(1.0);
    let mut chart = Chart { report, svg: String::new(), length };
    // Writing to a string cannot fail.
    let _ = chart.draw();
    chart.svg
}

impl Chart<'_> {
    fn draw(&mut self) -> fmt::Result {
        let plan = self.report.plan;
        writeln!(
            self.svg,
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
<text x="{LEFT}" y="24" font-size="15">Sale day ({:?}): {:.0}/s for {:.0} s on a backend for {:.1} answers/s</text>"#,
            self.report.profile, plan.burst, plan.burst_s, self.report.capacity
        )?;
        self.ends()?;
        self.wait()?;
        self.level()?;
        self.seconds_axis()?;
        writeln!(self.svg, "</svg>")
    }

    /// The samples of the day; one more is taken after all visits.
    fn samples(&self) -> Vec<Sample> {
        let of_day = self.report.samples.iter().filter(|sample| sample.at_s <= self.length);
        of_day.copied().collect()
    }

    fn x(&self, second: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * (second / self.length).clamp(0.0, 1.0)
    }

    /// Bars of one second each show how visits ended; a line shows how many began.
    fn ends(&mut self) -> fmt::Result {
        let report = self.report;
        let stacks: Vec<BTreeMap<&str, u64>> =
            report.seconds.iter().map(|second| stack(&second.ended)).collect();
        let highest = report
            .seconds
            .iter()
            .zip(&stacks)
            .map(|(second, stack)| second.offered.max(stack.values().sum()))
            .max();
        let top = highest.unwrap_or(0).max(1) as f64 * 1.05;
        self.frame(ENDS, "shoppers/s", top)?;
        let y = |value: f64| ENDS.0 + ENDS.1 * (1.0 - value / top);
        let all = COLOURS.into_iter().chain([OTHER]);
        for (second, stack) in stacks.iter().enumerate() {
            let (mut base, left) = (0.0, self.x(second as f64));
            let width = (self.x(second as f64 + 1.0) - left).max(0.5);
            for (name, colour) in all.clone() {
                let value = stack.get(name).copied().unwrap_or(0) as f64;
                if value > 0.0 {
                    let (upper, height) = (y(base + value), y(base) - y(base + value));
                    writeln!(
                        self.svg,
                        r#"<rect x="{left:.1}" y="{upper:.1}" width="{width:.1}" height="{height:.1}" fill="{colour}"/>"#
                    )?;
                    base += value;
                }
            }
        }
        let offered = report.seconds.iter().enumerate();
        let points: Vec<_> =
            offered.map(|(at, second)| (at as f64 + 0.5, y(second.offered as f64))).collect();
        self.line(&points, "#333333")?;
        let seen = |name: &str| stacks.iter().any(|stack| stack.contains_key(name));
        let legend = all.filter(|(name, _)| seen(name)).chain([("offered", "#333333")]);
        for (row, (name, colour)) in legend.enumerate() {
            let (x, y) = (WIDTH - RIGHT + 16.0, ENDS.0 + 8.0 + 18.0 * row as f64);
            writeln!(
                self.svg,
                r#"<rect x="{x}" y="{y}" width="12" height="12" fill="{colour}"/><text x="{}" y="{}">{name}</text>"#,
                x + 18.0,
                y + 10.0
            )?;
        }
        Ok(())
    }

    fn wait(&mut self) -> fmt::Result {
        let samples = self.samples();
        let waits = samples.iter().map(|sample| sample.queue_wait_ms as f64 / 1e3);
        let top = waits.clone().fold(1.0, f64::max) * 1.1;
        self.frame(WAIT, "wait, s", top)?;
        let points: Vec<_> = samples
            .iter()
            .zip(waits)
            .map(|(sample, wait)| (sample.at_s, WAIT.0 + WAIT.1 * (1.0 - wait / top)))
            .collect();
        self.line(&points, "#b2182b")
    }

    fn level(&mut self) -> fmt::Result {
        self.frame(LEVEL, "level", 4.0)?;
        let mut points = Vec::new();
        for sample in self.samples() {
            let y = LEVEL.0 + LEVEL.1 * (1.0 - sample.level as f64 / 4.0);
            if let Some(&(_, before)) = points.last() {
                points.push((sample.at_s, before));
            }
            points.push((sample.at_s, y));
        }
        self.line(&points, "#542788")
    }

    /// The frame of a panel with its name, its largest value and the burst in the background.
    fn frame(&mut self, (top, height): (f64, f64), name: &str, greatest: f64) -> fmt::Result {
        let plan = self.report.plan;
        let (from, to) = (self.x(plan.before_s), self.x(plan.before_s + plan.burst_s));
        let width = WIDTH - LEFT - RIGHT;
        writeln!(
            self.svg,
            r##"<rect x="{from:.1}" y="{top}" width="{:.1}" height="{height}" fill="#f3f3f3"/>
<rect x="{LEFT}" y="{top}" width="{width}" height="{height}" fill="none" stroke="#999999"/>
<text x="{}" y="{}" text-anchor="end">{greatest:.0}</text>
<text x="{}" y="{}" text-anchor="end">0</text>
<text x="{LEFT}" y="{}">{name}</text>"##,
            to - from,
            LEFT - 6.0,
            top + 10.0,
            LEFT - 6.0,
            top + height,
            top - 6.0
        )
    }

    fn line(&mut self, points: &[(f64, f64)], colour: &str) -> fmt::Result {
        write!(self.svg, r#"<polyline fill="none" stroke="{colour}" stroke-width="1.5" points=""#)?;
        for (second, y) in points {
            write!(self.svg, "{:.1},{y:.1} ", self.x(*second))?;
        }
        writeln!(self.svg, r#""/>"#)
    }

    fn seconds_axis(&mut self) -> fmt::Result {
        let step = if self.length > 150.0 { 60 } else { 10 };
        for second in (0..=self.length as usize).step_by(step) {
            let (x, y) = (self.x(second as f64), LEVEL.0 + LEVEL.1 + 18.0);
            writeln!(
                self.svg,
                r#"<text x="{x:.1}" y="{y}" text-anchor="middle">{second} s</text>"#
            )?;
        }
        Ok(())
    }
}

/// The ends of one second, by their names in the chart.
fn stack(ended: &BTreeMap<String, u64>) -> BTreeMap<&'static str, u64> {
    let mut stack = BTreeMap::new();
    for (name, count) in ended {
        let known = COLOURS.iter().map(|(known, _)| *known).find(|known| known == name);
        *stack.entry(known.unwrap_or(OTHER.0)).or_insert(0) += count;
    }
    stack
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surge::{
        aftermath::Aftermath,
        profile::{Phase, Profile},
        shopper::{End, tests::arrived},
    };

    #[test]
    fn a_day_becomes_a_picture_with_its_ends_and_its_legend() {
        let plan = Profile::Burst.plan(11.6);
        let mut visit = arrived(Phase::Burst, 21.0);
        visit.end = End::Failed("timeout".into());
        let (mut other, capacity) = (visit.clone(), (11.6, 16));
        other.end = End::Answered("model".into());
        let visits = [visit, other];
        let after = Aftermath::default();
        let report =
            SurgeReport::new(Profile::Burst, plan, 1, capacity, &visits, Vec::new(), after);
        let svg = svg(&report);
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        for name in [">model<", ">failed<", ">offered<", ">wait, s<", ">level<"] {
            assert!(svg.contains(name), "{name}");
        }
        assert!(!svg.contains(">ticket<") && !svg.contains("NaN"));
    }
}
