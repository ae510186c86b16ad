//! Arrays where they lie in a file: loaded at once, or read by rows when they are needed.

use crate::base::Diagnostic;
use crate::runtime::array::{Array, Elements, element_count, whole_number};
use crate::runtime::report::arrays::ArrayError;

use super::file::FileBytes;
use crate::runtime::room;

/// A type of elements as files have it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoredType {
    F16,
    Bf16,
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    Bool,
}

/// The order of the axes in a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AxisOrder {
    /// The last index runs fastest.
    RowMajor,
    /// The first index runs fastest (Fortran's order).
    ColumnMajor,
}

/// So many elements are read at a time.
const PIECE: usize = 1 << 18;

/// An array in a file.
#[derive(Clone, Debug)]
pub struct StoredArray {
    /// As messages call it: ``tensor `w` of `a.safetensors` ``.
    name: String,
    bytes: FileBytes,
    shape: Vec<usize>,
    layout: Layout,
}

/// How the elements of a [`StoredArray`] are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    pub element: StoredType,
    pub big_endian: bool,
    pub order: AxisOrder,
}

/// A type into which stored elements are read.
pub trait Number: Copy + Default + sealed::Sealed {
    const NAME: &'static str;
    fn from_f64(value: f64) -> Option<Self>;
    fn from_i64(value: i64) -> Option<Self>;

    fn from_f32(value: f32) -> Option<Self> {
        Self::from_f64(f64::from(value))
    }
}

impl StoredType {
    /// Whether it has whole numbers that 32 bits do not hold.
    pub fn is_long(self) -> bool {
        match self {
            StoredType::U32 | StoredType::I64 | StoredType::U64 | StoredType::F32 | StoredType::F64 => true,
            StoredType::F16 | StoredType::Bf16 | StoredType::Bool => false,
            StoredType::I8 | StoredType::I16 | StoredType::I32 | StoredType::U8 | StoredType::U16 => false,
        }
    }

    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            StoredType::I8 | StoredType::U8 | StoredType::Bool => 1,
            StoredType::F16 | StoredType::Bf16 | StoredType::I16 | StoredType::U16 => 2,
            StoredType::F32 | StoredType::I32 | StoredType::U32 => 4,
            StoredType::F64 | StoredType::I64 | StoredType::U64 => 8,
        }
    }
}

