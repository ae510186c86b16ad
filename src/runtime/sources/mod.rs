//! Readers of data files, and the reader and writer of checkpoints.
//!
//! | file | reads |
//! |---|---|
//! | [`csv`] | tables of numbers and names as text |
//! | [`idx`] | the format of the MNIST files |
//! | [`images`] | folders of PNG and JPEG files |
//! | [`npy`], [`npz`] | NumPy's arrays, alone and in archives |
//! | [`safetensors`] | named arrays, the format of checkpoints |
//! | [`text`] | a text as class numbers of characters, and windows over it |
//!
//! Arrays come as [`stored::StoredArray`]: where they lie in a file. They can be loaded at once or
//! read by rows; plain files are read when rows are needed, so they may be larger than memory. Whatever a file holds,
//! a reader gives its contents or a diagnostic that names file, expectation and finding.

pub mod checkpoint;
pub mod csv;
pub mod file;
pub mod idx;
pub mod images;
pub mod npy;
pub mod npz;
mod folders;
#[cfg(feature = "formats")]
mod packed;
mod resize;
pub mod safetensors;
pub mod stored;
pub mod text;

#[cfg(test)]
mod damage;
