//! A compiled plan, and how it is run.

use super::bindings::{self, Binding};
use super::compile::{Code, Compiler};
use super::driver::Tables;
use super::frame::{self, Aligned, Frame, Parallel, StepFn};
use super::products::MatrixProduct;
use super::{Fault, JitError, isa::Target};
use crate::ir::program::Precision;
use crate::ir::{ConstData, Elem, ExternalKey};
use crate::loops::{self, Module, Site};
use crate::plan::{External, Name, Plan, elem_bytes};
use std::sync::atomic::{AtomicBool, Ordering};

/// How to compile.
#[derive(Clone, Copy, Default, Debug)]
pub struct Options {
    pub target: Target,
    /// Say after each kernel that it is done: see [`Executable::profile`].
    pub profiled: bool,
    /// Check every access against its buffer, and make memory unusable before it is written. The results are the
    /// same bits; an access outside is a [`Fault`].
    pub checked: bool,
}

/// A plan as native code. It may be shared between threads; each call works on a [`Workspace`] of its own.
pub struct Executable {
    code: Code,
    tables: Tables,
    products: Vec<MatrixProduct>,
    constants: Aligned,
    externals: Vec<External>,
    precision: Precision,
    arena_bytes: usize,
    /// The kernels that test whether an int leaves 64 bits.
    sites: Vec<Name>,
    /// What checks are about; none if accesses are not checked.
    accesses: Vec<Site>,
    checked: bool,
}

/// The temporaries of one call at a time.
pub struct Workspace {
    arena: Aligned,
    /// Gathered rows, one run of memory for each external that needs it.
    rows: Vec<Option<Aligned>>,
    /// Which site has found that an int leaves 64 bits, counted from 1.
    fault: u64,
}

/// What a step depends on besides its tensors.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Call {
    /// The number of the training step; random numbers depend on it.
    pub step: u32,
    pub seed: u64,
}

/// Which rows of the columns the steps of a series take.
#[derive(Clone, Copy, Debug)]
pub enum Rows<'a> {
    /// From this row on, one after another; after the last comes the first.
    From(usize),
    /// `order[0 .. batch]`, then the next ones.
    Order(&'a [u32]),
}

/// A series of steps.
#[derive(Clone, Copy)]
pub struct Series<'a> {
    pub first: Call,
    pub steps: usize,
    pub rows: Rows<'a>,
    /// Externals, given as [`Binding::Each`], that must stay finite.
    pub watched: &'a [usize],
    /// Set by someone who wants the series to stop.
    pub interrupted: Option<&'a AtomicBool>,
}

/// How a series ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Done,
    /// After so many steps.
    Interrupted {
        steps: usize,
    },
    /// The last of so many steps gave this external a value that is not finite.
    NotFinite {
        steps: usize,
        external: usize,
    },
    /// In the last of so many steps an int has left 64 bits.
    Overflow {
        steps: usize,
        site: Overflow,
    },
}

/// Where an int has left 64 bits: see [`Executable::place_of`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub struct Overflow(usize);

/// A plan as loop IR. Only [`Lowered::of`] makes one, so that code is made of nothing else.
pub struct Lowered {
    module: Module,
    externals: Vec<External>,
    options: Options,
}

impl Lowered {
    /// Lowers a plan for a target.
    ///
    /// # Errors
    /// If the plan is not static: a mistake of an earlier stage.
    pub fn of(plan: &Plan, options: Options) -> Result<Lowered, JitError> {
        let options_of_loops = loops::Options { lanes: options.target.lanes(), checked: options.checked };
        let module = loops::lower(plan, options_of_loops).map_err(|error| JitError::new(error.0))?;
        Ok(Lowered { module, externals: plan.externals.clone(), options })
    }

    /// With a function for each kernel, however small the step is.
    pub fn as_kernels(mut self) -> Lowered {
        self.module.tiny = false;
        self
    }
}

