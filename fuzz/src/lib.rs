//! What the fuzz targets share: the generator of programs and what must hold of every input, as the tests have them.

#[path = "../../tests/generated/mod.rs"]
pub mod generated;
#[path = "../../tests/support"]
pub mod support {
    pub mod backends;
    pub mod expected;
    pub mod rounding;
}