impl StoredArray {
    /// Errors: E0703 if `bytes` are not as many as the shape needs.
    pub(in crate::runtime) fn new(
        name: String,
        bytes: FileBytes,
        shape: Vec<usize>,
        layout: Layout,
    ) -> Result<StoredArray, Diagnostic> {
        let needed = element_count(&shape).and_then(|count| count.checked_mul(layout.element.size()));
        let found = bytes.length();
        if needed == Some(found) {
            return Ok(StoredArray { name, bytes, shape, layout });
        }
        Err(ArrayError::Length { name, shape, needed, found }.into())
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    pub fn element(&self) -> StoredType {
        self.layout.element
    }

    /// The size of the first axis; 1 for a scalar.
    pub fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    /// The number of elements of one row.
    pub fn row_len(&self) -> usize {
        element_count(self.shape.get(1..).unwrap_or(&[])).unwrap_or(0)
    }

    /// All elements: floats of 16 bits become 32-bit ones, ints other than bytes 32-bit
    /// ones, or 64-bit ones if 32 bits do not hold all.
    ///
    /// Errors: E0712 if an int does not fit.
    pub fn load(&self) -> Result<Array, Diagnostic> {
        let elements = match self.layout.element {
            StoredType::F16 | StoredType::Bf16 | StoredType::F32 => Elements::F32(self.load_as()?),
            StoredType::F64 => Elements::F64(self.load_as()?),
            StoredType::I8 | StoredType::I16 | StoredType::I32 | StoredType::U16 => {
                Elements::I32(self.load_as()?)
            }
            StoredType::I64 | StoredType::U32 | StoredType::U64 => {
                let whole = Array::whole(self.shape.clone(), self.load_as()?);
                return whole.map_err(|_| self.has_more_elements());
            }
            StoredType::U8 => Elements::U8(self.load_as()?),
            StoredType::Bool => {
                Elements::Bool(self.load_as::<u8>()?.into_iter().map(|byte| byte != 0).collect())
            }
        };
        Array::new(self.shape.clone(), elements).map_err(|_| self.has_more_elements())
    }

    fn has_more_elements(&self) -> Diagnostic {
        ArrayError::HasMore { name: self.name.clone() }.into()
    }

    /// All elements as `T`, first row first.
    ///
    /// Errors: E0712 if one does not fit `T`.
    pub fn load_as<T: Number>(&self) -> Result<Vec<T>, Diagnostic> {
        let size = self.layout.element.size();
        let mut values = room::filled(self.bytes.length() / size, &self.name)?;
        if self.layout.order == AxisOrder::ColumnMajor {
            self.read_rows(0..self.rows(), &mut values)?;
            return Ok(values);
        }
        for (number, piece) in values.chunks_mut(PIECE).enumerate() {
            let start = number * PIECE;
            let bytes = self.bytes.read(start * size..(start + piece.len()) * size)?;
            decode(&bytes, self.layout, piece).map_err(|bad| {
                let (at, row_len) = (start + bad.at, self.row_len().max(1));
                self.does_not_fit::<T>(at / row_len, BadElement { at: at % row_len, ..bad })
            })?;
        }
        Ok(values)
    }

    /// Reads rows, in whatever order they are asked for, one after the other into `out`.
    ///
    /// Errors: E0701 if the file cannot be read any more, E0712 if an element does not fit `T`.
    ///
    /// # Panics
    ///
    /// If a row is not below [`StoredArray::rows`] or `out` has not [`StoredArray::row_len`] places
    /// for each row.
    pub fn read_rows<T: Number>(
        &self,
        rows: impl IntoIterator<Item = usize>,
        out: &mut [T],
    ) -> Result<(), Diagnostic> {
        let row_len = self.row_len();
        if out.is_empty() || row_len == 0 {
            return Ok(());
        }
        let row_bytes = row_len * self.layout.element.size();
        let all = match self.layout.order {
            AxisOrder::RowMajor => None,
            AxisOrder::ColumnMajor => Some(self.bytes.all()?),
        };
        let mut places = out.chunks_exact_mut(row_len);
        for row in rows {
            let place = places.next().expect("a place for every row");
            let read = match &all {
                Some(all) => self.gather_row(all, row, place),
                None => decode(&self.bytes.read(row * row_bytes..(row + 1) * row_bytes)?, self.layout, place),
            };
            read.map_err(|bad| self.does_not_fit::<T>(row, bad))?;
        }
        Ok(())
    }

    /// As [`StoredArray::read_rows`], without making the file part of this process's memory.
    ///
    /// Errors: E0701 if the file cannot be read any more, E0712.
    pub fn fetch_rows<T: Number>(&self, rows: &[u32], out: &mut [T]) -> Result<(), Diagnostic> {
        let row_len = self.row_len();
        if self.layout.order == AxisOrder::ColumnMajor || row_len == 0 {
            return self.read_rows(rows.iter().map(|row| *row as usize), out);
        }
        let mut bytes = vec![0; row_len * self.layout.element.size()];
        for (row, place) in rows.iter().zip(out.chunks_exact_mut(row_len)) {
            let row = *row as usize;
            let read = self.bytes.read_at(row * bytes.len(), &mut bytes);
            read.map_err(|error| error.note(format!("row {row} of {} was to be read", self.name)))?;
            decode(&bytes, self.layout, place).map_err(|bad| self.does_not_fit::<T>(row, bad))?;
        }
        Ok(())
    }

    /// Whether the elements lie on the disk, row by row.
    pub fn is_on_disk(&self) -> bool {
        self.bytes.is_on_disk() && self.layout.order == AxisOrder::RowMajor
    }

    /// A row whose elements lie apart: index (row, j, k, …) is at row + rows * (j + size(j) * (k + …)).
    fn gather_row<T: Number>(&self, all: &[u8], row: usize, out: &mut [T]) -> Result<(), BadElement> {
        let size = self.layout.element.size();
        let mut index = vec![0; self.shape.len()];
        for (at, place) in out.iter_mut().enumerate() {
            let inner = (1..self.shape.len()).rev().fold(0, |sum, axis| sum * self.shape[axis] + index[axis]);
            let from = (row + self.rows() * inner) * size;
            decode(&all[from..from + size], self.layout, std::slice::from_mut(place))
                .map_err(|bad| BadElement { at, ..bad })?;
            for axis in (1..self.shape.len()).rev() {
                index[axis] += 1;
                if index[axis] < self.shape[axis] {
                    break;
                }
                index[axis] = 0;
            }
        }
        Ok(())
    }

    fn does_not_fit<T: Number>(&self, row: usize, bad: BadElement) -> Diagnostic {
        let mut index = vec![row];
        let mut rest = bad.at;
        for axis in (1..self.shape.len()).rev() {
            index.insert(1, rest % self.shape[axis]);
            rest /= self.shape[axis];
        }
        let at = (!self.shape.is_empty()).then_some(index);
        ArrayError::Unfit { name: self.name.clone(), value: bad.value, at, wanted: T::NAME }.into()
    }
}

/// An element that cannot be represented, and its place in what was decoded.
struct BadElement {
    at: usize,
    value: String,
}

/// Decodes elements that lie side by side.
fn decode<T: Number>(bytes: &[u8], layout: Layout, out: &mut [T]) -> Result<(), BadElement> {
    // One loop for each type, so that the compiler can make the usual ones into a copy.
    macro_rules! each {
        ($type:ty, $value:ident => $convert:expr) => {{
            for (at, (chunk, place)) in bytes.chunks_exact(size_of::<$type>()).zip(out).enumerate() {
                let mut raw = [0; size_of::<$type>()];
                raw.copy_from_slice(chunk);
                let $value =
                    if layout.big_endian { <$type>::from_be_bytes(raw) } else { <$type>::from_le_bytes(raw) };
                *place = match $convert {
                    Some(value) => value,
                    None => return Err(BadElement { at, value: $value.to_string() }),
                };
            }
        }};
    }
    match layout.element {
        StoredType::F16 => each!(u16, bits => T::from_f64(half_to_f64(bits))),
        StoredType::Bf16 => each!(u16, bits => T::from_f32(f32::from_bits(u32::from(bits) << 16))),
        StoredType::F32 => each!(f32, value => T::from_f32(value)),
        StoredType::F64 => each!(f64, value => T::from_f64(value)),
        StoredType::I8 => each!(i8, value => T::from_i64(i64::from(value))),
        StoredType::I16 => each!(i16, value => T::from_i64(i64::from(value))),
        StoredType::I32 => each!(i32, value => T::from_i64(i64::from(value))),
        StoredType::I64 => each!(i64, value => T::from_i64(value)),
        StoredType::U8 => each!(u8, value => T::from_i64(i64::from(value))),
        StoredType::U16 => each!(u16, value => T::from_i64(i64::from(value))),
        StoredType::U32 => each!(u32, value => T::from_i64(i64::from(value))),
        StoredType::U64 => each!(u64, value => i64::try_from(value).ok().and_then(T::from_i64)),
        StoredType::Bool => each!(u8, value => T::from_i64(i64::from(value != 0))),
    }
    Ok(())
}

/// IEEE 754 binary16: one sign bit, five bits of exponent, ten of fraction.
fn half_to_f64(bits: u16) -> f64 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    match exponent {
        0 => sign * fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => sign * f64::INFINITY,
        31 => f64::NAN,
        _ => sign * (1024.0 + fraction) * 2f64.powi(exponent - 25),
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
    impl Sealed for i32 {}
    impl Sealed for i64 {}
    impl Sealed for u8 {}
}

impl Number for f32 {
    const NAME: &'static str = "a 32-bit float";

