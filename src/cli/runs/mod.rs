//! Folders of runs: what `nnc run` keeps, and the commands that use it.
//!
//! | file | is about |
//! |---|---|
//! | [`record`] | the folder while the run is at work |
//! | [`metrics`], `tfevents` | a row an epoch, as a table and for TensorBoard |
//! | `sha256` | checksums of files |
//! | [`again`] | `nnc resume`, `nnc rerun` |
//! | [`list`] | `nnc runs` |

pub mod again;
pub mod list;
pub mod metrics;
pub mod record;
mod sha256;
mod tfevents;
