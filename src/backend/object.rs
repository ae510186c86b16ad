//! What a back end of machine code needs to know to make an object file: functions that a linker puts into other
//! programs.

use crate::loops::VerifiedModule;

/// Where a function finds a tensor of its caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// At the address that is its parameter with this number; 0 is the memory to work in.
    Parameter(usize),
    /// Among the constants of the object, by number.
    Constant(usize),
}

/// A function of an object file: `int SYMBOL(void *memory, …)`. It gives 0, or 1 if an int has left 64 bits.
pub struct Function<'a> {
    pub symbol: String,
    pub module: &'a VerifiedModule,
    /// Of each external of the module.
    pub sources: Vec<Source>,
    /// All parameters, the memory included.
    pub parameters: usize,
}

/// All that an object file holds.
pub struct Object<'a> {
    pub name: String,
    pub functions: Vec<Function<'a>>,
    /// Constants as they lie in memory.
    pub constants: Vec<Vec<u8>>,
}

/// Bytes of memory that a function needs: its address need not be aligned.
pub fn memory_bytes(module: &VerifiedModule) -> usize {
    module.arena_bytes + ALIGNMENT - 1
}

/// Of memory and constants.
pub const ALIGNMENT: usize = 64;
