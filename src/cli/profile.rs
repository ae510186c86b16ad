//! `nnc profile`: where the time of a step goes.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Value, json};

use super::bench::{rounded, threads_text, time_text};
use super::json::json_text;
use super::measured::Measured;
use super::numbers::count;
use super::{Failure, input, say};
use crate::base::order::PutInOrder;
use crate::ir::Phase;
use crate::runtime::measure::kernels::{Kernel, Profile as Measurement};
use crate::runtime::measure::machine;
use crate::runtime::train::held::Purpose;

/// Show the kernels of a training step: time, arithmetic, memory traffic, allocations.
#[derive(Args)]
#[command(after_help = "\
Examples:
  nnc profile models/digits.nn
  nnc profile models/digits.nn --threads 1 --top 10
  nnc profile models/digits.nn --in-order

A kernel is named after the layers whose formulas it computes. GFLOP/s counts operations on floats, GB/s what
must be read and written at the least. `limit` is the larger of two shares: of the multiply-adds that the
machine does, and of the bytes that it copies where as much memory is in use as in a step. Near 100 % a kernel
cannot be faster; a small one can be nowhere near. Watching costs a little: the sum is more than the time that
`nnc bench` finds.")]
pub struct Profile {
    #[command(flatten)]
    of: Measured,
    /// Show so many kernels.
    #[arg(long, value_name = "N", default_value_t = 30, conflicts_with_all = ["in_order", "json"])]
    top: usize,
    /// All kernels in the order in which they are carried out, instead of the slowest first.
    #[arg(long, conflicts_with = "json")]
    in_order: bool,
    /// Every copy of a `repeat` by itself: `blocks.0`, `blocks.1`, … instead of `blocks.*`.
    #[arg(long, conflicts_with_all = ["in_order", "json"])]
    copies: bool,
}

/// What the machine does at the most.
struct Limits {
    flops: f64,
    bytes: f64,
}

/// Kernels that are shown as one.
#[derive(Clone, Default)]
struct Row {
    name: String,
    phase: Phase,
    sizes: String,
    kernels: usize,
    seconds: f64,
    flops: f64,
    bytes: f64,
    calls: f64,
    allocations: u64,
}

impl Profile {
    pub fn carry_out(self) -> Result<(), Failure> {
        let input = input::read(&self.of.file)?;
        let mut subject = self.of.prepare(&input, Purpose::Profile)?;
        let Some(measures) = subject.measures.take() else { return Err(Failure::Silent) };
        let profile =
            Measurement::measure(&mut subject.session, &mut subject.held, &measures, self.of.seconds)?;
        let limits = Limits {
            flops: machine::arithmetic(subject.threads, subject.precision()),
            bytes: machine::copying(measures.arena_bytes + measures.tensor_bytes, subject.threads),
        };
        if self.of.json {
            say(&json_text(&json(&input.name, subject.threads, &profile, &limits)));
            return Ok(());
        }
        say(&format!(
            "{}: {} rows a step, {}, {} kernels, {} a step, {} steps\n\
             at the most {:.0} GFLOP/s of multiply-adds, {:.0} GB/s of copies\n",
            input.name,
            count(subject.held.rows() as u64),
            threads_text(subject.threads),
            profile.kernels.len(),
            time_text(profile.seconds()),
            count(profile.steps as u64),
            limits.flops * 1e-9,
            limits.bytes * 1e-9,
        ));
        say(&phases_text(&profile));
        say(&self.table(&profile, &limits));
        Ok(())
    }

    fn table(&self, profile: &Measurement, limits: &Limits) -> String {
        let mut rows = rows(profile, !self.copies && !self.in_order);
        if !self.in_order {
            rows.put_in_order_by(|a, b| b.seconds.total_cmp(&a.seconds));
        }
        let all = profile.seconds();
        let shown = if self.in_order { rows.len() } else { self.top.min(rows.len()) };
        let mut text = format!(
            "{:>10} {:>6} {:>8} {:>7} {:>6}  {:>6}  kernel\n",
            "time", "share", "GFLOP/s", "GB/s", "limit", "allocs"
        );
        for row in &rows[..shown] {
            text.push_str(&row.text(all, limits));
            text.push('\n');
        }
        if let Some(rest) = rows.get(shown..).filter(|rest| !rest.is_empty()) {
            let seconds: f64 = rest.iter().map(|row| row.seconds).sum();
            let kernels: usize = rest.iter().map(|row| row.kernels).sum();
            let share = 100.0 * seconds / all;
            text.push_str(&format!("{:>10} {share:>5.1}%  {kernels} more kernels\n", time_text(seconds)));
        }
        text.trim_end().to_owned()
    }
}