    fn from_f64(value: f64) -> Option<f32> {
        let narrow = value as f32;
        (narrow.is_finite() || !value.is_finite()).then_some(narrow)
    }

    fn from_i64(value: i64) -> Option<f32> {
        Some(value as f32)
    }

    fn from_f32(value: f32) -> Option<f32> {
        Some(value)
    }
}

impl Number for f64 {
    const NAME: &'static str = "a 64-bit float";

    fn from_f64(value: f64) -> Option<f64> {
        Some(value)
    }

    fn from_i64(value: i64) -> Option<f64> {
        Some(value as f64)
    }
}

impl Number for i32 {
    const NAME: &'static str = "a whole number of 32 bits";

    fn from_f64(value: f64) -> Option<i32> {
        whole_number(value).and_then(|number| i32::try_from(number).ok())
    }

    fn from_i64(value: i64) -> Option<i32> {
        i32::try_from(value).ok()
    }
}

impl Number for i64 {
    const NAME: &'static str = "a whole number of 64 bits";

    fn from_f64(value: f64) -> Option<i64> {
        whole_number(value)
    }

    fn from_i64(value: i64) -> Option<i64> {
        Some(value)
    }
}

impl Number for u8 {
    const NAME: &'static str = "a whole number from 0 to 255";

    fn from_f64(value: f64) -> Option<u8> {
        whole_number(value).and_then(|number| u8::try_from(number).ok())
    }

