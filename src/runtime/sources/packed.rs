//! How much packed data can hold. Headers may declare any size, so what a declared size asks for is compared with
//! the bytes that are there before memory is allocated for it.

use crate::runtime::room::size_text;

/// Deflate unpacks a byte to this many at most: the longest repetition gives 258 bytes, and takes two bits at least.
pub const DEFLATE: u128 = 1032;

/// A JPEG file has this many pixels in a byte at most: a block of 8 × 8 samples takes one bit at least, and a sample
/// of a channel stands for two pixels in the mean at most, as the factors of the channels (up to 4 × 1 and 1 × 4)
/// can have it.
pub const JPEG: u128 = 8 * 64 * 2;

/// Compares what a header declares with what `packed` bytes can hold, `times` as much as they are; `unit` is what is
/// counted.
///
/// # Errors
/// What is declared and what there can be, as part of a sentence about a file.
pub fn check(declared: u128, unit: &str, packed: usize, times: u128) -> Result<(), String> {
    let most = packed as u128 * times;
    if declared <= most {
        return Ok(());
    }
    let text = |count: u128| match unit {
        "bytes" => size_text(u64::try_from(count).unwrap_or(u64::MAX)),
        _ => format!("{count} {unit}"),
    };
    let (declared, most, packed) = (text(declared), text(most), size_text(packed as u64));
    Err(format!("its header declares {declared}, but its {packed} of packed data hold {most} at most"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_declared_than_there_can_be() {
        assert_eq!(check(1032 * 70, "bytes", 70, DEFLATE), Ok(()));
        let told = check(12 * (1 << 30), "bytes", 70, DEFLATE).unwrap_err();
        let expected =
            "its header declares 12.9 GB, but its 70 bytes of packed data hold 72.2 KB at most";
        assert_eq!(told, expected);
        let told = check(u128::MAX, "pixels", 0, JPEG).unwrap_err();
        assert!(told.contains("455 pixels, but its 0 bytes of packed data hold 0 pixels"), "{told}");
    }

    /// Data that packs as well as any can is not refused.
    #[test]
    fn zeros_are_unpacked() {
        use std::io::Write;
        for count in [1, 258, 1 << 20, 1 << 24] {
            let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
            packer.write_all(&vec![0; count]).unwrap();
            let packed = packer.finish().unwrap().len();
            assert_eq!(check(count as u128, "bytes", packed, DEFLATE), Ok(()));
        }
    }
}
