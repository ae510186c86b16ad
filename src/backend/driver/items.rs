//! Carrying out the items of one step: calls of kernels, matrix products, random numbers, scans.

use super::{Driven, Env, Kernels, layout};
use crate::plan::fill_with_poison;
use crate::backend::{Call, CodeError, RunContext};
use crate::base::philox::Draw;
use crate::ir::StepId;
use crate::loops::{self, Base, Gemm, Item, Kind, Rand};
use crate::product::{Shape, portable};

/// A step that is being carried out.
pub struct Step<'a, K: Kernels> {
    code: &'a Driven<K>,
    memory: &'a mut [u8],
    registers: &'a mut K::Registers,
    call: Call,
    cx: RunContext<'a>,
    /// The counters of the scans around.
    counters: Vec<(StepId, i64)>,
    bases: Vec<i64>,
    steps: Vec<i64>,
}

impl<'a, K: Kernels> Step<'a, K> {
    pub fn new(
        code: &'a Driven<K>,
        memory: &'a mut [u8],
        registers: &'a mut K::Registers,
        call: Call,
        cx: RunContext<'a>,
    ) -> Step<'a, K> {
        let (counters, bases, steps) = (Vec::new(), Vec::new(), Vec::new());
        Step { code, memory, registers, call, cx, counters, bases, steps }
    }

    pub fn carry_out(&mut self) -> Result<(), CodeError> {
        let code = self.code;
        self.items(&code.module.items, 0).map(drop)
    }

    /// Items from number `next` on, as [`Facts::names`](crate::backend::Facts) counts them. Gives the number after.
    fn items(&mut self, items: &[Item], mut next: usize) -> Result<usize, CodeError> {
        for item in items {
            match item {
                Item::Call(call) => self.kernel(call)?,
                Item::Gemm(gemm) => match gemm.kind {
                    Kind::F64 => self.gemm::<f64>(gemm)?,
                    Kind::F32 | Kind::I32 | Kind::I64 | Kind::Bool => self.gemm::<f32>(gemm)?,
                },
                Item::Rand(rand) => self.rand(rand)?,
                Item::Poison { base, bytes } => {
                    let start = self.address(base)?;
                    fill_with_poison(self.part(start, *bytes)?);
                    continue;
                }
                Item::Scan { step, trip, reverse, items, .. } => {
                    let first = next;
                    for number in 0..*trip {
                        let counter = if *reverse { trip - 1 - number } else { number };
                        self.counters.push((*step, counter));
                        next = self.items(items, first)?;
                        self.counters.pop();
                    }
                    continue;
                }
            }
            self.cx.watch.into_iter().for_each(|watch| watch(Some(next)));
            next += 1;
        }
        Ok(next)
    }

    fn counter(&self, step: StepId) -> Result<i64, CodeError> {
        let counter = self.counters.iter().find(|(around, _)| *around == step);
        counter
            .map(|(_, counter)| *counter)
            .ok_or_else(|| CodeError::internal("a counter outside of its scan"))
    }

    fn address(&self, base: &Base) -> Result<i64, CodeError> {
        let mut address = self.code.layout.start(base.place)? + base.offset;
        for (step, factor) in &base.steps {
            address += self.counter(*step)? * factor;
        }
        Ok(address)
    }

    fn part(&mut self, start: i64, bytes: i64) -> Result<&mut [u8], CodeError> {
        let from = usize::try_from(start).unwrap_or(usize::MAX);
        layout::part(self.memory, from..from.saturating_add(bytes.max(0) as usize))
    }

    fn kernel(&mut self, call: &loops::Call) -> Result<(), CodeError> {
        let code = self.code;
        self.bases.clear();
        for base in &call.bases {
            let address = self.address(base)?;
            self.bases.push(address);
        }
        self.steps.clear();
        for step in &call.steps {
            let counter = self.counter(*step)?;
            self.steps.push(counter);
        }
        let kernel = &code.module.kernels[call.kernel.0 as usize];
        for piece in 0..kernel.pieces as i64 {
            let env = Env { bases: &self.bases, steps: &self.steps, piece };
            code.kernels.run(call.kernel, env, self.memory, self.registers)?;
            for (base, param) in self.bases.iter_mut().zip(&kernel.params) {
                *base += param.piece_stride;
            }
        }
        Ok(())
    }

    fn rand(&mut self, rand: &Rand) -> Result<(), CodeError> {
        let mut first = rand.scan_step;
        for (step, factor) in &rand.scan_terms {
            first += self.counter(*step)? * factor;
        }
        let start = self.address(&rand.base)?;
        let Call { step, seed } = self.call;
        let bytes = rand.len * rand.elem.bytes();
        for number in 0..rand.draws {
            let scan_step = (first as u32).wrapping_add(number as u32);
            let draw = Draw { seed, stream: rand.stream, step, scan_step };
            let target = self.part(start + number * bytes, bytes)?;
            if rand.elem == Kind::F64 {
                let mut values = vec![0f64; rand.len as usize];
                rand.kind.fill_f64(draw, 0, &mut values);
                write(&values, target);
            } else {
                let mut values = vec![0f32; rand.len as usize];
                rand.kind.fill_f32(draw, 0, &mut values);
                write(&values, target);
            }
        }
        Ok(())
    }

    fn gemm<F: Float>(&mut self, gemm: &Gemm) -> Result<(), CodeError> {
        let (m, n) = (gemm.m as usize, gemm.n as usize);
        let offsets = gemm.sides.each_ref().map(|sides| sides.each_ref().map(loops::Side::offsets));
        let shape = gemm.shape();
        let mut starts = [0; 3];
        for (start, base) in starts.iter_mut().zip(&gemm.bases) {
            *start = self.address(base)?;
        }
        let bytes = gemm.kind.bytes();
        let n_batch: i64 = gemm.batch.iter().map(|(size, _)| *size).product();
        for number in 0..n_batch {
            let (mut rest, mut at) = (number, starts);
            for (size, strides) in gemm.batch.iter().rev() {
                at.iter_mut().zip(strides).for_each(|(at, stride)| *at += rest % size * stride * bytes);
                rest /= size;
            }
            let a = self.matrix::<F>(at[0], &offsets[0])?;
            let b = self.matrix::<F>(at[1], &offsets[1])?;
            let mut c = if gemm.accumulate {
                self.matrix(at[2], &offsets[2])?
            } else {
                vec![F::default(); m * n]
            };
            F::product(&shape, &a, &b, &mut c);
            for (number, value) in c.iter().enumerate() {
                let place = at[2] + (offsets[2][0][number / n] + offsets[2][1][number % n]) * bytes;
                write(std::slice::from_ref(value), self.part(place, bytes)?);
            }
        }
        Ok(())
    }

    /// The elements of a matrix, row by row.
    fn matrix<F: Float>(
        &mut self,
        start: i64,
        [rows, columns]: &[Vec<i64>; 2],
    ) -> Result<Vec<F>, CodeError> {
        let bytes = size_of::<F>() as i64;
        let mut values = Vec::with_capacity(rows.len() * columns.len());
        for row in rows {
            for column in columns {
                let place = start + (row + column) * bytes;
                values.push(F::read(self.part(place, bytes)?));
            }
        }
        Ok(values)
    }
}

