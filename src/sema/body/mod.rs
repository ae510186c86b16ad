//! The third room of elaboration: bodies.

pub mod arguments;
pub mod call;
pub mod data_table;
mod declared;
pub mod elaborator;
pub mod expr;
pub mod fields;
pub mod free;
pub mod index;
pub mod instance;
pub mod names;
pub mod numbers;
pub mod parameter_sets;
pub mod other_arguments;
mod parameters;
pub mod requirements;
pub mod results;
pub mod roles;
pub mod scan;
pub mod signature;
pub mod special;
pub mod statement;
pub mod subscript;
pub mod trials;
pub mod uncalled;
mod unknown;
