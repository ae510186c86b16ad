//! What `nnc run` shows: a bar on a terminal, one line an epoch otherwise.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::output::{Lines, complain_rendered};
use super::plot::sketch;
use super::{numbers, style};
use crate::base::SourceMap;
use crate::base::render::render;
use crate::runtime::events::{EpochReport, Event, Exchanges, Observer, Reason, Scores, Trained};
use crate::runtime::format::number_text;
use crate::runtime::room::size_text;

/// Writes for people.
pub struct Terminal {
    quiet: bool,
    with_bar: bool,
    sources: SourceMap,
    bar: Option<ProgressBar>,
    /// When the bar's text was last changed.
    changed: Instant,
    lines: Lines,
}

/// How long the text of the bar stays: nobody reads faster.
const BAR_PAUSE: Duration = Duration::from_millis(50);

impl Terminal {
    pub fn new(quiet: bool, with_bar: bool, sources: SourceMap) -> Terminal {
        Terminal { quiet, with_bar, sources, bar: None, changed: Instant::now(), lines: Lines::new() }
    }

    fn line(&mut self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.lines.say(text)),
            None => self.lines.say(text),
        }
    }
}

impl Observer for Terminal {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Print(text) => self.line(text),
            Event::Warning(diagnostic) => {
                let text = render(diagnostic, &self.sources, style());
                match &self.bar {
                    Some(bar) => bar.suspend(|| complain_rendered(&text)),
                    None => complain_rendered(&text),
                }
            }
            Event::Plot(chart) => self.line(&sketch(chart)),
            _ if self.quiet => {}
            Event::Start(start) => {
                let text = format!(
                    "{} parameters, {} rows, {} steps of {}; compiled in {}",
                    numbers::count(start.parameters),
                    numbers::count(start.rows as u64),
                    numbers::count(start.steps),
                    start.batch,
                    numbers::duration(start.compile_seconds)
                );
                self.lines.say(&text);
                if self.with_bar {
                    let bar = ProgressBar::new(start.steps);
                    let template = "{bar:30.cyan/dim} {pos}/{len} steps, {eta} left  {msg}";
                    bar.set_style(
                        ProgressStyle::with_template(template).unwrap_or(ProgressStyle::default_bar()),
                    );
                    self.bar = Some(bar);
                }
            }
            Event::Progress { step, .. } => {
                if let Some(bar) = &self.bar {
                    bar.set_position(*step);
                }
            }
            Event::Step(_) | Event::Kept => {}
            Event::Epoch(report) => match &self.bar {
                Some(bar) => {
                    if report.epoch == 1 || self.changed.elapsed() > BAR_PAUSE {
                        bar.set_message(scores(report));
                        self.changed = Instant::now();
                    }
                }
                None => self.lines.say_soon(&epoch(report), report.seconds),
            },
            Event::End(trained) => {
                let exchanges = trained.exchanges.map(|exchanges| exchanged(&exchanges, trained));
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                    self.lines.say(&end(trained));
                } else if trained.reason != Reason::Finished || trained.kept.is_some() {
                    self.lines.say(&end(trained));
                }
                exchanges.into_iter().for_each(|line| self.lines.say(&line));
            }
        }
    }
}

/// `epoch  3/20  loss 0.1234  accuracy 0.95  validation: loss 0.2  accuracy 0.93  (0.2 s, 9_000 rows/s)`
fn epoch(report: &EpochReport) -> String {
    let (word, at, total) = match report.every {
        Some(_) => ("step", report.step, report.steps.to_string()),
        None => ("epoch", report.epoch, report.epochs.to_string()),
    };
    format!(
        "{word} {at:>width$}/{total}  {}  ({}, {} rows/s)",
        scores(report),
        numbers::duration(report.seconds),
        numbers::count(report.examples_per_second as u64),
        width = total.len()
    )
}

fn scores(report: &EpochReport) -> String {
    match &report.validation {
        Some(validation) => format!("{}  validation: {}", score_text(&report.train), score_text(validation)),
        None => score_text(&report.train),
    }
}

fn score_text(scores: &Scores) -> String {
    let losses: Vec<String> = match scores.losses.as_slice() {
        [loss] => vec![format!("loss {}", number_text(*loss))],
        losses => {
            let named = losses.iter().enumerate();
            named.map(|(line, loss)| format!("loss {} {}", line + 1, number_text(*loss))).collect()
        }
    };
    let metrics = scores.metrics.iter().map(|(name, value)| format!("{name} {}", number_text(*value)));
    losses.into_iter().chain(metrics).collect::<Vec<_>>().join("  ")
}

/// `4 ranks: 12 % of the time this one waited for others; exchanges took 31 % of it, 1.2 MB a step`
fn exchanged(exchanges: &Exchanges, trained: &Trained) -> String {
    let share = |seconds: f64| (100.0 * seconds / trained.seconds.max(1e-9)).min(100.0);
    format!(
        "{} ranks: {:.0} % of the time this one waited for others; exchanges took {:.0} % of it, {} a step",
        exchanges.ranks,
        share(exchanges.waited),
        share(exchanges.took),
        size_text(exchanges.sent / trained.steps.max(1))
    )
}

fn end(trained: &Trained) -> String {
    let how = match trained.reason {
        Reason::Finished => "trained",
        Reason::Patience => "stopped: nothing better any more, trained",
        Reason::Stopped => "stopped, trained",
    };
    let mut text = format!(
        "{how} {} steps ({} epochs) in {}  {}",
        numbers::count(trained.steps),
        trained.epochs,
        numbers::duration(trained.seconds),
        score_text(&trained.last)
    );
    if let Some(validation) = &trained.validation {
        text.push_str(&format!("  validation: {}", score_text(validation)));
    }
    if let Some(epoch) = trained.kept {
        text.push_str(&format!("; kept is epoch {epoch}"));
    }
    text
}