impl Executable {
    /// Compiles a plan.
    ///
    /// # Errors
    /// If the plan is not static, the processor is not supported, or memory is short.
    pub fn compile(plan: &Plan, options: Options) -> Result<Executable, JitError> {
        Executable::new(&Lowered::of(plan, options)?)
    }

    /// Compiles a plan that was lowered.
    ///
    /// # Errors
    /// As [`Executable::compile`].
    pub fn new(lowered: &Lowered) -> Result<Executable, JitError> {
        Executable::from_module(&lowered.module, &lowered.externals, lowered.options)
    }

    /// Compiles the loop IR of a plan with these externals. What the module says of addresses is believed, so it is
    /// for this folder only, where it comes from a plan.
    pub(super) fn from_module(
        module: &Module,
        externals: &[External],
        options: Options,
    ) -> Result<Executable, JitError> {
        let (code, tables) = Compiler::new(options.target, options.profiled)?.compile(module)?;
        let products = tables.gemms.iter().map(MatrixProduct::new).collect();
        Ok(Executable {
            code,
            tables,
            products,
            constants: constants(module)?,
            externals: externals.to_vec(),
            precision: module.precision,
            arena_bytes: module.arena_bytes,
            sites: module.sites.clone(),
            accesses: module.accesses.clone(),
            checked: options.checked,
        })
    }

    pub fn externals(&self) -> &[External] {
        &self.externals
    }

    /// Bytes of temporaries that a call needs.
    pub fn arena_bytes(&self) -> usize {
        self.arena_bytes
    }

    /// Memory for calls.
    ///
    /// # Errors
    /// If there is not enough.
    pub fn workspace(&self) -> Result<Workspace, JitError> {
        let rows = self.externals.iter().map(|_| None).collect();
        Ok(Workspace { arena: Aligned::new(self.arena_bytes)?, rows, fault: 0 })
    }

    /// The kernels in the order in which [`Executable::profile`] counts them.
    pub fn names(&self) -> &[Name] {
        &self.tables.names
    }

    /// The kernel in which an int has left 64 bits.
    pub fn place_of(&self, overflow: Overflow) -> Name {
        self.sites.get(overflow.0).cloned().unwrap_or_default()
    }

