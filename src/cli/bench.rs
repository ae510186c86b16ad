//! `nnc bench`: how fast a program trains.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Map, Value, json};

use super::json::json_text;
use super::measured::{Measured, Subject};
use super::numbers::{bytes, count, duration};
use super::{Failure, input, say};
use crate::base::order::PutInOrder;
use crate::compile::{Measures, PIPELINE, Pass};
use crate::runtime::format::number_text;
use crate::runtime::measure::steps::Times;
use crate::runtime::measure::{answers, machine};
use crate::runtime::train::held::Purpose;

/// Measure a training step: its time, compilation, arithmetic, memory.
#[derive(Args)]
#[command(after_help = "\
Examples:
  nnc bench models/digits.nn
  nnc bench models/digits.nn --threads 1 --seconds 5 --json
  nnc bench models/digits.nn --set train.batch=256
  nnc bench models/digits.nn --predict 1

A step is forward pass, backward pass and update on the first batch, which is in memory. Steps shorter than
200 µs are taken in series of one call; a time is then that of a call, divided by its steps.
The first step is timed from outside, from the start of a fresh process to the end of its first step.
Operations on floats are counted in the simplified program, an elementary function as one.")]
pub struct Bench {
    #[command(flatten)]
    of: Measured,
    /// Time the answer of the program's first model for so many made rows, instead of a training step.
    #[arg(long, value_name = "ROWS", conflicts_with = "settings")]
    predict: Option<std::num::NonZeroUsize>,
    /// Take one step, say so and end: what the first step is timed with.
    #[arg(long, hide = true)]
    first_step: bool,
}

/// Fresh processes whose first step is timed: the median of so many, fewer if they are slow.
const PROCESSES: usize = 5;
const PROCESSES_TIME: Duration = Duration::from_secs(4);

impl Bench {
    pub fn carry_out(self) -> Result<(), Failure> {
        let input = input::read(&self.of.file)?;
        if self.first_step {
            let mut subject = self.of.prepare(&input, Purpose::Training)?;
            subject.held.steps(&mut subject.session, 1)?;
            say("done");
            return Ok(());
        }
        if let Some(rows) = self.predict {
            return self.predict(&input, rows.get());
        }
        let mut subject = self.of.prepare(&input, Purpose::Training)?;
        let peak = machine::arithmetic(subject.threads, subject.precision());
        let times = Times::measure(&mut subject.session, &mut subject.held, self.of.seconds)?;
        let stages =
            PIPELINE.iter().map(|pass| (pass, subject.program.timings().seconds_of(pass.id))).collect();
        let measures = subject.held.measures(&subject.session)?;
        let first_step = first_step(&input.text, &self.of);
        let findings = Findings { name: input.name, subject, times, stages, measures, peak, first_step };
        if self.of.json {
            say(&json_text(&findings.json()))
        } else {
            say(&findings.text())
        }
        Ok(())
    }

    fn predict(&self, input: &input::Input, rows: usize) -> Result<(), Failure> {
        let (program, _) = self.of.compile(input)?;
        let Some(model) = program.checked().models.first() else {
            return Err(Failure::Usage(format!("{} has no model", input.name)));
        };
        let mut session = program.session()?;
        session.set_threads(self.of.threads());
        let times = answers::measure(&mut session, model, rows, self.of.seconds)?;
        let (least, most) = (times.quantile(0.1), times.quantile(0.9));
        if self.of.json {
            let report = json!({
                "file": input.name,
                "model": &*model.name,
                "rows": rows,
                "threads": self.of.threads(),
                "predict_us": rounded(times.median() * 1e6),
                "p10_us": rounded(least * 1e6),
                "p90_us": rounded(most * 1e6),
                "calls": times.calls(),
                "peak_mb": times.resident[1].map(|resident| rounded(resident.most as f64 / 1e6)),
            });
            say(&json_text(&report));
        } else {
            say(&format!(
                "{}: {} answers for {} rows in {}; {} to {} in the middle 80 %; {} calls, {}",
                input.name,
                model.name,
                count(rows as u64),
                time_text(times.median()),
                time_text(least),
                time_text(most),
                count(times.calls() as u64),
                threads_text(self.of.threads())
            ));
        }
        Ok(())
    }
}

struct Findings {
    name: String,
    subject: Subject,
    times: Times,
    stages: Vec<(&'static Pass, f64)>,
    measures: Measures,
    /// Operations a second that the machine does with so many threads.
    peak: f64,
    /// Seconds, and of how many processes that is the median.
    first_step: Option<(f64, usize)>,
}

impl Findings {
    fn rate(&self) -> f64 {
        self.measures.flops / self.times.median()
    }

    fn compile_seconds(&self) -> f64 {
        self.stages.iter().map(|(_, seconds)| seconds).sum()
    }

