//! Memory that can be had. A system promises more than it has and ends the process later, so what needs much
//! asks here first and is refused with the sizes, before anything is allocated.

use crate::base::order::PutInOrder;
use crate::base::Diagnostic;
use super::report::programs::MemoryError;

/// Less than this is not asked for: finding out costs more than it is worth.
const SMALL: u64 = 1 << 24;

/// How much more memory this process can have, and what sets the limit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Room {
    pub bytes: u64,
    pub limit: &'static str,
}

/// Memory that is needed at the same time, item by item.
#[derive(Clone, Default, Debug)]
pub struct Need {
    items: Vec<(String, u64)>,
}

impl Need {
    /// One item.
    pub fn of(what: impl Into<String>, bytes: u64) -> Need {
        Need::default().and(what, bytes)
    }

    #[must_use]
    pub fn and(mut self, what: impl Into<String>, bytes: u64) -> Need {
        self.items.push((what.into(), bytes));
        self
    }

    pub fn total(&self) -> u64 {
        self.items.iter().fold(0, |sum, (_, bytes)| sum.saturating_add(*bytes))
    }

    /// # Errors
    /// E0734, with the sizes, if there is not so much.
    pub fn check(&self) -> Result<(), Diagnostic> {
        if self.total() < SMALL {
            return Ok(());
        }
        match room() {
            Some(room) if room.bytes < self.total() => Err(self.refused(&room).into()),
            Some(_) | None => Ok(()),
        }
    }

    fn refused(&self, room: &Room) -> MemoryError {
        let mut items = self.items.clone();
        items.put_in_order_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        MemoryError::Refused { items, room: room.bytes, limit: room.limit }
    }
}

/// The error for an allocation that failed although there seemed to be room.
pub fn exhausted(what: &str, bytes: u64) -> Diagnostic {
    MemoryError::Exhausted { what: what.to_owned(), bytes }.into()
}

/// The bytes of so many elements; as many as there are at most if it does not fit into the number.
pub fn bytes_of(shape: &[usize], size: usize) -> u64 {
    let sizes = shape.iter().chain(std::iter::once(&size));
    if shape.contains(&0) {
        return 0;
    }
    sizes.fold(1, |product: u64, size| product.saturating_mul(*size as u64))
}

/// Room for `count` values, which are not there yet.
///
/// # Errors
/// E0734.
pub fn vector<T>(count: usize, what: &str) -> Result<Vec<T>, Diagnostic> {
    let bytes = (count as u64).saturating_mul(size_of::<T>() as u64);
    Need::of(what, bytes).check()?;
    let mut values = Vec::new();
    let reserved = fallible(|| values.try_reserve_exact(count));
    reserved.map_err(|_| exhausted(what, bytes))?;
    Ok(values)
}

/// `count` zeros, falses or what else is the default.
///
/// # Errors
/// E0734.
pub fn filled<T: Clone + Default>(count: usize, what: &str) -> Result<Vec<T>, Diagnostic> {
    let mut values = vector(count, what)?;
    values.resize(count, T::default());
    Ok(values)
}

/// `3.4 MB`, `102 GB`
pub fn size_text(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["bytes", "KB", "MB", "GB"] {
        if value < 1000.0 {
            let digits = if unit == "bytes" || value >= 100.0 { 0 } else { 1 };
            return format!("{value:.digits$} {unit}");
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

/// How much more memory this process can have; none if nothing tells.
pub fn room() -> Option<Room> {
    #[cfg(feature = "system")]
    return super::world::native::room::room();
    #[cfg(not(feature = "system"))]
    return None;
}

/// Carries out `work`, in which allocations may fail: it is told, and the process goes on.
pub fn fallible<T>(work: impl FnOnce() -> T) -> T {
    #[cfg(feature = "system")]
    return super::kernels::allocations::fallible(work);
    #[cfg(not(feature = "system"))]
    return work();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "system")]
    #[test]
    fn what_cannot_be_had_is_refused_with_its_sizes() {
        let need = Need::of("the parameters", 1 << 60).and("the batch", 3_000_000);
        let error = need.check().unwrap_err();
        assert_eq!(error.code, "E0734");
        assert!(error.message.starts_with("1152921.5 TB of memory are needed, and "), "{}", error.message);
        assert_eq!(error.notes[..2], ["1152921.5 TB for the parameters", "3.0 MB for the batch"]);
        assert!(error.notes[2].starts_with("the limit is "));
        assert!(Need::of("little", 1 << 20).check().is_ok());
        assert_eq!(vector::<u64>(usize::MAX / 8, "rows").unwrap_err().code, "E0734");
        assert_eq!(filled::<u8>(3, "rows").unwrap(), [0; 3]);
    }

    #[test]
    fn sizes_are_told_with_three_digits() {
        assert_eq!((size_text(999), size_text(123_456_789)), ("999 bytes".into(), "123 MB".into()));
        assert_eq!((bytes_of(&[3, 0], 4), bytes_of(&[usize::MAX, 2], 4)), (0, u64::MAX));
    }
}
