//! Facts about compiled code that are known without running it.

use super::{Binding, CodeError, Fault, Overflow, Series, bindings};
use crate::ir::program::Precision;
use crate::ir::{ConstData, Elem};
use crate::loops::{Base, BasePlace, Constant, Item, Module, Site, VerifiedModule};
use crate::plan::{External, Name, elem_bytes};

/// What the code of a module works on, and what its reports mean.
#[derive(Clone, Debug)]
pub struct Facts {
    pub externals: Vec<External>,
    pub precision: Precision,
    /// Bytes of temporaries that a call needs.
    pub arena_bytes: usize,
    /// The items of a step in the order in which they are counted when code is watched.
    pub names: Vec<Name>,
    /// For each of these items, the results that nothing changes any more when it is done.
    finished: Vec<Vec<u32>>,
    /// The kernels that test whether an int leaves 64 bits.
    sites: Vec<Name>,
    /// What checks are about; none if accesses are not checked.
    accesses: Vec<Site>,
    /// Whether accesses are checked, and memory unusable before it is written.
    pub checked: bool,
}

impl Facts {
    pub fn of(module: &VerifiedModule) -> Facts {
        let mut names = Vec::new();
        names_of(&module.items, &mut names);
        let finished = finished(module, names.len());
        Facts {
            externals: module.externals.clone(),
            precision: module.precision,
            arena_bytes: module.arena_bytes,
            names,
            finished,
            sites: module.sites.clone(),
            accesses: module.accesses.clone(),
            checked: module.checked,
        }
    }

    /// The kernel in which an int has left 64 bits.
    pub fn place_of(&self, overflow: Overflow) -> Name {
        self.sites.get(overflow.0).cloned().unwrap_or_default()
    }

    /// The results that nothing changes any more when an item is done. Some are in the list of no item.
    #[cfg(feature = "native")]
    pub(super) fn finished_by(&self, item: usize) -> &[u32] {
        self.finished.get(item).map_or(&[], Vec::as_slice)
    }

    /// The item by which a result is finished; none if that is not known before the end.
    pub fn finished_at(&self, external: usize) -> Option<usize> {
        self.finished.iter().position(|results| results.contains(&(external as u32)))
    }

    /// The bytes of an element of an external.
    pub fn elem_bytes(&self, at: usize) -> usize {
        let external = &self.externals[at];
        elem_bytes(external.elem, external.wide, self.precision)
    }

    /// The bytes of an external, as code works on it.
    pub fn external_bytes(&self, at: usize) -> usize {
        self.externals[at].shape.iter().product::<usize>() * self.elem_bytes(at)
    }

    /// The check that failed in a step, if one did: its number, counted from 1, and the element that it found.
    ///
    /// # Errors
    /// The access that was stopped.
    pub(super) fn report(&self, [number, element]: [u64; 2]) -> Result<(), CodeError> {
        let Some(at) = (number as usize).checked_sub(1) else { return Ok(()) };
        match self.accesses.get(at) {
            Some(site) => Err(Fault { site: site.clone(), element: element as i64 }.into()),
            None => Err(CodeError::internal(format!("check {number} failed, which does not exist"))),
        }
    }