    fn json(&self) -> Value {
        let times = &self.times;
        let stages: Map<String, Value> = self
            .stages
            .iter()
            .map(|(pass, seconds)| (pass.name.replace(' ', "_"), rounded(seconds * 1e3)))
            .collect();
        let [before, after] = times.resident;
        let megabytes = |bytes: u64| rounded(bytes as f64 / 1e6);
        let growth = before.zip(after).map(|(before, after)| after.now.saturating_sub(before.now));
        let [first_loss, last_loss] = &times.losses;
        json!({
            "file": self.name,
            "threads": self.subject.threads,
            "batch": self.subject.held.rows(),
            "parameters": self.subject.held.parameters,
            "step_us": rounded(times.median() * 1e6),
            "p10_us": rounded(times.quantile(0.1) * 1e6),
            "p90_us": rounded(times.quantile(0.9) * 1e6),
            "steps": times.calls() * times.steps_a_call,
            "steps_a_call": times.steps_a_call,
            "compile_ms": rounded(self.compile_seconds() * 1e3),
            "stages_ms": stages,
            "first_step_ms": self.first_step.map(|(seconds, _)| rounded(seconds * 1e3)),
            "peak_mb": after.map(|after| megabytes(after.most)),
            "growth_mb": growth.map(megabytes),
            "tensors_mb": megabytes(self.measures.tensor_bytes as u64),
            "temporaries_mb": megabytes(self.measures.arena_bytes as u64),
            "live_temporaries_mb": megabytes(self.measures.live_bytes as u64),
            "gflop": rounded(self.measures.flops * 1e-9),
            "gflops": rounded(self.rate() * 1e-9),
            "peak_gflops": rounded(self.peak * 1e-9),
            "peak_share": rounded(self.rate() / self.peak),
            "first_loss": first_loss,
            "last_loss": last_loss,
        })
    }

    fn text(&self) -> String {
        let times = &self.times;
        let held = &self.subject.held;
        let threads = threads_text(self.subject.threads);
        let mut lines = vec![format!(
            "{}: {} rows a step, {} parameters, {threads}",
            self.name,
            count(held.rows() as u64),
            count(held.parameters)
        )];
        let mut line = |title: &str, value: String, more: String| {
            lines.push(format!("{title:<12}{value:>12}   {more}").trim_end().to_owned());
        };
        let series = match times.steps_a_call {
            1 => String::new(),
            steps => format!(" in series of {}", count(steps as u64)),
        };
        line(
            "step",
            time_text(times.median()),
            format!(
                "{} to {} in the middle 80 %; {} steps{series}",
                time_text(times.quantile(0.1)),
                time_text(times.quantile(0.9)),
                count((times.calls() * times.steps_a_call) as u64)
            ),
        );
        line(
            "arithmetic",
            format!("{:.1} GFLOP/s", self.rate() * 1e-9),
            format!(
                "{:.0} % of {:.0}, the machine's multiply-adds; {} a step",
                100.0 * self.rate() / self.peak,
                self.peak * 1e-9,
                flop_text(self.measures.flops)
            ),
        );
        let stages: Vec<String> =
            self.stages.iter().map(|(pass, seconds)| format!("{} {:.1}", pass.name, seconds * 1e3)).collect();
        line("compilation", duration(self.compile_seconds()), stages.join(", "));
        if let Some((seconds, processes)) = self.first_step {
            let of = format!("after its process was started, median of {processes}");
            line("first step", duration(seconds), of);
        }
        let [before, after] = times.resident;
        if let (Some(before), Some(after)) = (before, after) {
            let growth = after.now.saturating_sub(before.now);
            line(
                "memory",
                bytes(after.most),
                format!("at the most; {} more than at the first steps", bytes(growth)),
            );
        }
        line(
            "tensors",
            bytes(self.measures.tensor_bytes as u64),
            format!(
                "and {} of temporaries, of which {} are in use at one time",
                bytes(self.measures.arena_bytes as u64),
                bytes(self.measures.live_bytes as u64)
            ),
        );
        let [first, last] = &times.losses;
        let texts =
            |losses: &[f64]| losses.iter().map(|loss| number_text(*loss)).collect::<Vec<_>>().join(" ");
        line("loss", texts(last), format!("{} at first", texts(first)));
        lines.join("\n")
    }
}

/// Starts this program again and sees when it has taken its first step; `None` if that does not work here.
fn first_step(text: &str, of: &Measured) -> Option<(f64, usize)> {
    let program = std::env::current_exe().ok()?;
    let mut times = Vec::new();
    let begun = Instant::now();
    while times.len() < PROCESSES && (times.is_empty() || begun.elapsed() < PROCESSES_TIME) {
        times.push(time_of_process(&program, text, of)?);
    }
    times.put_in_order_by(f64::total_cmp);
    Some((times[times.len() / 2], times.len()))
}

fn time_of_process(program: &std::path::Path, text: &str, of: &Measured) -> Option<f64> {
    let begun = Instant::now();
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1)).arg("--first-step");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    if let Some(mut pipe) = child.stdin.take()
        && of.file.as_os_str() == "-"
    {
        let _ = pipe.write_all(text.as_bytes());
    }
    let mut said = [0u8; 4];
    let read = child.stdout.as_mut().map(|out| out.read_exact(&mut said));
    let spent = begun.elapsed().as_secs_f64();
    let ended = child.wait().ok()?;
    (matches!(read, Some(Ok(()))) && ended.success()).then_some(spent)
}

pub fn threads_text(threads: usize) -> String {
    if threads == 1 { "1 thread".into() } else { format!("{threads} threads") }
}

/// `0.214 µs`, `326 µs`, `12.3 ms`
pub fn time_text(seconds: f64) -> String {
    match seconds * 1e6 {
        micros if micros < 10.0 => format!("{micros:.3} µs"),
        micros if micros < 100.0 => format!("{micros:.1} µs"),
        _ => duration(seconds),
    }
}

/// `26.2 MFLOP`
fn flop_text(flops: f64) -> String {
    let (scale, unit) = match flops {
        flops if flops < 1e6 => (1e-3, "k"),
        flops if flops < 1e9 => (1e-6, "M"),
        _ => (1e-9, "G"),
    };
    format!("{:.1} {unit}FLOP", flops * scale)
}

/// Four digits are as much as a measurement says.
pub fn rounded(value: f64) -> Value {
    if value == 0.0 || !value.is_finite() {
        return json!(value);
    }
    let scale = 10f64.powf(3.0 - value.abs().log10().floor());
    json!((value * scale).round() / scale)
}
