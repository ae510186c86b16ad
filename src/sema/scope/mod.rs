//! The first room of elaboration: names, and what is told.

pub mod context;
pub mod frames;
pub mod limits;
pub mod module;
pub mod prelude;
pub mod recursion;
pub mod report;
