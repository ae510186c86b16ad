//! Random programs, mutated texts and files, and everything that can be asked of them.

pub mod case;
pub mod derivatives;
pub mod disk;
pub mod drive;
pub mod dual;
pub mod files;
pub mod make;
pub mod mutate;
pub mod oracle;
pub mod random;
pub mod shrink;
pub mod texts;
pub mod training;
pub mod tree;
