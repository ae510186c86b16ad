//! Lower bounds of the work of a plan's kernels, for a roofline: arithmetic, and bytes that must move. Profiles
//! compare times with them.

use super::address::{extents, reads};
use super::memory::{elem_bytes, lives};
use super::{BufferId, External, Gemm, Name, Nest, Place, Plan, Step, View};
use crate::base::order::PutInOrder;
use crate::ir::work::loop_flops;
use std::collections::HashMap;

/// The work of one kernel in one step of training.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Work {
    pub name: Name,
    /// `64×128×784` of a product (rows, columns, terms), the ranges of the shared loops of a nest.
    pub sizes: String,
    /// How often it runs: in scans once in each step.
    pub calls: f64,
    /// Operations on floats, see [`crate::ir::work`].
    pub flops: f64,
    /// Bytes of all elements that are read or written, each counted once in a call.
    pub bytes: f64,
}

/// Gives every kernel its number, in the order of [`Plan::works`].
pub(super) fn number(steps: &mut [Step]) {
    fn visit(steps: &mut [Step], next: &mut u32) {
        for step in steps {
            match step {
                Step::Nest(nest) => nest.name.number = *next,
                Step::Gemm(gemm) => gemm.name.number = *next,
                Step::Rand(rand) => rand.name.number = *next,
                Step::Scan(scan) => {
                    visit(&mut scan.steps, next);
                    continue;
                }
            }
            *next += 1;
        }
    }
    visit(steps, &mut 0);
}

impl Plan {
    /// The work of every kernel, by [`Name::number`].
    pub fn works(&self) -> Vec<Work> {
        let mut works = Vec::new();
        self.add_works(&self.steps, 1.0, &mut works);
        works
    }

    fn add_works(&self, steps: &[Step], calls: f64, works: &mut Vec<Work>) {
        for step in steps {
            let work = match step {
                Step::Nest(nest) => self.nest_work(nest),
                Step::Gemm(gemm) => self.gemm_work(gemm),
                Step::Rand(rand) => {
                    let bytes = self.view_bytes(&rand.target);
                    Work {
                        name: rand.name.clone(),
                        sizes: times(&rand.target.shape),
                        bytes,
                        ..Work::default()
                    }
                }
                Step::Scan(scan) => {
                    self.add_works(&scan.steps, calls * scan.trip as f64, works);
                    continue;
                }
            };
            works.push(Work { calls, flops: work.flops * calls, bytes: work.bytes * calls, ..work });
        }
    }

    fn nest_work(&self, nest: &Nest) -> Work {
        let mut flops = 0.0;
        // Bytes by buffer: of elements read before the nest writes them, and of elements written.
        let mut read: HashMap<BufferId, f64> = HashMap::new();
        let mut written: HashMap<BufferId, f64> = HashMap::new();
        for stage in &nest.stages {
            let elem = |operand: u32| self.buffers[stage.operands[operand as usize].buffer.0 as usize].elem;
            flops += loop_flops(&stage.body, &elem);
            let points: i64 = extents(&stage.body).iter().product();
            for (operand, ..) in reads(&stage.body) {
                let view = &stage.operands[operand];
                if !written.contains_key(&view.buffer) {
                    raise(&mut read, view.buffer, self.moved(view, points));
                }
            }
            let target = &stage.target;
            if stage.accumulate && !written.contains_key(&target.buffer) {
                raise(&mut read, target.buffer, self.moved(target, points));
            }
            raise(&mut written, target.buffer, self.moved(target, points));
        }
        let first = extents(&nest.stages[0].body);
        let shared = if nest.shared == 0 { first.len() } else { nest.shared };
        let bytes = read.values().chain(written.values()).sum();
        Work { name: nest.name.clone(), sizes: times(&first[..shared]), flops, bytes, calls: 1.0 }
    }

    fn gemm_work(&self, gemm: &Gemm) -> Work {
        let batch: i64 = gemm.batch.iter().product();
        let (m, n, k) = (gemm.m(), gemm.n(), gemm.k());
        let sizes: Vec<i64> = gemm.batch.iter().copied().chain([m, n, k]).collect();
        let passes = if gemm.accumulate { 2.0 } else { 1.0 };
        Work {
            name: gemm.name.clone(),
            sizes: times(&sizes),
            flops: 2.0 * (batch * m) as f64 * (n * k) as f64,
            bytes: self.view_bytes(&gemm.a) + self.view_bytes(&gemm.b) + passes * self.view_bytes(&gemm.c),
            calls: 1.0,
        }
    }

    /// Bytes of a tensor; 0 for rows in the private memory of a worker.
    fn view_bytes(&self, view: &View) -> f64 {
        self.moved(view, i64::MAX)
    }

    /// The same for a loop that touches at most so many elements.
    fn moved(&self, view: &View, points: i64) -> f64 {
        let buffer = &self.buffers[view.buffer.0 as usize];
        if matches!(buffer.place, Place::Scratch(_)) {
            return 0.0;
        }
        // An axis of stride 0 repeats the same elements.
        let axes = view.shape.iter().zip(&view.strides).filter(|(_, stride)| **stride != 0);
        let count = axes.map(|(size, _)| *size).product::<i64>().min(buffer.len as i64).min(points);
        count as f64 * buffer.elem_bytes(self.precision) as f64
    }

    /// Bytes of the caller's tensors; a variable is changed in place.
    pub fn external_bytes(&self) -> usize {
        let bytes = |external: &External| {
            external.shape.iter().product::<usize>()
                * elem_bytes(external.elem, external.wide, self.precision)
        };
        self.externals.iter().map(bytes).sum()
    }

    /// The most bytes of temporaries that are in use at any one time: no arrangement of them needs less.
    pub fn live_bytes(&self) -> usize {
        let lives = lives(self.buffers.len(), &self.steps);
        // Buffers that share bytes at the same time count once.
        let mut spans: Vec<(usize, u32, u32, usize)> = Vec::new();
        for (buffer, life) in self.buffers.iter().zip(lives) {
            if let (Place::Arena(offset), Some(life)) = (&buffer.place, life) {
                spans.push((*offset, life.first, life.last, buffer.len * buffer.elem_bytes(self.precision)));
            }
        }
        spans.put_in_order();
        spans.dedup_by(|next, last| {
            let one = next.0 == last.0 && next.1 <= last.2;
            if one {
                (last.2, last.3) = (last.2.max(next.2), last.3.max(next.3));
            }
            one
        });
        let mut changes: Vec<(u32, bool, usize)> = Vec::new();
        for (_, first, last, bytes) in spans {
            changes.extend([(first, true, bytes), (last + 1, false, bytes)]);
        }
        // A life that ends frees its bytes before another one begins.
        changes.put_in_order();
        let (mut now, mut most) = (0, 0);
        for (_, begins, bytes) in changes {
            now = if begins { now + bytes } else { now - bytes };
            most = most.max(now);
        }
        most
    }
}

fn raise(bytes: &mut HashMap<BufferId, f64>, buffer: BufferId, amount: f64) {
    let most = bytes.entry(buffer).or_insert(0.0);
    *most = most.max(amount);
}

fn times(sizes: &[i64]) -> String {
    sizes.iter().map(i64::to_string).collect::<Vec<_>>().join("×")
}