    /// Carries out one step. `bindings`: one for each external. Says whether an int has left 64 bits: then the
    /// results mean nothing.
    ///
    /// # Errors
    /// If a binding does not fit its external.
    pub fn run(
        &self,
        workspace: &mut Workspace,
        bindings: &mut [Binding<'_>],
        call: Call,
        parallel: &dyn Parallel,
    ) -> Result<Option<Overflow>, JitError> {
        self.run_profiled(workspace, bindings, call, parallel, None)
    }

    /// The same, calling `watch` with nothing when the step begins and with the number of each kernel when it is
    /// done, if it was compiled for that.
    ///
    /// # Errors
    /// As [`Executable::run`].
    pub fn profile(
        &self,
        workspace: &mut Workspace,
        bindings: &mut [Binding<'_>],
        call: Call,
        parallel: &dyn Parallel,
        watch: &dyn Fn(Option<usize>),
    ) -> Result<Option<Overflow>, JitError> {
        self.run_profiled(workspace, bindings, call, parallel, Some(watch))
    }

    fn run_profiled(
        &self,
        workspace: &mut Workspace,
        bindings: &mut [Binding<'_>],
        call: Call,
        parallel: &dyn Parallel,
        watch: Option<&dyn Fn(Option<usize>)>,
    ) -> Result<Option<Overflow>, JitError> {
        self.check(workspace, bindings, None)?;
        let step_number = call.step as i32;
        let mut pointers: Vec<*mut u8> = Vec::with_capacity(bindings.len());
        for binding in bindings {
            pointers.push(match binding {
                Binding::Read(tensor) | Binding::Rows(tensor) => tensor.pointer().cast_mut(),
                Binding::Write(tensor) | Binding::Each(tensor) => tensor.pointer(),
                Binding::StepNumber => (&raw const step_number).cast_mut().cast(),
            });
        }
        self.poison(workspace, &pointers);
        let mut report = [0u64; 2];
        let words = &raw mut report;
        let mut frame = self.frame(workspace, &pointers, call, parallel, words.cast());
        let done = |item| watch.into_iter().for_each(|watch| watch(Some(item)));
        if let Some(watch) = watch {
            frame.profile = Some(&done);
            watch(None);
        }
        // SAFETY: every binding was checked against its external.
        unsafe { self.step()(&frame) };
        // SAFETY: the step is over, and so is its use of the words.
        self.reported(unsafe { words.read() })?;
        Ok(workspace.overflow())
    }

    /// In checked code: makes temporaries and results unusable until something is written there.
    fn poison(&self, workspace: &mut Workspace, pointers: &[*mut u8]) {
        if !self.checked {
            return;
        }
        frame::fill_with_poison(workspace.arena.bytes_mut());
        let results = self.externals.iter().zip(pointers).filter(|(external, _)| external.is_result());
        for (external, pointer) in results {
            let count: usize = external.shape.iter().product();
            // SAFETY: the binding of a result was checked to have room for it.
            unsafe {
                frame::poison(
                    *pointer,
                    (count * elem_bytes(external.elem, external.wide, self.precision)) as u64,
                )
            };
        }
    }

    /// The check that failed in a step, if one did.
    fn reported(&self, [number, element]: [u64; 2]) -> Result<(), JitError> {
        let site = (number as usize).checked_sub(1).and_then(|at| self.accesses.get(at));
        match site {
            Some(site) => Err(Fault { site: site.clone(), element: element as i64 }.into()),
            None => Ok(()),
        }
    }

    /// Carries out a series of steps. Batches are gathered from columns ([`Binding::Rows`]), values of each
    /// step are put one behind another ([`Binding::Each`]).
    ///
    /// # Errors
    /// If a binding does not fit its external or the series, or a row number is beyond a column.
    pub fn run_steps(
        &self,
        workspace: &mut Workspace,
        bindings: &mut [Binding<'_>],
        series: Series<'_>,
        parallel: &dyn Parallel,
    ) -> Result<Outcome, JitError> {
        self.check(workspace, bindings, Some(series.steps))?;
        let mut step_number = series.first.step as i32;
        let mut pointers = vec![std::ptr::null_mut(); bindings.len()];
        let mut moving = Vec::new();
        for (at, binding) in bindings.iter_mut().enumerate() {
            let external = &self.externals[at];
            let bytes = elem_bytes(external.elem, external.wide, self.precision);
            match binding {
                Binding::Read(tensor) => pointers[at] = tensor.pointer().cast_mut(),
                Binding::Write(tensor) => pointers[at] = tensor.pointer(),
                Binding::StepNumber => pointers[at] = (&raw mut step_number).cast(),
                Binding::Each(tensor) => {
                    let step_bytes = external.shape.iter().product::<usize>() * bytes;
                    moving.push(Moving::Each { at, start: tensor.pointer(), step_bytes });
                }
                Binding::Rows(column) => {
                    let batch = external.shape[0];
                    let row = external.shape[1..].iter().product::<usize>();
                    if row == 0 {
                        pointers[at] = column.pointer().cast_mut();
                        continue;
                    }
                    let rows = column.len() / row;
                    check_rows(&series, batch, rows, &external.name)?;
                    let memory = match workspace.rows[at].take() {
                        Some(memory) => memory,
                        None => Aligned::new(batch * row * bytes)?,
                    };
                    let target = workspace.rows[at].insert(memory);
                    let (column, target) = (column.pointer(), target.as_mut_ptr());
                    moving.push(Moving::Rows { at, column, rows, row_bytes: row * bytes, batch, target });
                }
            }
        }
        let mut report = [0u64; 2];
        let words = &raw mut report;
        let mut frame = self.frame(workspace, &pointers, series.first, parallel, words.cast());
        frame.externals = std::ptr::null();
        let step = self.step();
        for number in 0..series.steps {
            frame.step = series.first.step.wrapping_add(number as u32);
            // SAFETY: nobody else holds a pointer to it at this moment.
            unsafe { (&raw mut step_number).write(frame.step as i32) };
            for moving in &moving {
                moving.place(number, &series.rows, &mut pointers);
            }
            frame.externals = pointers.as_ptr();
            self.poison(workspace, &pointers);
            // SAFETY: every binding was checked against its external and the length of the series.
            unsafe { step(&frame) };
            // SAFETY: the step is over, and so is its use of the words.
            self.reported(unsafe { words.read() })?;
            // SAFETY: the word outlives the frame, and no code is running.
            let fault = unsafe { frame.fault.read() };
            if fault != 0 {
                let site = Overflow(fault as usize - 1);
                return Ok(Outcome::Overflow { steps: number + 1, site });
            }
            for &at in series.watched {
                // SAFETY: a scalar or more of the external's type, checked above.
                if !unsafe { self.is_finite(at, pointers[at]) } {
                    return Ok(Outcome::NotFinite { steps: number + 1, external: at });
                }
            }
            if series.interrupted.is_some_and(|flag| flag.load(Ordering::Relaxed))
                && number + 1 < series.steps
            {
                return Ok(Outcome::Interrupted { steps: number + 1 });
            }
        }
        Ok(Outcome::Done)
    }

    fn check(
        &self,
        workspace: &Workspace,
        bindings: &[Binding<'_>],
        steps: Option<usize>,
    ) -> Result<(), JitError> {
        if bindings.len() != self.externals.len() {
            let (given, wanted) = (bindings.len(), self.externals.len());
            return Err(JitError::new(format!("{wanted} tensors are needed, {given} are given")));
        }
        if workspace.arena.len() < self.arena_bytes || workspace.rows.len() != self.externals.len() {
            return Err(JitError::new("the workspace belongs to other code"));
        }
        for (external, binding) in self.externals.iter().zip(bindings) {
            bindings::check(external, binding, self.precision, steps)?;
        }
        Ok(())
    }

    fn frame<'a>(
        &'a self,
        workspace: &mut Workspace,
        pointers: &[*mut u8],
        call: Call,
        parallel: &'a dyn Parallel,
        report: *mut u64,
    ) -> Frame<'a> {
        workspace.fault = 0;
        Frame {
            externals: pointers.as_ptr(),
            arena: workspace.arena.as_mut_ptr(),
            constants: self.constants.as_ptr(),
            kernels: self.code.kernels.as_ptr(),
            fork: frame::fork,
            gemm: frame::gemm,
            rand: frame::rand,
            mark: frame::mark,
            fault: &raw mut workspace.fault,
            poison: frame::poison,
            report,
            step: call.step,
            seed: call.seed,
            parallel,
            products: &self.products,
            rands: &self.tables.rands,
            profile: None,
        }
    }

    fn step(&self) -> StepFn {
        // SAFETY: it was compiled with this signature, and lives as long as `self`.
        unsafe { std::mem::transmute::<*const u8, StepFn>(self.code.step) }
    }

    /// # Safety
    /// `value` points to the first element of the external.
    unsafe fn is_finite(&self, at: usize, value: *const u8) -> bool {
        match (self.externals[at].elem, self.precision) {
            // SAFETY: by the contract.
            (Elem::Float, Precision::F32) => unsafe { value.cast::<f32>().read() }.is_finite(),
            // SAFETY: by the contract.
            (Elem::Float, Precision::F64) => unsafe { value.cast::<f64>().read() }.is_finite(),
            (Elem::Int | Elem::Bool, _) => true,
        }
    }
}

impl Workspace {
    /// Where an int has left 64 bits in the step before.
    fn overflow(&self) -> Option<Overflow> {
        (self.fault != 0).then(|| Overflow(self.fault as usize - 1))
    }
}

/// An external whose place is another one in each step.
enum Moving {
    Each { at: usize, start: *mut u8, step_bytes: usize },
    Rows { at: usize, column: *const u8, rows: usize, row_bytes: usize, batch: usize, target: *mut u8 },
}

impl Moving {
    /// Sets the pointer for step `number` of the series, gathering rows where they do not lie in order.
    fn place(&self, number: usize, rows: &Rows<'_>, pointers: &mut [*mut u8]) {
        match *self {
            // SAFETY: the tensor has room for each step.
            Moving::Each { at, start, step_bytes } => {
                pointers[at] = unsafe { start.add(number * step_bytes) }
            }
            Moving::Rows { at, column, rows: n_rows, row_bytes, batch, target } => {
                let copy = |from: usize, to: usize, count: usize| {
                    // SAFETY: the row numbers were checked; `target` has room for the batch.
                    unsafe {
                        let (from, to) = (column.add(from * row_bytes), target.add(to * row_bytes));
                        std::ptr::copy_nonoverlapping(from, to, count * row_bytes);
                    }
                };
                pointers[at] = target;
                match rows {
                    Rows::From(first) => {
                        let start = (first + number * batch) % n_rows;
                        if start + batch <= n_rows {
                            // SAFETY: the rows are within the column; inputs are never written.
                            pointers[at] = unsafe { column.add(start * row_bytes) }.cast_mut();
                            return;
                        }
                        for row in 0..batch {
                            copy((start + row) % n_rows, row, 1);
                        }
                    }
                    Rows::Order(order) => {
                        let order = &order[number * batch..(number + 1) * batch];
                        let start = order.first().map_or(0, |row| *row as usize);
                        if order.iter().copied().eq(start as u32..(start + batch) as u32) {
                            // SAFETY: the row numbers were checked; inputs are never written.
                            pointers[at] = unsafe { column.add(start * row_bytes) }.cast_mut();
                            return;
                        }
                        for (to, from) in order.iter().enumerate() {
                            copy(*from as usize, to, 1);
                        }
                    }
                }
            }
        }
    }
}

fn check_rows(series: &Series<'_>, batch: usize, rows: usize, name: &ExternalKey) -> Result<(), JitError> {
    if let Rows::Order(order) = series.rows {
        if order.len() < batch * series.steps {
            return Err(JitError::new(format!(
                "`{name}`: {} row numbers for {} steps",
                order.len(),
                series.steps
            )));
        }
        if let Some(row) = order[..batch * series.steps].iter().find(|row| **row as usize >= rows) {
            return Err(JitError::new(format!("`{name}` has {rows} rows, row {row} is asked for")));
        }
    }
    Ok(())
}

/// The constants of a module in memory.
fn constants(module: &Module) -> Result<Aligned, JitError> {
    let mut memory = Aligned::new(module.constant_bytes)?;
    let bytes = memory.bytes_mut();
    for constant in &module.constants {
        let mut at = constant.offset;
        let mut put = |it: &[u8]| {
            bytes[at..at + it.len()].copy_from_slice(it);
            at += it.len();
        };
        match (&constant.value.data, module.precision) {
            (ConstData::Float(values), Precision::F32) => {
                values.iter().for_each(|value| put(&(value.0 as f32).to_ne_bytes()));
            }
            (ConstData::Float(values), Precision::F64) => {
                values.iter().for_each(|value| put(&value.0.to_ne_bytes()));
            }
            (ConstData::Int(values), _) => {
                let is_narrow = |value: &i64| i32::try_from(*value).is_ok();
                if values.iter().all(is_narrow) {
                    values.iter().for_each(|value| put(&(*value as i32).to_ne_bytes()));
                } else {
                    values.iter().for_each(|value| put(&value.to_ne_bytes()));
                }
            }
            (ConstData::Bool(values), _) => values.iter().for_each(|value| put(&[u8::from(*value)])),
        }
    }
    Ok(memory)
}
