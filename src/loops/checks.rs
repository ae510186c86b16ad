//! Bounds checks (checked code): before every access of a kernel stands a check that its first and its last lane lie
//! in their buffer.
//!
//! The checks are put into finished kernels, so they see what all passes before have made of an address, and both
//! code generators get them. [`super::verify`] makes sure that none is missing.

use super::LoopError;
use super::ir::*;
use super::params::Params;
use crate::plan::Name;

/// Checks all accesses of a kernel. Its last parameter is the one where failures are reported.
pub fn insert(
    kernel: &mut Kernel,
    params: &Params<'_>,
    name: &Name,
    sites: &mut Vec<Site>,
) -> Result<(), LoopError> {
    let report = kernel.params.len() as u32;
    kernel.params.push(Param { kind: Kind::I64, written: true, piece_stride: 0 });
    let extents: Vec<Extent> = params.extents_in_elements(&kernel.steps)?;
    let mut checks = Inserter { elements: extents.iter().map(|extent| extent.elements).collect(), name, sites };
    let body = std::mem::take(&mut kernel.body);
    kernel.body = checks.block(body, &kernel.types)?;
    kernel.checks = Some(Checks { report, extents });
    Ok(())
}

struct Inserter<'a> {
    elements: Vec<i64>,
    name: &'a Name,
    sites: &'a mut Vec<Site>,
}

impl Inserter<'_> {
    fn block(&mut self, block: Vec<Stmt>, types: &[Ty]) -> Result<Vec<Stmt>, LoopError> {
        let mut made: Vec<Stmt> = Vec::with_capacity(2 * block.len());
        // The accesses that this block has checked already.
        let mut known: Vec<(Address, u8)> = Vec::new();
        for mut stmt in block {
            match &mut stmt {
                Stmt::Let(value, Expr::Load(address)) => {
                    let lanes = types[value.0 as usize].lanes;
                    self.check(address, lanes, false, &mut known, &mut made)?;
                }
                Stmt::Let(_, Expr::Gather(addresses)) => {
                    for address in addresses {
                        self.check(address, 1, false, &mut known, &mut made)?;
                    }
                }
                Stmt::Store { address, value } => {
                    let lanes = types[value.0 as usize].lanes;
                    self.check(address, lanes, true, &mut known, &mut made)?;
                }
                Stmt::For(inner) => inner.body = self.block(std::mem::take(&mut inner.body), types)?,
                Stmt::If { then, .. } => *then = self.block(std::mem::take(then), types)?,
                Stmt::Let(..) | Stmt::Check { .. } => {}
            }
            made.push(stmt);
        }
        Ok(made)
    }

    fn check(
        &mut self,
        address: &Address,
        lanes: u8,
        writes: bool,
        known: &mut Vec<(Address, u8)>,
        into: &mut Vec<Stmt>,
    ) -> Result<(), LoopError> {
        let checked = (address.clone(), lanes);
        if known.contains(&checked) {
            return Ok(());
        }
        let what = if writes { "write" } else { "read" };
        let access = match lanes {
            1 => format!("a {what} of {address}"),
            _ => format!("a {what} of {lanes} elements from {address} on"),
        };
        let elements = self.elements.get(address.param as usize).copied();
        let elements = elements.ok_or_else(|| LoopError(format!("{address} is in no buffer")))?;
        self.sites.push(Site { kernel: self.name.clone(), access, elements });
        // Numbers begin with 1: 0 means that no check has failed.
        into.push(Stmt::Check { address: address.clone(), lanes, site: self.sites.len() as u32 });
        known.push(checked);
        Ok(())
    }
}
