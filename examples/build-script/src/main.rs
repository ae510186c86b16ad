//! Says what kind of iris a flower is.

/// What the build script has written: the model as functions of C, and this module that calls them.
#[allow(dead_code)]
mod flowers {
    include!(concat!(env!("OUT_DIR"), "/flowers.rs"));
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut model = flowers::Model::new();
    for x in [[5.1, 3.5, 1.4, 0.2], [5.9, 2.8, 4.2, 1.3], [6.8, 3.1, 5.8, 2.2]] {
        let output = model.predict(&flowers::Row { x })?;
        let class = output.class();
        println!("{x:?}: {}, {:.3}", flowers::CLASSES[class], output.probabilities()[class]);
    }
    #[cfg(feature = "embedded")]
    embedded()?;
    Ok(())
}

/// The same with nnc in the program: text and parameters are compiled when it starts, and can be trained further.
#[cfg(feature = "embedded")]
fn embedded() -> Result<(), Box<dyn std::error::Error>> {
    const TEXT: &str = include_str!("../flowers.nn");
    const PARAMETERS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/flowers.safetensors"));
    let begun = std::time::Instant::now();
    let world = nnc::MemoryWorld::new().with("flowers.safetensors", PARAMETERS);
    let program = nnc::compile_with(TEXT, &nnc::Options::new().world(world))?;
    let mut session = program.session()?;
    session.load("flowers.safetensors", "", &mut nnc::Silent)?;
    let x = nnc::Tensor::floats(&[1, 4], &[5.1, 3.5, 1.4, 0.2])?;
    let scores = session.predict("Flowers", &[&x])?;
    println!("compiled and asked in {:.1?}: scores {:?}", begun.elapsed(), scores[0].to_f32());
    Ok(())
}
