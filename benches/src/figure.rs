//! A figure: several measurements of one thing, their median and spread, and the limit that it is held against.

use serde_json::{Value, json};

/// Which side of its limit a figure must be on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
    /// Only told.
    None,
}

/// Measurements of one thing.
#[derive(Clone, Debug)]
pub struct Figure {
    name: String,
    unit: &'static str,
    samples: Vec<f64>,
    limit: Limit,
}

impl Figure {
    /// At least one measurement.
    pub fn new(name: impl Into<String>, unit: &'static str, mut samples: Vec<f64>, limit: Limit) -> Figure {
        let name = name.into();
        assert!(!samples.is_empty(), "{name} was not measured");
        samples.sort_by(f64::total_cmp);
        Figure { name, unit, samples, limit }
    }

    /// The middle one, the upper of two.
    pub fn median(&self) -> f64 {
        self.samples[self.samples.len() / 2]
    }

    fn spread(&self) -> (f64, f64) {
        (self.samples[0], self.samples[self.samples.len() - 1])
    }

    fn met(&self) -> Option<bool> {
        match self.limit {
            Limit::AtMost(limit) => Some(self.median() <= limit),
            Limit::AtLeast(limit) => Some(self.median() >= limit),
            Limit::None => None,
        }
    }

    fn limit(&self) -> String {
        match self.limit {
            Limit::AtMost(limit) => format!("<= {limit}"),
            Limit::AtLeast(limit) => format!(">= {limit}"),
            Limit::None => String::new(),
        }
    }

    fn json(&self) -> Value {
        let (min, max) = self.spread();
        json!({
            "name": self.name, "unit": self.unit, "median": round(self.median()), "min": round(min), "max": round(max),
            "runs": self.samples.len(), "limit": self.limit(), "met": self.met(),
        })
    }

    fn line(&self) -> String {
        let (min, max) = self.spread();
        let met = match self.met() {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "",
        };
        format!(
            "{:<40}{:>10.3} {:<6} [{:.3} .. {:.3}]  {:<9}{met}",
            self.name,
            self.median(),
            self.unit,
            min,
            max,
            self.limit()
        )
    }
}

/// All figures of a suite, with what they were measured on.
#[derive(Debug)]
pub struct Report {
    /// As one types it.
    pub suite: &'static str,
    /// `select version()`.
    pub server: String,
    /// In the order in which they were measured.
    pub figures: Vec<Figure>,
}

impl Report {
    /// One object.
    pub fn json(&self) -> Value {
        let figures: Vec<Value> = self.figures.iter().map(Figure::json).collect();
        json!({"suite": self.suite, "server": self.server, "cores": cores(), "load": load(), "figures": figures})
    }

    /// A line a figure: median, unit, smallest and largest, limit.
    pub fn table(&self) -> String {
        let lines: Vec<String> = self.figures.iter().map(Figure::line).collect();
        format!("{}\n{} cores, load {}\n{}", self.server, cores(), load(), lines.join("\n"))
    }
}

fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// Of the machine: this process may keep to one of them.
fn cores() -> usize {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    text.lines().filter(|line| line.starts_with("processor")).count()
}

/// The machine's own figure for the last minute: a number measured beside other work says so.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_its_median_with_its_spread() {
        let figure = Figure::new("x", "ratio", vec![3.0, 1.0, 2.0], Limit::AtMost(2.0));
        assert_eq!((figure.median(), figure.spread(), figure.met()), (2.0, (1.0, 3.0), Some(true)));
        let missed = Figure::new("x", "ratio", vec![0.8], Limit::AtLeast(0.9));
        assert_eq!(missed.met(), Some(false));
        assert!(missed.line().contains("MISSED"), "{}", missed.line());
    }
}
