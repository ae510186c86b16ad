//! Measures how long a prediction takes from within a Rust program: `cargo run --release --example latency`.

use std::time::Instant;

use nnc::Tensor;

const MODELS: &str = "
model Small(x: [B, 2]) -> [B, 1] { x |> Linear(8) |> tanh |> Linear(1) }
model Digits(x: [B, 784]) -> [B, 10] { x |> Linear(128) |> relu |> Linear(10) }
";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut session = nnc::compile(MODELS)?.session()?;
    session.set_threads(1);
    for (model, inputs) in [("Small", 2), ("Digits", 784)] {
        let x = Tensor::floats(&[1, inputs], &vec![0.5; inputs])?;
        session.predict(model, &[&x])?;
        let mut times = Vec::new();
        for _ in 0..2000 {
            let begun = Instant::now();
            for _ in 0..10 {
                session.predict(model, &[&x])?;
            }
            times.push(begun.elapsed().as_secs_f64() / 10.0);
        }
        times.sort_by(f64::total_cmp);
        println!("{model}: {:.2} µs for one row (median)", times[times.len() / 2] * 1e6);
    }
    Ok(())
}