impl Row {
    fn text(&self, all: f64, limits: &Limits) -> String {
        let rate = |work: f64| if self.seconds > 0.0 { work / self.seconds } else { 0.0 };
        let (flops, bytes) = (rate(self.flops), rate(self.bytes));
        let limit = (flops / limits.flops).max(bytes / limits.bytes);
        let times = if self.kernels > 1 { format!("{} × ", self.kernels) } else { String::new() };
        let calls = self.calls / self.kernels as f64;
        let calls = if calls > 1.0 { format!(", {calls:.0} times") } else { String::new() };
        format!(
            "{:>10} {:>5.1}% {:>8.1} {:>7.1} {:>5.0}%  {:>6}  {times}{} [{}{}{calls}]",
            time_text(self.seconds),
            100.0 * self.seconds / all,
            flops * 1e-9,
            bytes * 1e-9,
            100.0 * limit,
            self.allocations,
            short(&self.name),
            phase_text(self.phase),
            if self.sizes.is_empty() { String::new() } else { format!(", {}", self.sizes) },
        )
    }

    fn add(&mut self, kernel: &Kernel) {
        self.kernels += 1;
        self.seconds += kernel.seconds;
        self.flops += kernel.work.flops;
        self.bytes += kernel.work.bytes;
        self.calls += kernel.work.calls;
        self.allocations += kernel.allocations;
    }
}

/// One row for each kernel, or for all that differ only in which copy of a `repeat` they belong to.
fn rows(profile: &Measurement, together: bool) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut places: BTreeMap<(String, &'static str, String), usize> = BTreeMap::new();
    for kernel in &profile.kernels {
        let work = &kernel.work;
        let name = if together { without_numbers(&work.name.text) } else { work.name.text.clone() };
        let key = (name.clone(), phase_text(work.name.phase), work.sizes.clone());
        let next = rows.len();
        let at = if together { *places.entry(key).or_insert(next) } else { next };
        if at == next {
            rows.push(Row { name, phase: work.name.phase, sizes: work.sizes.clone(), ..Row::default() });
        }
        rows[at].add(kernel);
    }
    rows
}

/// `fc add + loss max + loss sub` as `fc add + loss max sub`: the owner of each part once.
fn short(name: &str) -> String {
    let mut text = String::new();
    let mut last = "";
    for part in name.split(" + ") {
        let (owner, what) = part.rsplit_once(' ').unwrap_or(("", part));
        if text.is_empty() {
            text.push_str(part);
        } else if owner == last {
            text.push_str(&format!(" {what}"));
        } else {
            text.push_str(&format!(" + {part}"));
        }
        last = owner;
    }
    text
}

/// `blocks.3.up matmul` as `blocks.*.up matmul`.
fn without_numbers(name: &str) -> String {
    let word = |word: &str| {
        let part = |part: &str| {
            let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            if is_number { "*".to_owned() } else { part.to_owned() }
        };
        if word.contains('.') {
            word.split('.').map(part).collect::<Vec<_>>().join(".")
        } else {
            word.to_owned()
        }
    };
    name.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn phase_text(phase: Phase) -> &'static str {
    match phase {
        Phase::Forward => "forward",
        Phase::Backward => "backward",
        Phase::Update => "update",
    }
}

/// `forward 12.0 µs (40 %), backward …`
fn phases_text(profile: &Measurement) -> String {
    let all = profile.seconds();
    let of = |phase: Phase| {
        let kernels = profile.kernels.iter().filter(|kernel| kernel.work.name.phase == phase);
        let seconds: f64 = kernels.map(|kernel| kernel.seconds).sum();
        format!("{} {} ({:.0} %)", phase_text(phase), time_text(seconds), 100.0 * seconds / all)
    };
    let allocations: u64 = profile.kernels.iter().map(|kernel| kernel.allocations).sum();
    let phases = [Phase::Forward, Phase::Backward, Phase::Update].map(of).join(", ");
    format!("{phases}; {allocations} allocations\n")
}

fn json(file: &str, threads: usize, profile: &Measurement, limits: &Limits) -> Value {
    let kernels: Vec<Value> = profile
        .kernels
        .iter()
        .map(|kernel| {
            let work = &kernel.work;
            json!({
                "kernel": work.name.text,
                "phase": phase_text(work.name.phase),
                "sizes": work.sizes,
                "calls": work.calls,
                "us": rounded(kernel.seconds * 1e6),
                "share": rounded(kernel.seconds / profile.seconds()),
                "flop": work.flops,
                "bytes": work.bytes,
                "allocations": kernel.allocations,
            })
        })
        .collect();
    json!({
        "file": file,
        "threads": threads,
        "steps": profile.steps,
        "step_us": rounded(profile.seconds() * 1e6),
        "peak_gflops": rounded(limits.flops * 1e-9),
        "copy_gbs": rounded(limits.bytes * 1e-9),
        "kernels": kernels,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(short("fc add + loss max + loss sub"), "fc add + loss max sub");
        assert_eq!(short("mul"), "mul");
        assert_eq!(without_numbers("blocks.3.up matmul"), "blocks.*.up matmul");
        assert_eq!(without_numbers("linear1.weight mul"), "linear1.weight mul");
    }
}
