//! SHA-256 (FIPS 180-4), so that `sha256sum` can check what a run says of its files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The checksum of a file, as `sha256sum` prints it, and its length.
///
/// # Errors
/// Those of the system.
pub fn of_file(path: &Path) -> io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok((hash.finish(), hash.length)),
            Ok(count) => hash.add(&piece[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The checksum of bytes.
pub fn of_bytes(bytes: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.add(bytes);
    hash.finish()
}

struct Sha256 {
    state: [u32; 8],
    block: Vec<u8>,
    length: u64,
}

/// The first 32 bits of the fractional parts of the roots of the first primes.
fn roots<const N: usize>(root: impl Fn(f64) -> f64) -> [u32; N] {
    let is_prime = |n: &u32| (2..*n).take_while(|d| d * d <= *n).all(|d| !n.is_multiple_of(d));
    let mut primes = (2u32..).filter(is_prime);
    std::array::from_fn(|_| {
        let root = root(f64::from(primes.next().unwrap_or(2)));
        ((root - root.floor()) * 4_294_967_296.0) as u32
    })
}

impl Sha256 {
    fn new() -> Sha256 {
        Sha256 { state: roots(f64::sqrt), block: Vec::with_capacity(64), length: 0 }
    }

    fn add(&mut self, mut bytes: &[u8]) {
        self.length += bytes.len() as u64;
        let constants: [u32; 64] = roots(f64::cbrt);
        while !bytes.is_empty() {
            let (part, rest) = bytes.split_at(bytes.len().min(64 - self.block.len()));
            self.block.extend_from_slice(part);
            bytes = rest;
            if self.block.len() == 64 {
                self.compress(&constants);
                self.block.clear();
            }
        }
    }

    fn finish(&mut self) -> String {
        let bits = self.length * 8;
        let mut end = vec![0x80];
        end.resize(1 + (119 - self.length as usize % 64) % 64, 0);
        end.extend(bits.to_be_bytes());
        let length = self.length;
        self.add(&end);
        self.length = length;
        self.state.iter().map(|word| format!("{word:08x}")).collect()
    }

    fn compress(&mut self, constants: &[u32; 64]) {
        let mut words = [0u32; 64];
        for (word, bytes) in words.iter_mut().zip(self.block.chunks_exact(4)) {
            *word = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        for at in 16..64 {
            let (a, b) = (words[at - 15], words[at - 2]);
            let s0 = a.rotate_right(7) ^ a.rotate_right(18) ^ a >> 3;
            let s1 = b.rotate_right(17) ^ b.rotate_right(19) ^ b >> 10;
            words[at] = words[at - 16].wrapping_add(s0).wrapping_add(words[at - 7]).wrapping_add(s1);
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = self.state;
        for (constant, word) in constants.iter().zip(words) {
            let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let choice = e & f ^ !e & g;
            let t1 = h.wrapping_add(s1).wrapping_add(choice).wrapping_add(*constant).wrapping_add(word);
            let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let t2 = s0.wrapping_add(a & b ^ a & c ^ b & c);
            (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(t1), c, b, a, t1.wrapping_add(t2));
        }
        for (state, word) in self.state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *state = state.wrapping_add(word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::of_bytes;

    #[test]
    fn the_examples_of_the_standard() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(of_bytes(b""), empty);
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(of_bytes(b"abc"), abc);
        let two = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
        assert_eq!(of_bytes(b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), two);
    }
}