    /// Checks that what is given is of the types of the externals, and large enough for a series.
    ///
    /// # Errors
    /// What does not fit.
    pub(super) fn check(&self, bindings: &[Binding<'_>], series: &Series<'_>) -> Result<(), CodeError> {
        if bindings.len() != self.externals.len() {
            let (given, wanted) = (bindings.len(), self.externals.len());
            return Err(CodeError::new(format!("{wanted} tensors are needed, {given} are given")));
        }
        for (external, binding) in self.externals.iter().zip(bindings) {
            bindings::check(external, binding, self.precision, series)?;
        }
        match series.watched.iter().find(|at| !matches!(bindings.get(**at), Some(Binding::Each(_)))) {
            Some(at) => Err(CodeError::new(format!("external {at} cannot be watched"))),
            None => Ok(()),
        }
    }
}

fn names_of(items: &[Item], names: &mut Vec<Name>) {
    for item in items {
        match item {
            Item::Call(call) => names.push(call.name.clone()),
            Item::Gemm(gemm) => names.push(gemm.name.clone()),
            Item::Rand(rand) => names.push(rand.name.clone()),
            Item::Scan { items, .. } => names_of(items, names),
            Item::Poison { .. } => {}
        }
    }
}

/// For each of so many items, the results whose last writer it is. Where that is in a scan, it is the item behind the
/// scan: the scan is over then.
fn finished(module: &Module, items: usize) -> Vec<Vec<u32>> {
    let mut last = vec![None; module.externals.len()];
    let mut next = 0;
    for item in &module.items {
        let mut written = Vec::new();
        let counted = writes_of(module, item, &mut written);
        next += counted;
        let done = if matches!(item, Item::Scan { .. }) { next } else { next.saturating_sub(1) };
        written.into_iter().for_each(|external| last[external as usize] = Some(done));
    }
    let mut finished = vec![Vec::new(); items];
    for (at, external) in module.externals.iter().enumerate().filter(|(_, external)| external.is_result()) {
        let place = last[at].and_then(|item: usize| finished.get_mut(item));
        if let Some(results) = place.filter(|_| !external.shape.contains(&0)) {
            results.push(at as u32);
        }
    }
    finished
}

/// The externals that an item writes to; gives how many items it counts as.
fn writes_of(module: &Module, item: &Item, written: &mut Vec<u32>) -> usize {
    let mut note = |base: &Base| {
        if let BasePlace::External(external) = base.place {
            written.push(external);
        }
    };
    match item {
        Item::Call(call) => {
            let params = module.kernels.get(call.kernel.0 as usize).map_or(&[][..], |kernel| &kernel.params);
            let bases = call.bases.iter().zip(params).filter(|(_, param)| param.written);
            bases.for_each(|(base, _)| note(base));
        }
        Item::Gemm(gemm) => note(&gemm.bases[2]),
        Item::Rand(rand) => note(&rand.base),
        Item::Poison { base, .. } => {
            note(base);
            return 0;
        }
        Item::Scan { items, .. } => return items.iter().map(|item| writes_of(module, item, written)).sum(),
    }
    1
}

/// Puts the constants of a module into memory of `constant_bytes`.
///
/// # Errors
/// If one does not fit there.
pub fn write_constants(module: &Module, memory: &mut [u8]) -> Result<(), CodeError> {
    for constant in &module.constants {
        let bytes = constant_bytes(constant, module.precision);
        let target = memory.get_mut(constant.offset..constant.offset + bytes.len());
        let target = target.ok_or_else(|| CodeError::internal("a constant lies beyond its memory"))?;
        target.copy_from_slice(&bytes);
    }
    Ok(())
}

fn constant_bytes(constant: &Constant, precision: Precision) -> Vec<u8> {
    match (&constant.value.data, precision) {
        (ConstData::Float(values), Precision::F32) => {
            values.iter().flat_map(|value| (value.0 as f32).to_ne_bytes()).collect()
        }
        (ConstData::Float(values), Precision::F64) => {
            values.iter().flat_map(|value| value.0.to_ne_bytes()).collect()
        }
        (ConstData::Int(values), _) => {
            if values.iter().all(|value| i32::try_from(*value).is_ok()) {
                values.iter().flat_map(|value| (*value as i32).to_ne_bytes()).collect()
            } else {
                values.iter().flat_map(|value| value.to_ne_bytes()).collect()
            }
        }
        (ConstData::Bool(values), _) => values.iter().map(|value| u8::from(*value)).collect(),
    }
}

/// Whether a value that is watched is finite: the first element of an external.
pub(super) fn is_finite(elem: Elem, precision: Precision, first: &[u8]) -> bool {
    match (elem, precision) {
        (Elem::Float, Precision::F32) => {
            first.first_chunk().is_none_or(|bytes| f32::from_ne_bytes(*bytes).is_finite())
        }
        (Elem::Float, Precision::F64) => {
            first.first_chunk().is_none_or(|bytes| f64::from_ne_bytes(*bytes).is_finite())
        }
        (Elem::Int | Elem::Bool, _) => true,
    }
}