/// Floats in memory, and their matrix products.
trait Float: Copy + Default {
    fn read(bytes: &[u8]) -> Self;
    fn put(self, bytes: &mut [u8]);
    fn product(shape: &Shape, a: &[Self], b: &[Self], c: &mut [Self]);
}

impl Float for f32 {
    fn read(bytes: &[u8]) -> f32 {
        bytes.first_chunk().map_or(f32::NAN, |bytes| f32::from_ne_bytes(*bytes))
    }

    fn put(self, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.to_ne_bytes());
    }

    fn product(shape: &Shape, a: &[f32], b: &[f32], c: &mut [f32]) {
        portable::product_f32(shape, a, b, c);
    }
}

impl Float for f64 {
    fn read(bytes: &[u8]) -> f64 {
        bytes.first_chunk().map_or(f64::NAN, |bytes| f64::from_ne_bytes(*bytes))
    }

    fn put(self, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.to_ne_bytes());
    }

    fn product(shape: &Shape, a: &[f64], b: &[f64], c: &mut [f64]) {
        portable::product_f64(shape, a, b, c);
    }
}

fn write<F: Float>(values: &[F], target: &mut [u8]) {
    target.chunks_exact_mut(size_of::<F>()).zip(values).for_each(|(bytes, value)| value.put(bytes));
}
