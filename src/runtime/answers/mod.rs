//! Predictions for rows that a program was not trained on.
//!
//! | file | does |
//! |---|---|
//! | [`asked`] | which results are meant, and the fields that they need |
//! | [`meaning`] | what they mean, by the loss |
//! | [`rows`] | these fields, of new rows |
//! | `code` | code that is called again and again |
//! | [`predictor`] | results |
//! | `undo` | numbers in the units of the file |
//! | [`trained`] | a program with its parameters, aimed at a new file |

pub mod asked;
mod code;
pub mod deployed;
pub mod described;
pub mod meaning;
pub mod predictor;
pub mod rows;
pub mod trained;
mod undo;