    fn from_i64(value: i64) -> Option<u8> {
        u8::try_from(value).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(shape: &[usize], bytes: Vec<u8>, element: StoredType, order: AxisOrder) -> StoredArray {
        let layout = Layout { element, big_endian: false, order };
        StoredArray::new("`a`".to_owned(), FileBytes::owned(bytes), shape.to_vec(), layout).unwrap()
    }

    #[test]
    fn halves() {
        let cases =
            [(0x0000, 0.0), (0x3c00, 1.0), (0xc000, -2.0), (0x7bff, 65504.0), (0x0001, 5.960464477539063e-8)];
        for (bits, value) in cases {
            assert_eq!(half_to_f64(bits), value);
        }
        assert_eq!(half_to_f64(0x7c00), f64::INFINITY);
        assert!(half_to_f64(0x7e00).is_nan());
    }

    #[test]
    fn column_major_rows_are_gathered() {
        // a[i, j, k] = 100 i + 10 j + k, shape [2, 3, 2], first index fastest.
        let mut bytes = Vec::new();
        for k in 0..2u8 {
            for j in 0..3u8 {
                for i in 0..2u8 {
                    bytes.push(100 * i + 10 * j + k);
                }
            }
        }
        let array = stored(&[2, 3, 2], bytes, StoredType::U8, AxisOrder::ColumnMajor);
        let expected = vec![0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121];
        assert_eq!(array.load().unwrap().elements(), &Elements::U8(expected));
        let mut row = [0f32; 6];
        array.read_rows([1], &mut row).unwrap();
        assert_eq!(row, [100.0, 101.0, 110.0, 111.0, 120.0, 121.0]);
    }

    #[test]
    fn rows_in_any_order() {
        let bytes = (0..6i32).flat_map(i32::to_le_bytes).collect();
        let array = stored(&[3, 2], bytes, StoredType::I32, AxisOrder::RowMajor);
        let mut rows = [0f64; 6];
        array.read_rows([2, 0, 2], &mut rows).unwrap();
        assert_eq!(rows, [4.0, 5.0, 0.0, 1.0, 4.0, 5.0]);
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_place() {
        let bytes = [1i64, 2, 3, 1 << 40].into_iter().flat_map(i64::to_le_bytes).collect();
        let long = stored(&[2, 2], bytes, StoredType::I64, AxisOrder::RowMajor);
        assert_eq!(long.load().unwrap().elements(), &Elements::I64(vec![1, 2, 3, 1 << 40]));
        let error = long.load_as::<i32>().unwrap_err();
        assert_eq!(error.code, "E0712");
        assert_eq!(error.message, "`a` has 1099511627776 at [1, 1], which is not a whole number of 32 bits");
        let bytes = [1.0f32, 0.5].into_iter().flat_map(f32::to_le_bytes).collect();
        let error = stored(&[2], bytes, StoredType::F32, AxisOrder::RowMajor).load_as::<i32>().unwrap_err();
        assert_eq!(error.message, "`a` has 0.5 at [1], which is not a whole number of 32 bits");
    }

    #[test]
    fn sizes_must_agree() {
        let layout = Layout { element: StoredType::F32, big_endian: false, order: AxisOrder::RowMajor };
        let array = |shape: Vec<usize>| {
            StoredArray::new("`a`".to_owned(), FileBytes::owned(vec![0; 12]), shape, layout)
        };
        assert!(array(vec![3]).is_ok());
        assert_eq!(array(vec![2, 2]).unwrap_err().code, "E0703");
        assert_eq!(array(vec![usize::MAX, usize::MAX]).unwrap_err().code, "E0703");
        assert_eq!(array(vec![0, usize::MAX]).unwrap_err().code, "E0703");
    }
}
