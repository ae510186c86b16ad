//! Random numbers: the generator of [`crate::base::philox`], in operations on ints, so that they are the numbers of `nnc`.

use super::Unsupported;
use super::graph::{Graphs, Leaf};
use super::text::{Kind, Value};
use crate::base::philox::{key_of, stream_of};
use crate::ir::{InputKey, RandKind};

const MULTIPLIERS: [i64; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

impl Graphs {
    /// Random numbers, in the scan step `at` and, along the first axes, in those behind it.
    pub fn random(
        &mut self,
        kind: RandKind,
        stream: &str,
        shape: &[i64],
        at: &Value,
        step_axes: usize,
    ) -> Result<Value, Unsupported> {
        let count: i64 = shape.iter().product();
        let per: i64 = shape[step_axes..].iter().product();
        let flat = vec![count];
        let places = self.text.iota(0, Kind::I64, flat.clone());
        let per = self.text.int(per.max(1), Kind::I64, flat.clone());
        let row = self.text.same("stablehlo.divide", &[&places, &per]);
        let element = self.text.same("stablehlo.remainder", &[&places, &per]);
        let at = self.text.broadcast(at, &[], flat.clone());
        let scan_step = self.text.same("stablehlo.add", &[&at, &row]);
        let four = self.text.int(4, Kind::I64, flat.clone());
        let block = self.text.same("stablehlo.divide", &[&element, &four]);
        let word = self.text.same("stablehlo.remainder", &[&element, &four]);
        let step = match self.leaves.get(&Leaf::Input(InputKey::Step)) {
            Some(step) => {
                let step = self.text.convert(&step.clone(), Kind::Ui32);
                self.text.broadcast(&step, &[], flat.clone())
            }
            None => self.text.int(0, Kind::Ui32, flat.clone()),
        };
        let scan_step = self.text.convert(&scan_step, Kind::Ui32);
        let block = self.text.convert(&block, Kind::Ui32);
        let stream = self.text.int(i64::from(stream_of(stream)), Kind::Ui32, flat.clone());
        let words = self.philox([block.clone(), scan_step.clone(), step.clone(), stream.clone()]);
        let low = (self.float == Kind::F64).then(|| {
            let top = self.text.int(1 << 31, Kind::Ui32, flat.clone());
            let scan_step = self.text.same("stablehlo.or", &[&scan_step, &top]);
            self.philox([block, scan_step, step, stream])
        });
        let value = match kind {
            RandKind::Uniform => {
                let high = self.chosen(&words, &word);
                let low = low.map(|low| self.chosen(&low, &word));
                self.uniform(&high, low.as_ref())
            }
            RandKind::Normal => self.normal(&words, low.as_ref(), &word),
        };
        Ok(self.text.reshape(&value, shape.to_vec()))
    }

    /// Ten rounds.
    fn philox(&mut self, counter: [Value; 4]) -> [Value; 4] {
        let shape = counter[0].shape.clone();
        let [mut c0, mut c1, mut c2, mut c3] = counter;
        let [mut k0, mut k1] = key_of(self.seed);
        let text = &mut self.text;
        let factors = MULTIPLIERS.map(|factor| text.int(factor, Kind::Ui64, shape.clone()));
        let half = text.int(32, Kind::Ui64, shape.clone());
        for _ in 0..10 {
            let mut product = |value: &Value, factor: &Value| {
                let wide = text.convert(value, Kind::Ui64);
                let product = text.same("stablehlo.multiply", &[&wide, factor]);
                let high = text.same("stablehlo.shift_right_logical", &[&product, &half]);
                (text.convert(&high, Kind::Ui32), text.convert(&product, Kind::Ui32))
            };
            let ((high0, low0), (high1, low1)) = (product(&c0, &factors[0]), product(&c2, &factors[1]));
            let mut mixed = |high: &Value, other: &Value, key: u32| {
                let key = text.int(i64::from(key), Kind::Ui32, shape.clone());
                let both = text.same("stablehlo.xor", &[high, other]);
                text.same("stablehlo.xor", &[&both, &key])
            };
            (c0, c1, c2, c3) = (mixed(&high1, &c1, k0), low1, mixed(&high0, &c3, k1), low0);
            (k0, k1) = (k0.wrapping_add(WEYL[0]), k1.wrapping_add(WEYL[1]));
        }
        [c0, c1, c2, c3]
    }

    /// The word of the block that each element has.
    fn chosen(&mut self, words: &[Value; 4], word: &Value) -> Value {
        let mut value = words[0].clone();
        for (number, other) in words.iter().enumerate().skip(1) {
            let number = self.text.int(number as i64, Kind::I64, word.shape.clone());
            let is_it = self.text.compare("EQ", word, &number);
            value = self.text.select(&is_it, other, &value);
        }
        value
    }

    /// In [0, 1).
    fn uniform(&mut self, high: &Value, low: Option<&Value>) -> Value {
        let (text, shape) = (&mut self.text, high.shape.clone());
        match low {
            None => {
                let bits = text.int(8, Kind::Ui32, shape.clone());
                let top = text.same("stablehlo.shift_right_logical", &[high, &bits]);
                let value = text.convert(&top, Kind::F32);
                let unit = text.splat(1.0 / f64::from(1 << 24), Kind::F32, shape);
                text.same("stablehlo.multiply", &[&value, &unit])
            }
            Some(low) => {
                let (high, low) = (text.convert(high, Kind::Ui64), text.convert(low, Kind::Ui64));
                let bits = text.int(32, Kind::Ui64, shape.clone());
                let high = text.same("stablehlo.shift_left", &[&high, &bits]);
                let word = text.same("stablehlo.or", &[&high, &low]);
                let bits = text.int(11, Kind::Ui64, shape.clone());
                let top = text.same("stablehlo.shift_right_logical", &[&word, &bits]);
                let value = text.convert(&top, Kind::F64);
                let unit = text.splat(1.0 / (1_u64 << 53) as f64, Kind::F64, shape);
                text.same("stablehlo.multiply", &[&value, &unit])
            }
        }
    }

    /// Normal numbers (Box and Muller), in 64 bits, rounded.
    fn normal(&mut self, words: &[Value; 4], low: Option<&[Value; 4]>, word: &Value) -> Value {
        let shape = word.shape.clone();
        let two = self.text.int(2, Kind::I64, shape.clone());
        let is_first = self.text.compare("LT", word, &two);
        let mut uniforms = [0, 1].map(|at| {
            let high = self.text.select(&is_first, &words[at], &words[at + 2]);
            let low = low.map(|low| self.text.select(&is_first, &low[at], &low[at + 2]));
            let value = self.uniform(&high, low.as_ref());
            self.text.convert(&value, Kind::F64)
        });
        let text = &mut self.text;
        let least = if self.float == Kind::F64 { 1.0 / (1_u64 << 53) as f64 } else { 1.0 / f64::from(1 << 24) };
        let least = text.splat(least, Kind::F64, shape.clone());
        uniforms[0] = text.same("stablehlo.add", &[&uniforms[0], &least]);
        let log = text.same("stablehlo.log", &[&uniforms[0]]);
        let minus_two = text.splat(-2.0, Kind::F64, shape.clone());
        let square = text.same("stablehlo.multiply", &[&log, &minus_two]);
        let radius = text.same("stablehlo.sqrt", &[&square]);
        let turn = text.splat(std::f64::consts::TAU, Kind::F64, shape.clone());
        let angle = text.same("stablehlo.multiply", &[&uniforms[1], &turn]);
        let (cosine, sine) = (text.same("stablehlo.cosine", &[&angle]), text.same("stablehlo.sine", &[&angle]));
        let rest = text.same("stablehlo.remainder", &[word, &two]);
        let zero = text.int(0, Kind::I64, shape);
        let is_even = text.compare("EQ", &rest, &zero);
        let part = text.select(&is_even, &cosine, &sine);
        let value = text.same("stablehlo.multiply", &[&radius, &part]);
        text.convert(&value, self.float)
    }
}
